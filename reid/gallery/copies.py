"""Copies of a SQLite gallery while others use it: one beside it, or one in the place of what it holds.

Knows SQLite's own ways to copy; what a gallery holds is none of its business.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from reid.errors import GalleryError
from reid.gallery.connection import BUSY_S, explained, open_for_reading

PART = ".part"


def snapshot(gallery: Path, target: Path) -> None:
    """The committed state of a gallery as a database of its own, without the room that erased content leaves.

    Raises:
        GalleryError: the gallery cannot be read, or there is no room; `target` is then as it was.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}{PART}")
    link = open_for_reading(gallery)
    try:
        with writing(target), explained(gallery):
            part.unlink(missing_ok=True)
            part.touch(mode=0o600)  # SQLite writes into an empty file and leaves its permissions alone
            link.db.execute("VACUUM INTO ?", [str(part)])
            part.replace(target)
    finally:
        link.close()
        part.unlink(missing_ok=True)


def keep_beside(gallery: Path) -> Path:
    """A snapshot named after the moment, for whoever replaces what the gallery holds. Raises: GalleryError."""
    moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    number = 0
    while (kept := gallery.with_name(f"{gallery.stem}.before-{moment}{f'-{number}' if number else ''}.db")).exists():
        number += 1
    snapshot(gallery, kept)
    return kept


def replace_content(gallery: Path, source: Path) -> None:
    """Puts everything of `source` in the place of everything that `gallery` holds, in one transaction.

    Other connections, of this process and of others, see the one or the other and go on working; a file that was
    swapped under them would leave them with a log that belongs to neither.

    Args:
        source: a gallery of this version that nobody else uses; its revision is raised above the other's.

    Raises:
        GalleryError: another process writes all the time, or the disk is full; the gallery is as it was.
    """
    give_up = time.monotonic() + BUSY_S

    def waited(status: int, _remaining: int, _total: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() > give_up:
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorcode = status
            raise busy

    with explained(gallery), contextlib.closing(sqlite3.connect(gallery, timeout=BUSY_S)) as target:
        target.execute("PRAGMA secure_delete = ON")
        target.execute("PRAGMA synchronous = FULL")
        with contextlib.closing(sqlite3.connect(source)) as content:
            # every cache of templates goes by the revision, and must see that all of it is new
            row = target.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
            _raise_revision(content, int(row[0]) if row else 0)
            _same_page_size(content, target)
            content.backup(target, pages=-1, progress=waited, sleep=0.05)
        # what was there before would stay in the write-ahead log until the next change
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _raise_revision(content: sqlite3.Connection, above: int) -> None:
    # others may write until the copy begins: a margin that no enrolment reaches in that time
    (own,) = content.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
    revision = max(int(own), above) + 1_000_000
    content.execute("UPDATE meta SET value = ? WHERE key = 'revision'", [str(revision)])
    content.execute("UPDATE identities SET revision = ?", [revision])
    content.commit()


def _same_page_size(content: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """SQLite copies page by page into a file that has a write-ahead log, and so only pages of the same size."""
    (own,), (wanted,) = (each.execute("PRAGMA page_size").fetchone() for each in (content, target))
    if own != wanted:
        content.execute("PRAGMA journal_mode = DELETE").fetchall()
        content.execute(f"PRAGMA page_size = {int(wanted)}")
        content.execute("VACUUM")


@contextlib.contextmanager
def writing(place: Path) -> Iterator[None]:
    """Says in words that a disk is full or read-only. Raises: GalleryError."""
    try:
        yield
    except OSError as error:
        raise GalleryError(
            f"{place} cannot be written ({error.strerror or error}). Make room, or name another place."
        ) from error
