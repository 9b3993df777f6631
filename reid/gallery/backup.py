"""A whole gallery as one file and back: a zip of `manifest.json` and `gallery.db`, nothing compressed, no pickle.

The manifest states the format's version and the size and SHA-256 of every other member. Everything that the gallery
holds is in its database: people with their ids, photographs, crops, embeddings, records, covers, rejections, kept
strangers, calibration.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from reid.errors import EmbeddingSpaceError, GalleryError
from reid.gallery.connection import explained
from reid.gallery.copies import keep_beside, replace_content, snapshot, writing
from reid.gallery.inspection import make_current
from reid.gallery.resealing import reseal, sealed_with
from reid.gallery.sealing import Sealing
from reid.transactions import open_to_read
from reid.weights.files import sha256_of

SUFFIX = ".byteface"
FORMAT = "byteface-gallery"
VERSION = 1
_MANIFEST, _DATABASE = "manifest.json", "gallery.db"
_MANIFEST_LIMIT = 1 << 20
_BLOCK = 1 << 20
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EIO}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup says of itself.

    Attributes:
        made_at: ISO 8601, UTC.
        size: bytes of its database.
        sha256: of its database.
    """

    space_id: str
    people: int
    photographs: int
    made_at: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; `kept` is where the gallery of before lies, None where there was none.

    Attributes:
        forgotten: photographs that were in the backup and are not restored.
    """

    contents: Contents
    kept: Path | None
    forgotten: int = 0


def file_of(url: str) -> Path:
    """The file of a gallery's address. Raises: GalleryError where the gallery is no SQLite file."""
    scheme, _, rest = url.partition(":")
    if url.lower().endswith(".npy") or (rest and len(scheme) > 1 and scheme != "sqlite"):
        way = "Bring it into one with `byteface migrate`." if scheme == "milvus" else "Copy the file itself instead."
        raise GalleryError(f"{url} is not a .db gallery, so it is neither exported nor restored here. {way}")
    return Path(url.removeprefix("sqlite:")).expanduser().resolve()


def export_gallery(url: str, target: Path) -> Contents:
    """Writes a gallery, as it is at this moment, into one file; others may go on using it.

    Raises:
        GalleryError: there is no such gallery, or no room; `target` is then as it was.
    """
    gallery = file_of(url)
    if not gallery.is_file() or not gallery.stat().st_size:
        raise GalleryError(f"There is no gallery at {gallery}. Check --gallery.")
    if target.resolve() == gallery:
        raise GalleryError(f"{target} is the gallery itself. Name another file for the backup.")
    with _staging(target) as folder:
        database = folder / _DATABASE
        snapshot(gallery, database)
        contents = _measure(database)
        part = folder / "whole"
        part.touch(mode=0o600)
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_MANIFEST, json.dumps(_manifest(contents), indent=1))
            archive.write(database, _DATABASE)
        _sync(part)
        part.replace(target)
    return contents


def _manifest(contents: Contents) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": contents.made_at,
        "space": contents.space_id,
        "people": contents.people,
        "photographs": contents.photographs,
        "files": {_DATABASE: {"bytes": contents.size, "sha256": contents.sha256}},
    }


def _measure(database: Path) -> Contents:
    with explained(database), contextlib.closing(open_to_read(database)) as db:
        people, photographs, space_id = db.execute(
            "SELECT (SELECT count(*) FROM identities), (SELECT count(*) FROM photos), "
            "(SELECT value FROM meta WHERE key = 'space_id')"
        ).fetchone()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Contents(str(space_id), int(people), int(photographs), now, database.stat().st_size, sha256_of(database))


Forget = Callable[[Path], int]
"""Takes out of a database what must not come back; returns how many photographs that were."""


def restore_gallery(
    file: Path, url: str, *, replace: bool = False, space_id: str | None = None, forget: Forget | None = None
) -> Restored:
    """Makes a gallery of a backup. Everything is checked in a file beside it before anything is put in its place.

    Args:
        file: what `export_gallery` wrote.
        url: where the gallery comes to be.
        replace: whether it may take the place of what is there; that is kept beside it.
        space_id: refuse a backup of another embedding space.
        forget: called with the checked database before it takes its place.

    Raises:
        EmbeddingSpaceError: its faces cannot be compared with those of `space_id`, or of the gallery that is there.
        GalleryError: it is damaged, newer or made to do harm, or a gallery is there; nothing was changed.
    """
    target = file_of(url)
    there = target.is_file() and target.stat().st_size > 0
    if there and not replace:
        raise GalleryError(
            f"There is a gallery at {target} already. Name another file, or add --replace: it is then kept beside it."
        )
    with _staging(target) as folder:
        database = folder / _DATABASE
        stated = _unpack(file, database)
        make_current(database, Path(file.name))
        forgotten = forget(database) if forget else 0
        _seal_as(target if there else None, database)
        found = _measure(database)
        wanted = space_id or (_measure(target).space_id if there else None)
        if wanted is not None and found.space_id != wanted:
            raise EmbeddingSpaceError(
                f"{file.name} holds faces of the space {found.space_id}, not {wanted}; they cannot be compared. "
                "Restore it as a gallery of its own: byteface restore."
            )
        contents = Contents(found.space_id, found.people, found.photographs, stated.made_at, found.size, stated.sha256)
        if not there:
            _sync(database)
            database.replace(target)
            return Restored(contents, None, forgotten)
        kept = keep_beside(target)
        replace_content(target, database)
    return Restored(contents, kept, forgotten)


def _seal_as(target: Path | None, database: Path) -> None:
    """Gives a checked database the key of the gallery whose place it takes; of this process where there is none."""
    wanted = Sealing()
    if target is None:
        wanted.begin()
    else:
        wanted.open(sealed_with(target), target)
    if sealed_with(database) != wanted.check:
        reseal(database, wanted)


def take_back(url: str, kept: Path, *, forget: Forget | None = None) -> None:
    """Puts what was kept beside a gallery in its place again. Raises: GalleryError."""
    target = file_of(url)
    with _staging(target) as folder:
        snapshot(kept, folder / _DATABASE)  # the copy is changed on the way, the kept file is not
        if forget:
            forget(folder / _DATABASE)
        _seal_as(target, folder / _DATABASE)
        replace_content(target, folder / _DATABASE)


def _unpack(file: Path, target: Path) -> Contents:
    """The database of a backup, with the size and digest that its manifest states."""
    if not file.is_file():
        raise GalleryError(f"There is no file {file}. Give the one that `byteface export` wrote.")
    try:
        with zipfile.ZipFile(file) as archive:
            contents = _read_manifest(archive, file)
            if shutil.disk_usage(target.parent).free < contents.size:
                raise GalleryError(f"{contents.size / 1e6:,.0f} MB are needed beside {target.parent}. Make room there.")
            target.touch(mode=0o600)
            with archive.open(_DATABASE) as content, target.open("wb") as out:
                digest = _copy(content, out)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise  # the disk's fault, not the file's
        raise _damaged(file, "it is no backup, or is cut off") from error
    if digest != contents.sha256:
        raise _damaged(file, "its content has another SHA-256 than it states")
    return contents


def _sync(file: Path) -> None:
    """On the disk before its name is: a power cut leaves the old file or the whole new one."""
    with file.open("rb+") as written:
        os.fsync(written.fileno())


def _copy(content: IO[bytes], out: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(_BLOCK):
        digest.update(block)
        out.write(block)
    return digest.hexdigest()


def _read_manifest(archive: zipfile.ZipFile, file: Path) -> Contents:
    members = {one.filename: one for one in archive.infolist()}
    first = members.get(_MANIFEST)
    if first is None or first.file_size > _MANIFEST_LIMIT or first.compress_type != zipfile.ZIP_STORED:
        raise _damaged(file, "it does not say what it holds")
    manifest: Any = json.loads(archive.read(_MANIFEST))
    try:
        if manifest["format"] != FORMAT:
            raise _damaged(file, "it is of another format")
        if int(manifest["version"]) > VERSION:
            raise GalleryError(f"{file.name} was made by a newer version of ByteFace. Update ByteFace to restore it.")
        ((name, stated),) = manifest["files"].items()
        contents = Contents(
            str(manifest["space"]), int(manifest["people"]), int(manifest["photographs"]), str(manifest["made_at"]),
            int(stated["bytes"]), str(stated["sha256"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(file, "what it says of itself cannot be read") from error
    member = members.get(_DATABASE)
    if name != _DATABASE or set(members) != {_MANIFEST, _DATABASE} or len(archive.infolist()) != 2 or member is None:
        raise _damaged(file, "it holds other files than it states")
    # stored as it is, so it cannot unpack to more than the file that came
    if (
        member.compress_type != zipfile.ZIP_STORED
        or member.file_size != contents.size
        or contents.size > file.stat().st_size
    ):
        raise _damaged(file, "its content is not as it states")
    return contents


@contextlib.contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """A private folder beside the target, on its disk, that leaves nothing behind."""
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", suffix=".part", dir=target.parent) as name:
            yield Path(name)


def _damaged(file: Path, why: str) -> GalleryError:
    return GalleryError(f"{file.name} is not restored: {why}. Nothing was changed; take another copy of it.")
