"""A gallery built in parts: which part somebody is in, that it may be repeated, and the documents' own example."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from fakes import FakeDetector, FakeNetwork, save

from reid.cli import main
from reid.commands.sharding import Shard
from reid.describe import Describer
from reid.gallery import open_gallery
from reid.settings import CHECKOUT
from reid.space import EmbeddingSpace


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CSV of six people of the trivial world, two photographs each, and two that cannot be used."""
    space = EmbeddingSpace([FakeNetwork()], [1.0])
    monkeypatch.setattr(Describer, "load", lambda *_, **__: Describer(FakeDetector(), space))
    monkeypatch.setenv("BYTEFACE_DATA", str(tmp_path / "data"))
    rows = ["image_path,gt"]
    for person in range(6):
        for n in range(2):
            save(tmp_path / f"{person}-{n}.jpg", [person], patch_px=100 + n)
            rows.append(f"{person}-{n}.jpg,Name {person}")
    (tmp_path / "people.csv").write_text("\n".join([*rows, "missing.jpg,Name 1", "0-0.jpg,"]), encoding="utf-8")
    return tmp_path / "people.csv"


def build(table: Path, *more: str) -> int:
    return main(["build-gallery", "--train-csv", str(table), "--root-dir", str(table.parent), *more])


def people(url: str) -> dict[str, list[str]]:
    with closing(open_gallery(url, space_id=None, dim=None, create=False)) as gallery:
        return {who.name: sorted(one.source for one in gallery.photos(who.id)) for who in gallery.identities()}


def test_the_parts_together_are_the_whole(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [str(tmp_path / f"people.{n}-of-3.db") for n in (1, 2, 3)]
    for n in (1, 2, 3):
        assert build(table, "--out", str(tmp_path / "people.db"), "--shard", f"{n}/3") == 0
    out = capsys.readouterr()
    assert out.out.count("1 refused") == 1, "a row without a name is told of once"
    assert out.out.count("1 unreadable") == 1
    assert main(["migrate", "--from", *parts, "--to", str(tmp_path / "whole.db")]) == 0
    assert build(table, "--out", str(tmp_path / "alone.db")) == 0
    assert people(str(tmp_path / "whole.db")) == people(str(tmp_path / "alone.db"))
    assert len(people(str(tmp_path / "whole.db"))) == 6


def test_a_part_that_is_done_is_left_alone_and_one_that_was_stopped_goes_on(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--out", str(tmp_path / "people.db"), "--shard", "1/1")
    monkeypatch.setattr("reid.commands.build_gallery._CHUNK", 4)
    describe = Describer.describe_files

    def stopped(self: Describer, *given: object) -> object:
        for number, one in enumerate(describe(self, *given)):  # type: ignore[arg-type]
            if number == 7:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(Describer, "describe_files", stopped)
    assert build(table, *words) == 130
    part = str(tmp_path / "people.1-of-1.db")
    assert len(people(part)) == 2
    assert main(["migrate", "--from", part, "--to", str(tmp_path / "whole.db")]) == 1
    assert "not finished" in capsys.readouterr().err
    monkeypatch.setattr(Describer, "describe_files", describe)
    assert build(table, *words) == 0
    assert all(len(sources) == 2 for sources in people(part).values())
    monkeypatch.setattr(Describer, "load", lambda *_, **__: pytest.fail("nothing is computed twice"))
    assert build(table, *words) == 0
    assert "is there already" in capsys.readouterr().out


def test_a_part_of_another_table_is_refused(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--out", str(tmp_path / "people.db"), "--shard", "2/2")
    assert build(table, *words) == 0
    table.write_text(table.read_text(encoding="utf-8") + "\n5-1.jpg,Somebody else\n", encoding="utf-8")
    assert build(table, *words) == 1
    assert "of another table" in capsys.readouterr().err
    assert build(table, "--out", str(tmp_path / "people.npy"), "--shard", "1/2") == 1
    assert "End --out in .db" in capsys.readouterr().err


def test_everybody_is_in_exactly_one_part() -> None:
    names = [f"Name {n}" for n in range(2000)]
    counts = [sum(Shard(number, 7).has(name) for name in names) for number in range(1, 8)]
    assert sum(counts) == len(names)
    assert min(counts) > 200
    assert Shard(3, 12).file_of("a/people.db") == "a/people.03-of-12.db"


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "-1/2"])
def test_no_part_of_a_whole_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write 1/8"):
        Shard.parse(text)


def test_the_documented_job_array_builds_a_gallery_in_two_processes(demo_dir: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", (CHECKOUT / "docs" / "many-photographs.md").read_text("utf-8"), re.DOTALL)
    (script,) = [block for block in blocks if "SLURM_ARRAY_TASK_ID" in block]
    files = [path for person in ("madonna", "elton_john", "jerry_seinfeld", "ben_afflek")
             for path in sorted((demo_dir / "train" / person).iterdir())[:1]]  # fmt: skip
    rows = [f"{path.relative_to(demo_dir).as_posix()},{path.parent.name}" for path in files]
    (tmp_path / "people.csv").write_text("\n".join(["image_path,gt", *rows]), encoding="utf-8")
    env = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "BYTEFACE_SPACE": "sface",
        "TABLE": str(tmp_path / "people.csv"), "PHOTOS": str(demo_dir), "OUT": str(tmp_path),
        "SLURM_ARRAY_TASK_COUNT": "2", "BYTEFACE_AUDIT": str(tmp_path / "audit.db"),
    }  # fmt: skip
    tasks = [
        subprocess.Popen(["bash", "-c", script], env=env | {"SLURM_ARRAY_TASK_ID": str(number)},
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for number in (1, 2)
    ]  # fmt: skip
    assert [task.wait() for task in tasks] == [0, 0]
    parts = [str(tmp_path / f"people.{number}-of-2.db") for number in (1, 2)]
    assert main(["migrate", "--from", *parts, "--to", str(tmp_path / "people.db")]) == 0
    assert sorted(people(str(tmp_path / "people.db"))) == ["ben_afflek", "elton_john", "jerry_seinfeld", "madonna"]
