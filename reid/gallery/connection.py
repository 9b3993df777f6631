"""How a SQLite gallery is opened and locked, and SQLite's errors in words. Knows no tables but SQLite's own."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from sqlite_utils import Database

from reid.errors import GalleryError
from reid.gallery.sealing import Sealing
from reid.transactions import atomic

BUSY_S = 10.0
"""How long one process waits for another's write before it gives up."""

Mode = Literal["rw", "ro", "immutable"]

_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


class Link:
    """One connection and the lock that lets one thread at a time use it.

    A connection made in one thread is refused in another by default; here the lock makes sharing safe. Threads of a
    web server come and go, so a connection each would pile up.
    """

    def __init__(self, path: Path, mode: Mode) -> None:
        """Opens the file. Raises: GalleryError."""
        self.path = path
        self.mode: Mode = mode
        self.guard: Callable[[Database], None] | None = None  # looks at every transaction's state before its work
        self.sealing = Sealing()
        self._lock = threading.RLock()
        query = "immutable=1" if mode == "immutable" else f"mode={mode}"
        with explained(path):
            connection = sqlite3.connect(
                f"{path.as_uri()}?{query}", uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            self.sealing.install(connection)
            self.db = Database(connection, execute_plugins=False)
            self.db.execute("PRAGMA foreign_keys = ON")
            # Erased content is overwritten with zeros in the file, not just forgotten
            self.db.execute("PRAGMA secure_delete = ON")

    @contextlib.contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[Database]:
        """All of the block or none of it; reads inside it see one state of the gallery.

        Raises:
            GalleryError: in words what SQLite says.
        """
        with self._lock, explained(self.path), atomic(self.db.conn, write=write):
            if self.guard:
                self.guard(self.db)
            yield self.db

    def checkpoint(self) -> bool:
        """Empties the write-ahead log, so that only the database file holds content.

        Returns:
            False where it cannot be done now: another process reads or writes all the time, or the disk is full. What
            was committed is committed all the same.
        """
        with self._lock:
            try:
                busy, _, _ = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError:
                return False
            return not busy

    def prepare_for_writing(self) -> None:
        """Readers and one writer at a time do not wait for each other; what was committed survives a power cut.

        The switch to a write-ahead log needs the file for itself and SQLite does not wait for it by itself, so two
        processes that make one gallery together are waited for here. It is kept in the file: once is enough.
        """
        give_up = time.monotonic() + BUSY_S
        with self._lock, explained(self.path):
            # NORMAL could lose the last commits in a power cut: an enrolment that was confirmed, or an erasure that
            # comes back. FULL costs one fsync a transaction, and an enrolment is one transaction
            self.db.execute("PRAGMA synchronous = FULL")
            while True:
                try:
                    self.db.execute("PRAGMA journal_mode = WAL").fetchone()
                    return
                except sqlite3.OperationalError as error:
                    if _primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                        raise
                time.sleep(0.02)

    def close(self) -> None:
        with self._lock:
            self.db.close()


def open_for_reading(path: Path) -> Link:
    """A connection that never writes, also where nothing can be written.

    A write-ahead-logged database wants two files beside it. Where they cannot be made (read-only file system), the file
    is opened as one that nobody changes; that is only right while no log with newer content lies beside it.

    Raises:
        GalleryError: unreadable, not a database, or its log cannot be read here.
    """
    link = Link(path, "ro")
    try:
        link.db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.Error as error:
        link.close()
        if _primary(error) not in _UNWRITABLE:
            raise _in_words(error, path) from error
    else:
        return link
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise GalleryError(
            f"The gallery {path} was not closed and cannot be completed on read-only storage. "
            "Open it once where it can be written, or copy it together with its -wal file."
        )
    return Link(path, "immutable")


def is_writable(link: Link) -> bool:
    """Whether a write transaction can start. Raises: GalleryError when the file is damaged or always busy."""
    try:
        link.db.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        if _primary(error) in _UNWRITABLE:
            return False
        raise _in_words(error, link.path) from error
    link.db.execute("ROLLBACK")
    return True


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into one sentence of what happened and one of what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _in_words(error, path) from error
    except UnicodeEncodeError as error:
        raise GalleryError("A name or an id holds half a character, which cannot be stored. Type it again.") from error


def _primary(error: sqlite3.Error) -> int:
    """The result code without its extension: https://www.sqlite.org/rescode.html."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _in_words(error: sqlite3.Error, path: Path) -> GalleryError:
    sentences = {
        sqlite3.SQLITE_FULL: "has no room left on its disk. Nothing was changed; make room and try again.",
        sqlite3.SQLITE_READONLY: "cannot be written. Nothing was changed; check its permissions and its folder's.",
        sqlite3.SQLITE_BUSY: "is being written by another process. Nothing was changed; try again in a moment.",
        sqlite3.SQLITE_LOCKED: "is being written by another process. Nothing was changed; try again in a moment.",
        sqlite3.SQLITE_NOTADB: "is not a gallery: the file is no SQLite database. Name another file.",
        sqlite3.SQLITE_CORRUPT: "is damaged. Restore it from a backup, or run `byteface build-gallery` again.",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened. Check its permissions and its folder's.",
        sqlite3.SQLITE_PERM: "cannot be opened. Check its permissions and its folder's.",
        sqlite3.SQLITE_IOERR: f"could not be read or written ({error}). Check its disk.",
    }
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return GalleryError(f"The gallery {path} was closed. Open it again.")
    if "user-defined function" in str(error):  # `unseal`: there is no other
        return GalleryError(f"The gallery {path} holds a face that was altered. Restore it from a backup.")
    return GalleryError(
        f"The gallery {path} " + sentences.get(_primary(error), f"cannot do that ({error}). Check the file.")
    )
