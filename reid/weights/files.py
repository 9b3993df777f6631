"""Files that are either whole or not there, their digests, and the lock that keeps two processes apart.

Knows nothing about weights.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import filelock

from reid.errors import WeightsError

log = logging.getLogger(__name__)

PART = ".part"
BLOCK = 1 << 20  # bytes read or written at once
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def sha256_of(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def storage_errors(place: Path) -> Iterator[None]:
    """Turns the system's errors below `place` into one sentence with the way out.

    Raises:
        WeightsError: the disk is full, the folder may not be written, or the disk failed.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            message = (
                f"The disk that holds {place} is full; nothing was left half-made. Free some space and run it again."
            )
        elif error.errno in _FORBIDDEN:
            message = (
                f"{place} cannot be written. Give this user write access to it, or set BYTEFACE_MODELS to a folder."
            )
        else:
            message = (
                f"{place} could not be read or written ({error.strerror or error}). Check the disk and run it again."
            )
        raise WeightsError(message) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when the block ends well, and leaves no trace when it does not.

    Written beside it, flushed to the disk, then renamed: a reader sees the old file or the new one, never a part.
    """
    with ExitStack() as renames, _part_of(path, renames) as file:
        yield file


def write_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes several files of a folder, in their order, or none: each is on the disk before the first is renamed."""
    with ExitStack() as renames:
        for name, data in reversed(list(contents.items())):  # the last one written is the first one renamed
            with _part_of(folder / name, renames) as file:
                file.write(data)


@contextmanager
def _part_of(path: Path, renames: ExitStack) -> Iterator[BinaryIO]:
    """A file beside `path`, on the disk when the block ends; `renames` puts it in place, or removes it on an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PART, dir=path.parent)
    part = Path(name)

    def finish(kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            part.replace(path)
        else:
            part.unlink(missing_ok=True)

    renames.push(finish)
    with os.fdopen(handle, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    part.chmod(0o644)  # mkstemp makes it readable by this user alone


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` when the block ends well, and is removed when it does not."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=PART, dir=folder.parent))
    try:
        yield staging
        staging.chmod(0o755)  # as mkstemp's above
        put_in_place(staging, folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def put_in_place(staging: Path, folder: Path) -> None:
    """Renames `staging` to `folder` on the same disk. One that is there goes only when the new one can come."""
    if not folder.exists():
        staging.rename(folder)
        return
    # a rename cannot replace a folder that holds something
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=PART, dir=folder.parent))
    folder.rename(aside / folder.name)
    try:
        staging.rename(folder)
    except BaseException:
        (aside / folder.name).rename(folder)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Holds the folder's lock: a second process waits here and then finds the work done."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        log.warning("another process is bringing weights to the same folder; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def sweep(folder: Path) -> None:
    """Removes what processes that were killed left half-made in `folder`; to be called with its lock held."""
    for left in folder.glob(f".*{PART}"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def require_space(folder: Path, size: int) -> None:
    """Says before a download that it will not fit.

    Raises:
        WeightsError: fewer than `size` bytes are free below `folder`.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise WeightsError(
            f"{size / 1e6:.0f} MB are needed below {folder} and {free / 1e6:.0f} MB are free. "
            "Free some space, or set BYTEFACE_MODELS to a folder on another disk."
        )


def make_private(folder: Path) -> None:
    """A folder that other users of this machine cannot look into, also where it was there before.

    Raises:
        WeightsError: the disk is full or read-only.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
