"""Weights in one file: there and back, and nothing that a hostile one could do."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
import torch

from reid.errors import WeightsError
from reid.weights import ensure, export_bundle, files, import_bundle, write_run
from reid.weights.sources import SOURCES
from reid.weights.store import write_weights

CONFIG = {"architecture": "inception_resnet_v1", "embedding_dim": 128, "crop_px": 160, "standardisation": "fixed"}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    write_run(folder / "lab", {"weight": torch.arange(1000.0)}, CONFIG)
    write_run(folder / "Zürich 2", {"weight": torch.ones(3)}, CONFIG)
    (folder / "lab" / "metrics.json").write_text("{}")
    (folder / "lab" / "checkpoint.pt").write_bytes(b"stays at home")
    (folder / "cache" / "demo" / "train" / "somebody").mkdir(parents=True)
    (folder / "cache" / "demo" / "train" / "somebody" / "1.jpg").write_bytes(b"photograph")
    return folder


@pytest.fixture
def bundle(models: Path, tmp_path: Path) -> Path:
    file = tmp_path / "weights.tar"
    assert export_bundle(models, file, progress=False) == ["Zürich 2", "lab"]
    return file


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def rewritten(bundle: Path, change: object) -> Path:
    """The bundle with its manifest and members passed through `change(files, members)`."""
    with tarfile.open(bundle) as tar:
        members = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    manifest = json.loads(members.pop("manifest.json"))
    change(manifest["files"], members)  # type: ignore[operator]
    return packed(bundle.with_name("hostile.tar"), manifest, members)


def packed(file: Path, manifest: object, members: dict[str, bytes | tarfile.TarInfo]) -> Path:
    with tarfile.open(file, "w") as tar:
        for name, content in {"manifest.json": json.dumps(manifest).encode(), **members}.items():
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
            else:
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return file


def stated(content: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_everything_arrives_as_it_left(models: Path, bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    assert import_bundle(bundle, target, progress=False) == ["Zürich 2", "lab"]
    left_at_home = {"lab/checkpoint.pt"}
    assert everything(target) == {k: v for k, v in everything(models).items() if k not in left_at_home}
    assert ensure("lab", target).sha256 == ensure("lab", models).sha256
    assert not list(target.glob(".import*"))
    import_bundle(bundle, target, progress=False)  # twice does no harm


def test_another_run_of_the_same_name_is_not_overwritten(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    mine = write_run(target / "lab", {"weight": torch.zeros(5)}, CONFIG)
    with pytest.raises(WeightsError, match="another network of the same name"):
        import_bundle(bundle, target, progress=False)
    assert ensure("lab", target).sha256 == mine.sha256
    assert not (target / "Zürich 2").exists()


def test_a_network_that_only_claims_to_be_ms1m_is_refused(models: Path, tmp_path: Path) -> None:
    assert SOURCES["ms1m"].sha256
    write_run(models / "ms1m", {"weight": torch.zeros(5)}, CONFIG)
    export_bundle(models, tmp_path / "weights.tar", progress=False)
    with pytest.raises(WeightsError, match="not the file that it should be"):
        import_bundle(tmp_path / "weights.tar", tmp_path / "elsewhere", progress=False)
    assert everything(tmp_path / "elsewhere") == {}


def harmful_path(name: str) -> object:
    def change(listed: dict[str, object], members: dict[str, object]) -> None:
        listed[name] = stated(b"harm")
        members[name] = b"harm"

    return change


def link(listed: dict[str, object], members: dict[str, object]) -> None:
    entry = tarfile.TarInfo("lab/README.md")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    listed["lab/README.md"] = {"sha256": "0" * 64, "bytes": 0}
    members["lab/README.md"] = entry


def changed(_: dict[str, object], members: dict[str, bytes]) -> None:
    members["lab/model.safetensors"] = members["lab/model.safetensors"][::-1]


def shorter(_: dict[str, object], members: dict[str, bytes]) -> None:
    members["lab/model.safetensors"] = members["lab/model.safetensors"][:-1]


def missing(_: dict[str, object], members: dict[str, bytes]) -> None:
    del members["lab/config.json"]


def unlisted(_: dict[str, object], members: dict[str, bytes]) -> None:
    members["lab/README.md"] = b"who put this here?"


@pytest.mark.parametrize(
    "change",
    [
        *map(harmful_path, ["../outside/config.json", "/etc/config.json", "lab/../../config.json", "lab/run.py",
                            ".hidden/config.json", "lab/.config.json", "config.json", "a\\b/config.json",
                            "cache/demo/train/x/../../y.jpg", "lab/config.json/config.json", ""]),
        link, changed, shorter, missing, unlisted,
    ],
)  # fmt: skip
def test_a_hostile_or_damaged_file_changes_nothing(bundle: Path, tmp_path: Path, change: object) -> None:
    target = tmp_path / "elsewhere"
    before = everything(tmp_path)
    hostile = rewritten(bundle, change)
    with pytest.raises(WeightsError, match="Nothing was changed"):
        import_bundle(hostile, target, progress=False)
    hostile.unlink()
    assert everything(tmp_path) == before


@pytest.mark.parametrize("length", [0, 10, 600, 3000, 9000])
def test_a_file_that_was_cut_off_changes_nothing(bundle: Path, tmp_path: Path, length: int) -> None:
    cut = tmp_path / "cut.tar"
    cut.write_bytes(bundle.read_bytes()[:length])
    with pytest.raises(WeightsError, match="Nothing was changed"):
        import_bundle(cut, tmp_path / "elsewhere", progress=False)
    assert everything(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        {},
        {"format": "byteface-weights"},
        {"format": "other", "version": 1},
        {"format": "byteface-weights", "version": 1, "files": {"a/config.json": 3}},
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, manifest: object) -> None:
    with pytest.raises(WeightsError, match="Nothing was changed"):
        import_bundle(packed(tmp_path / "w.tar", manifest, {}), tmp_path / "elsewhere", progress=False)


def test_no_file_and_no_weights_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="There is no file"):
        import_bundle(tmp_path / "nothing.tar", tmp_path / "models", progress=False)
    with pytest.raises(WeightsError, match="no weights to export"):
        export_bundle(tmp_path / "models", tmp_path / "weights.tar", progress=False)


def test_a_full_disk_leaves_no_half_export(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(WeightsError, match="is full"):
        export_bundle(models, tmp_path / "weights.tar", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_an_onnx_network_travels_too(tmp_path: Path) -> None:
    write_weights(tmp_path / "models" / "other", "model.onnx", b"graph", {"architecture": "sface"})
    export_bundle(tmp_path / "models", tmp_path / "w.tar", progress=False)
    import_bundle(tmp_path / "w.tar", tmp_path / "elsewhere", progress=False)
    assert ensure("other", tmp_path / "elsewhere").path.read_bytes() == b"graph"
