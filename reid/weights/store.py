"""The folder that weights lie in: one file, its config.json, and the check that they belong together.

A pretrained network, a training run and a download from the Hub all look the same here. Knows no network library
and no address.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid.errors import WeightsError
from reid.weights.files import replacing, sha256_of, storage_errors, write_together
from reid.weights.tensors import serialise

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1
CONFIG = "config.json"
SAFETENSORS = "model.safetensors"
ONNX = "model.onnx"
_STAMP = (
    ".verified"  # size and time of a weights file whose digest was checked; a copy or a change asks for a new check
)


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """Weights on this disk, checked against their config.

    Attributes:
        path: model.safetensors or model.onnx.
        sha256: of that file; enters the id of every embedding space made with it.
        config: what config.json says: `architecture`, `embedding_dim`, `crop_px`, `standardisation`, `licence`,
            `training_data` and more.
        source: what it was asked for by: `ms1m`, `hub:owner/name`, a run's folder.
    """

    path: Path
    sha256: str
    config: Mapping[str, Any]
    source: str


def write_run(folder: Path, state_dict: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> WeightsFile:
    """Keeps a network as model.safetensors and config.json; a run that is there already is replaced.

    Args:
        folder: models/<run>; made when absent. Other files in it stay.
        state_dict: every parameter and buffer, from any device.
        config: `architecture`, `embedding_dim`, `crop_px`, `standardisation`, `source`, `base`, `licence`,
            `training_data`, and whatever else should travel with it. Format, digest and size are added here.

    Raises:
        WeightsError: the disk is full or read-only; an older run is still whole then.
    """
    return write_weights(folder, SAFETENSORS, serialise(state_dict), config)


def write_weights(folder: Path, filename: str, data: bytes, config: Mapping[str, Any]) -> WeightsFile:
    """Keeps the bytes of a weights file beside its config; the config comes last and makes it count."""
    sha256 = hashlib.sha256(data).hexdigest()
    full = {
        "format_version": FORMAT_VERSION,
        **config,
        "weights_file": filename,
        "weights_sha256": sha256,
        "weights_bytes": len(data),
    }
    text = json.dumps(full, indent=2, ensure_ascii=False) + "\n"
    path = folder / filename
    with storage_errors(folder):
        write_together(folder, {filename: data, CONFIG: text.encode()})
    _stamp(path, sha256)
    return WeightsFile(path, sha256, full, str(full.get("source", folder.name)))


def read_weights(folder: Path, source: str, *, expected_sha256: str | None = None, rehash: bool = False) -> WeightsFile:
    """The weights of a folder. The digest is computed once per file, then again only when the file has changed.

    Args:
        expected_sha256: what it must be, whatever the config says.
        rehash: compute it now.

    Raises:
        WeightsError: no such folder, no config, a file that is missing, cut off or not the one the config describes.
    """
    config = read_config(folder)
    path = folder / str(config.get("weights_file", SAFETENSORS))
    stated = config.get("weights_sha256")
    if path.parent != folder or not path.is_file():
        raise WeightsError(f"{folder} has no {path.name}. {_again(source)}")
    size = config.get("weights_bytes")
    if size is not None and path.stat().st_size != size:
        raise WeightsError(f"{path} has {path.stat().st_size:,} bytes instead of {size:,}. {_again(source)}")
    sha256 = None if rehash else _stamped(path)
    if sha256 is None:
        with storage_errors(path):
            sha256 = sha256_of(path)
        if sha256 in {stated, expected_sha256}:
            _stamp(path, sha256)
    for wanted in (stated, expected_sha256):
        if wanted is not None and sha256 != wanted:
            raise WeightsError(f"{path} is not the file that it should be (SHA-256 {sha256[:12]}…). {_again(source)}")
    return WeightsFile(path, sha256, config, source)


def read_config(folder: Path) -> dict[str, Any]:
    """What config.json says.

    Raises:
        WeightsError: it is missing or not a JSON object.
    """
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(
            f"{folder} holds no weights: there is no {CONFIG}. Name a run's folder, or one of the names that "
            "`byteface weights` lists."
        ) from None
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error}). Restore it from where the run came from.") from error
    if not isinstance(config, dict):
        raise WeightsError(f"{path} is not a JSON object. Restore it from where the run came from.")
    return config


def _again(source: str) -> str:
    return f"Run `byteface weights get --force {source}`, or copy the folder again from where it came from."


def _stamped(path: Path) -> str | None:
    """The digest that this very file had when it was checked; None when it was not, or was touched since."""
    try:
        stamp = json.loads((path.parent / _STAMP).read_text(encoding="utf-8"))
        stat = path.stat()
        if (stamp["bytes"], stamp["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns):
            return str(stamp["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None


def _stamp(path: Path, sha256: str) -> None:
    stat = path.stat()
    data = json.dumps({"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}).encode()
    try:
        with replacing(path.parent / _STAMP) as file:
            file.write(data)
    except OSError:
        return  # a read-only models folder works too: it is then checked at every start
