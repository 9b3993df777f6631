"""All weights of a machine in one file, for a machine without any network; nothing of it is believed unchecked.

A tar whose first member, manifest.json, names every other one with its size and digest. The digests protect against
damage on the way; that `ms1m`, `sface` and `yunet` are the real ones is checked against this program's own.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from reid.errors import WeightsError
from reid.weights.files import (
    BLOCK,
    PART,
    one_at_a_time,
    put_in_place,
    replacing,
    require_space,
    sha256_of,
    storage_errors,
)
from reid.weights.inventory import weight_folders
from reid.weights.pretrained import DEMO_CACHE
from reid.weights.sources import SOURCES
from reid.weights.store import CONFIG, ONNX, SAFETENSORS, read_config, read_weights

_FORMAT = "byteface-weights"
_MANIFEST = "manifest.json"
_MANIFEST_LIMIT = 4 << 20  # bytes; a real one has some 20 KB
_KEPT = (CONFIG, SAFETENSORS, ONNX, "metrics.json", "README.md")
_NAME = r"[^./\\\x00-\x1f][^/\\\x00-\x1f]*"  # one part of a path; never begins with a dot
_ALLOWED = re.compile(rf"{_NAME}/({'|'.join(map(re.escape, _KEPT))})|cache/demo/(train|val)/{_NAME}/{_NAME}\.jpg")


def export_bundle(models_dir: Path, file: Path, *, progress: bool = True) -> list[str]:
    """Writes every network below `models_dir`, and the demonstration photographs if they are there, to `file`.

    Returns:
        The networks' names.

    Raises:
        WeightsError: there are none, one is damaged, or the disk is full; `file` is then as it was.
    """
    folders = list(weight_folders(models_dir))
    for folder in folders:
        read_weights(folder, folder.name)
    if not folders:
        raise WeightsError(f"{models_dir} holds no weights to export. Bring some first: `byteface weights get`.")
    with storage_errors(models_dir):
        paths = [path for folder in folders for name in _KEPT if (path := folder / name).is_file()]
        paths += sorted((models_dir / DEMO_CACHE).rglob("*.jpg"))
        files = {
            path.relative_to(models_dir).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size}
            for path in paths
        }
    text = json.dumps({"format": _FORMAT, "version": 1, "files": files}, indent=1, ensure_ascii=False).encode()
    with storage_errors(file), replacing(file) as out, tarfile.open(fileobj=out, mode="w") as tar:
        _add(tar, _MANIFEST, io.BytesIO(text), len(text))
        for name, stated in tqdm(files.items(), desc=file.name, unit=" files", disable=not progress):
            with (models_dir / name).open("rb") as content:
                _add(tar, name, content, int(str(stated["bytes"])))
    return [folder.name for folder in folders]


def import_bundle(file: Path, models_dir: Path, *, progress: bool = True) -> list[str]:
    """Takes over what `export_bundle` wrote. Everything is checked before anything is put in place.

    Returns:
        The networks' names.

    Raises:
        WeightsError: not such a file, damaged, made to do harm, or it would replace another run of the same name.
    """
    with storage_errors(models_dir):
        models_dir.mkdir(parents=True, exist_ok=True)
        with (
            one_at_a_time(models_dir),
            tempfile.TemporaryDirectory(prefix=".import.", suffix=PART, dir=models_dir) as staging_name,
        ):
            staging = Path(staging_name)
            _unpack(file, staging, progress=progress)
            folders = list(weight_folders(staging))
            new = [folder for folder in folders if _is_new(folder, models_dir / folder.name)]
            for folder in new:
                put_in_place(folder, models_dir / folder.name)
            if (staging / DEMO_CACHE).is_dir() and not (models_dir / DEMO_CACHE).exists():
                (models_dir / DEMO_CACHE).parent.mkdir(exist_ok=True)
                put_in_place(staging / DEMO_CACHE, models_dir / DEMO_CACHE)
            return [folder.name for folder in folders]


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    tar.addfile(entry, content)


def _unpack(file: Path, staging: Path, *, progress: bool) -> None:
    """Every member to `staging`, each on the list, each once, each with its size and digest, none missing."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            stated = _read_manifest(tar, file)
            require_space(staging, sum(size for size, _ in stated.values()))
            missing = set(stated)
            for entry in tqdm(tar, total=len(stated), desc=file.name, unit=" files", disable=not progress):
                if entry.name == _MANIFEST and entry.offset == 0:
                    continue
                content = tar.extractfile(entry) if entry.isfile() else None
                if content is None or entry.name not in missing or entry.size != stated[entry.name][0]:
                    raise _damaged(file, f"{entry.name!r} is not as its list says")
                _copy(content, staging / entry.name, stated[entry.name][1], file)
                missing.remove(entry.name)
    except FileNotFoundError:
        raise WeightsError(f"There is no file {file}. Give the one that `byteface weights export` wrote.") from None
    except (tarfile.TarError, EOFError) as error:
        raise _damaged(file, str(error)) from error
    if missing:
        raise _damaged(file, f"{len(missing)} files are missing")


def _read_manifest(tar: tarfile.TarFile, file: Path) -> Mapping[str, tuple[int, str]]:
    """Path -> (bytes, SHA-256), every path of a kind that an export has."""
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.isfile() else None
    if first is None or content is None or first.name != _MANIFEST or first.size > _MANIFEST_LIMIT:
        raise _damaged(file, "it does not begin with a list of its content")
    try:
        manifest: Any = json.loads(content.read())
        if manifest["format"] != _FORMAT or manifest["version"] != 1:
            raise _damaged(file, "it is of another format")
        stated = {str(path): (int(one["bytes"]), str(one["sha256"])) for path, one in manifest["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(file, "its list cannot be read") from error
    for path in stated:
        if not _ALLOWED.fullmatch(path):
            raise _damaged(file, f"{path!r} has no place in a models folder")
    return stated


def _copy(content: IO[bytes], target: Path, sha256: str, file: Path) -> None:
    digest = hashlib.sha256()
    with replacing(target) as out:
        while block := content.read(BLOCK):
            digest.update(block)
            out.write(block)
    if digest.hexdigest() != sha256:
        raise _damaged(file, f"{target.name} has another SHA-256 than its list says")


def _is_new(folder: Path, target: Path) -> bool:
    """Whether an unpacked network should take the place of `target`.

    Raises:
        WeightsError: it is not what it says, or another run of that name is there.
    """
    source = SOURCES.get(folder.name)
    arriving = read_weights(folder, folder.name, expected_sha256=source.sha256 if source else None)
    if not (target / CONFIG).is_file():
        return True
    same = read_config(target).get("weights_sha256") == arriving.sha256
    if not same and source is None:
        raise WeightsError(
            f"{target} holds another network of the same name; nothing was imported. Rename that folder first."
        )
    return not same


def _damaged(file: Path, why: str) -> WeightsError:
    return WeightsError(
        f"{file} was not imported: {why}. Nothing was changed; copy it again from the machine that exported it."
    )
