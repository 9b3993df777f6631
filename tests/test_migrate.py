"""A gallery moved to another backend and back, stopped in between, and put together from shards."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from gallery_backends import BACKENDS, opened
from gallery_records import DIM, SPACE, kept, photo, unit

from reid.audit import AuditLog
from reid.audit.recording import recorded
from reid.cli import main
from reid.gallery import Gallery
from reid.gallery.copies import snapshot
from reid.gallery.npy import save_npy
from reid.types import Rejection


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYTEFACE_DATA", str(tmp_path / "data"))


def fill(gallery: Gallery, people: int = 12) -> None:
    """Some people, with all that can be said of them."""
    for n in range(people):
        gallery.add([photo(f"p{n}-{m}", f"i{n:02}", f"Name {n}", crop=bytes([n, m] * 900)) for m in range(1 + n % 3)])
    gallery.set_created({"i01": "2020-02-03T04:05:06+00:00"})  # type: ignore[attr-defined]
    gallery.edit("i02", metadata={"notes": "“twin” of i03", "consent": "2026-01-01"}, cover_photo_id="p2-2")
    gallery.reject(Rejection("no", "i04", "gate.png", "2026-01-02", unit(7)))
    gallery.set_apart("i02", "i03")
    gallery.unknowns.keep([kept("f1"), kept("f2", crop=b"pest")])
    gallery.unknowns.ignore(["f2"])
    gallery.set_meta("calibration", '{"value": 0.5}')


def contents(gallery: Gallery) -> object:
    """Everything, comparable."""
    people = gallery.identities()
    photos = [
        (one.id, one.identity_id, one.crop_jpeg, one.landmarks_px.tobytes(), one.embedding.tobytes(), one.quality,
         one.source, one.added_at, one.sha256)
        for who in people for one in gallery.photos(who.id)
    ]  # fmt: skip
    said = [(one.id, one.identity_id, one.source, one.added_at, one.embedding.tobytes())
            for one in gallery.rejections([who.id for who in people])]  # fmt: skip
    faces = [(face.id, face.crop_jpeg, face.expires_at, face.quality, face.ignored)
             for ignored in (False, True) for face in gallery.unknowns.faces(ignored=ignored)]  # fmt: skip
    metas = {key: text for key, text in gallery.metas().items() if key != "migration"}  # type: ignore[attr-defined]
    return people, photos, said, gallery.apart(), faces, metas


def read(url: str) -> object:
    with closing(opened(url)) as gallery:
        return contents(gallery)


def test_a_gallery_goes_to_milvus_and_back_with_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, there, back = str(tmp_path / "g.db"), BACKENDS["milvus"](tmp_path / "m"), str(tmp_path / "back.db")
    with closing(opened(first)) as gallery:
        fill(gallery)
    assert main(["migrate", "--from", first, "--to", there]) == 0
    out = capsys.readouterr().out
    assert "12 people with 24 photographs" in out
    assert "12 searches" in out
    assert read(there) == read(first)
    assert main(["migrate", "--from", there, "--to", back]) == 0
    assert read(back) == read(first)
    assert out.split("SHA-256 ")[1][:64] == capsys.readouterr().out.split("SHA-256 ")[1][:64]


CHILD = """
import sys
from reid.gallery import moving
from reid.gallery.milvus import MilvusGallery
moving._PHOTOS_AT_ONCE = 4
add = MilvusGallery.add
def slow(self, photos):
    add(self, photos)
    print("added", flush=True)
MilvusGallery.add = slow
from reid.cli import main
sys.exit(main(["migrate", "--from", sys.argv[1], "--to", sys.argv[2]]))
"""


def test_a_migration_that_was_killed_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = str(tmp_path / "g.db"), BACKENDS["milvus"](tmp_path / "m")
    with closing(opened(source)) as gallery:
        fill(gallery)
    child = subprocess.Popen([sys.executable, "-c", CHILD, source, target], stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.DEVNULL)  # fmt: skip
    assert child.stdout is not None
    for _ in range(3):
        assert child.stdout.readline() == "added\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with closing(opened(source)) as gallery:  # and what happens in the source meanwhile is not lost either
        gallery.remove("i00")
        gallery.rename("i01", "Another name")
        gallery.add([photo("late", "i01"), photo("new", "i99", "Somebody new")])
        gallery.set_apart("i02", "i03", apart=False)
        gallery.unknowns.remove(["f1"])
        gallery.withdraw("no")
    assert main(["migrate", "--from", source, "--to", target]) == 0
    out = capsys.readouterr().out
    assert int(out.split(", ")[1].split()[0]) < 25, "not everything was copied again"
    assert read(target) == read(source)


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: opened_with(folder / "target.db", "somebody"), "people in .* already"),
        (lambda folder: note(folder / "target.db", "another.db"), r"is being filled from another\.db"),
        (lambda folder: other_space(folder / "target.db"), "toy:1"),
    ],
)
def test_a_target_that_holds_something_else_is_left_alone(
    prepare: Callable[[Path], None], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(opened(str(tmp_path / "g.db"))) as gallery:
        fill(gallery, 5)
    prepare(tmp_path)
    before = (tmp_path / "target.db").read_bytes()
    assert main(["migrate", "--from", str(tmp_path / "g.db"), "--to", str(tmp_path / "target.db")]) == 1
    assert re.search(said, capsys.readouterr().err)
    assert (tmp_path / "target.db").read_bytes() == before


def opened_with(path: Path, identity_id: str) -> None:
    with closing(opened(str(path))) as gallery:
        gallery.add([photo("x", identity_id)])


def note(path: Path, source: str) -> None:
    with closing(opened(str(path))) as gallery:
        gallery.set_meta("migration", json.dumps({"from": [source], "after": ""}))


def other_space(path: Path) -> None:
    from reid.gallery import open_gallery

    open_gallery(str(path), space_id="other:1", dim=DIM).close()


def test_a_gallery_without_photographs_cannot_be_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_npy(tmp_path / "g.npy", ["Ann"], np.stack([unit(1)]), [1], SPACE)
    assert main(["migrate", "--from", str(tmp_path / "g.npy"), "--to", str(tmp_path / "t.db")]) == 1
    assert "keeps no photographs" in capsys.readouterr().err
    assert not (tmp_path / "t.db").exists()


def test_who_was_erased_does_not_come_back_with_an_older_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BYTEFACE_AUDIT", str(tmp_path / "audit.db"))
    log = AuditLog(tmp_path / "audit.db")
    with closing(recorded(opened(str(tmp_path / "g.db")), log)) as gallery:
        fill(gallery.inner, 5)
        gallery.inner.add([photo("x1", "ab" * 16, "Gone"), photo("x2", "ab" * 16, "Gone")])
        snapshot(tmp_path / "g.db", tmp_path / "copy.db")
        gallery.remove("ab" * 16)
    log.close()
    target = BACKENDS["milvus"](tmp_path / "m")
    assert main(["migrate", "--from", str(tmp_path / "copy.db"), "--to", target]) == 0
    assert "2 of them, which the audit log says were erased since" in capsys.readouterr().out
    with closing(opened(target)) as moved:
        assert [one.id for one in moved.identities()] == ["i00", "i01", "i02", "i03", "i04"]


def shard(path: Path, number: int, *, of: int = 2, done: bool = True) -> str:
    with closing(opened(str(path))) as gallery:
        gallery.add([photo(f"p{number}", f"i{number}", f"Name {number}")])
        gallery.set_meta("shard", json.dumps({"number": number, "of": of, "table": "abc", "done": done}))
    return str(path)


def test_shards_become_one_gallery_when_all_are_there_and_finished(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = shard(tmp_path / "1.db", 1), shard(tmp_path / "2.db", 2, done=False)
    whole = str(tmp_path / "whole.db")
    assert main(["migrate", "--from", first, "--to", whole]) == 1
    assert "not finished or not named: 2" in capsys.readouterr().err
    assert main(["migrate", "--from", first, second, "--to", whole]) == 1
    assert "not finished or not named: 2" in capsys.readouterr().err
    shard(tmp_path / "2.db", 2)
    assert main(["migrate", "--from", first, second, "--to", whole]) == 0
    with closing(opened(whole)) as gallery:
        assert [who.name for who in gallery.identities()] == ["Name 1", "Name 2"]
        assert gallery.get_meta("shard") is None


def test_one_person_in_two_sources_is_refused_by_name_of_the_galleries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        opened_with(tmp_path / f"{name}.db", "ann")
    assert (
        main(["migrate", "--from", str(tmp_path / "a.db"), str(tmp_path / "b.db"), "--to", str(tmp_path / "t.db")]) == 1
    )
    err = capsys.readouterr().err
    assert "a.db" in err
    assert "b.db" in err
    assert "Name of ann" not in err
