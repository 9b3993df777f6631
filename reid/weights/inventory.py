"""What weights a models folder holds, and whether each file still is what its config says.

Reads configs; downloads nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reid.errors import WeightsError
from reid.weights.sources import SOURCES, Member, Source
from reid.weights.store import CONFIG, SAFETENSORS, read_config, read_weights


@dataclass(frozen=True, slots=True)
class Entry:
    """One source or run, there or not.

    Attributes:
        name: what `--weights` and `byteface weights get` take.
        present: whether its folder holds weights.
        origin: where the file came from, or would come from.
        size: bytes of the weights file; of the download where it is not there; 0 when nobody knows.
        sha256: of the weights file as its config records it; empty where it is not there.
        notice: what licence and training data mean for whoever uses it.
    """

    name: str
    folder: Path
    present: bool
    title: str
    origin: str
    licence: str
    training_data: str
    notice: str
    size: int
    sha256: str


def inventory(models_dir: Path) -> list[Entry]:
    """Every known source, there or not, then the runs and the downloads from the Hub, by name."""
    known = [_known(source, models_dir / source.name) for source in SOURCES.values()]
    others = [_found(folder) for folder in weight_folders(models_dir) if folder.name not in SOURCES]
    return known + others


def weight_folders(models_dir: Path) -> Iterator[Path]:
    """Folders directly below `models_dir` that hold weights, by name."""
    if models_dir.is_dir():
        for folder in sorted(models_dir.iterdir()):
            if not folder.name.startswith(".") and (folder / CONFIG).is_file():
                yield folder


def check(models_dir: Path) -> list[tuple[str, str | None]]:
    """Computes every digest anew.

    Returns:
        Name of each folder that holds weights, and None or what is wrong with it.
    """
    results: list[tuple[str, str | None]] = []
    for folder in weight_folders(models_dir):
        source = SOURCES.get(folder.name)
        try:
            read_weights(folder, folder.name, expected_sha256=source.sha256 if source else None, rehash=True)
            results.append((folder.name, None))
        except WeightsError as error:
            results.append((folder.name, str(error)))
    return results


def _known(source: Source, folder: Path) -> Entry:
    if (folder / CONFIG).is_file():
        return _found(folder)
    if isinstance(source.origin, Member):
        origin, size = f"{source.origin.archive.filename} of the package index", source.origin.archive.size
    else:
        origin, size = f"{source.origin.url}, its digest pinned on first download (the publisher states none)", 0
    return Entry(source.name, folder, False, source.title, origin, source.licence, source.training_data,
                 source.notice, size, "")  # fmt: skip


def _found(folder: Path) -> Entry:
    try:
        config = read_config(folder)
    except WeightsError as error:
        return Entry(folder.name, folder, False, str(error), "", "", "", "", 0, "")

    def text(key: str) -> str:
        return str(config.get(key) or "")

    pinned = text("origin_pinned")
    origin = text("origin") or (f"fine-tuned from {text('base')}" if text("base") else text("source"))
    path = folder / str(config.get("weights_file", SAFETENSORS))
    return Entry(
        name=folder.name,
        folder=folder,
        present=path.is_file(),
        title=text("title") or text("architecture"),
        origin=f"{origin}, its digest pinned {pinned}" if pinned else origin,
        licence=text("licence"),
        training_data=text("training_data"),
        notice=text("notice"),
        size=path.stat().st_size if path.is_file() else 0,
        sha256=text("weights_sha256"),
    )
