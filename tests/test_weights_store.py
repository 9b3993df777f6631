"""The folder that weights lie in: whole or not there, and never mistaken for another file."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
import torch

from reid.errors import WeightsError
from reid.weights import check, ensure, files, inventory, store, write_run

CONFIG = {
    "architecture": "inception_resnet_v1",
    "embedding_dim": 128,
    "crop_px": 160,
    "standardisation": "per_image",
    "source": "models/lab",
    "base": "ms1m",
    "licence": "MIT",
    "training_data": "125 people of a test",
    "epochs": 6,
}


def state(value: float) -> dict[str, torch.Tensor]:
    return {"layer.weight": torch.full((4, 4), value), "layer.bias": torch.zeros(4)}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_run(tmp_path / "lab", state(1.0), CONFIG)
    return tmp_path


def test_a_run_is_found_by_its_folder_and_by_its_name(models: Path) -> None:
    by_name, by_folder = ensure("lab", models), ensure(str(models / "lab"), models)
    assert by_name.path == by_folder.path == models / "lab" / "model.safetensors"
    assert by_name.sha256 == files.sha256_of(by_name.path)
    assert by_name.config.items() >= CONFIG.items()
    assert by_name.config["format_version"] == 1


def test_a_digest_is_computed_once(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure("lab", models)
    monkeypatch.setattr(store, "sha256_of", lambda _: pytest.fail("computed again"))
    ensure("lab", models)


def test_a_file_that_was_exchanged_is_noticed(models: Path) -> None:
    path = ensure("lab", models).path
    other = write_run(models / "other", state(2.0), CONFIG).path
    path.write_bytes(other.read_bytes())  # the same size
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))  # clocks of file systems tick slowly
    with pytest.raises(WeightsError, match="not the file that it should be"):
        ensure("lab", models)


def test_check_finds_what_hides_behind_an_unchanged_time(models: Path) -> None:
    path = ensure("lab", models).path
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [name for name, problem in check(models) if problem] == ["lab"]


def test_a_copied_folder_is_as_good_as_the_first(models: Path) -> None:
    first = ensure("lab", models)
    target = models / "copy"
    target.mkdir()
    for name in ("model.safetensors", "config.json"):
        (target / name).write_bytes((models / "lab" / name).read_bytes())
    assert ensure("copy", models).sha256 == first.sha256


def test_weights_are_used_where_nothing_can_be_written(models: Path) -> None:
    (models / "lab" / ".verified").unlink()
    (models / "lab" / ".verified").mkdir()  # nobody can write a file of that name, not even root
    assert ensure("lab", models).sha256


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda run: (run / "config.json").unlink(), "there is no config.json"),
        (lambda run: (run / "config.json").write_text("{"), "cannot be read"),
        (lambda run: (run / "config.json").write_text("[]"), "not a JSON object"),
        (lambda run: (run / "model.safetensors").unlink(), "has no model.safetensors"),
        (lambda run: (run / "model.safetensors").write_bytes(b"short"), "5 bytes instead of"),
        (lambda run: (run / "config.json").write_text('{"weights_file": "../secret"}'), "has no secret"),
    ],
)
def test_a_damaged_run_is_refused_with_the_reason(models: Path, damage: object, words: str) -> None:
    (models / "secret").write_text("not to be read")
    damage(models / "lab")  # type: ignore[operator]
    with pytest.raises(WeightsError, match=words):
        ensure("lab", models)


@pytest.mark.parametrize("failing_file", [1, 2])
def test_a_full_disk_leaves_the_older_run_whole(
    models: Path, monkeypatch: pytest.MonkeyPatch, failing_file: int
) -> None:
    before = ensure("lab", models)
    calls = []

    def full(_: int) -> None:
        calls.append(1)
        if len(calls) == failing_file:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(WeightsError, match="is full"):
        write_run(models / "lab", state(2.0), CONFIG)
    monkeypatch.undo()
    assert check(models) == [("lab", None)]
    assert ensure("lab", models).sha256 == before.sha256
    assert sorted(p.name for p in (models / "lab").iterdir()) == [".verified", "config.json", "model.safetensors"]


def test_names_that_nobody_knows_get_the_list(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights called 'vggface'.*ms1m, sface, yunet, vggface2"):
        ensure("vggface", tmp_path)


def test_the_inventory_tells_what_is_there_and_what_is_not(models: Path) -> None:
    entries = {entry.name: entry for entry in inventory(models)}
    assert list(entries) == ["ms1m", "sface", "yunet", "vggface2", "casia-webface", "lab"]
    assert [name for name, entry in entries.items() if entry.present] == ["lab"]
    assert entries["lab"].training_data == "125 people of a test"
    assert entries["lab"].size == (models / "lab" / "model.safetensors").stat().st_size
    for name in ("ms1m", "vggface2", "sface"):
        assert "research set" in entries[name].notice
        assert "withdrew" in entries[name].notice
    (models / "lab" / "config.json").write_text(json.dumps({"weights_file": "gone"}))
    assert not {entry.name: entry for entry in inventory(models)}["lab"].present
