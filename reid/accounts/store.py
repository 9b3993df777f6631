"""The file of accounts: how it is made, opened, locked and explained. Knows its tables, not what they mean."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from reid.errors import AccountError
from reid.transactions import atomic

FILE = "accounts.db"
"""Its name in the data folder."""

_APPLICATION_ID = 0x42466163  # "BFac"
_VERSION = 1
_BUSY_S = 10.0

_TABLES = """
CREATE TABLE accounts (
    id TEXT PRIMARY KEY,            -- the name, folded: two that differ in capitals are one
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT NOT NULL,         -- argon2id, with its own salt and cost
    created REAL NOT NULL,          -- seconds since 1970, as every time here
    disabled REAL
) STRICT;
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,    -- of 256 random bits: nothing to guess, so no slow hash
    created REAL NOT NULL,
    used REAL,
    expires REAL
) STRICT;
CREATE TABLE logins (
    sha256 TEXT PRIMARY KEY,        -- of the cookie
    account TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    elsewhere TEXT,                 -- JSON: who another provider says that this is
    created REAL NOT NULL,
    used REAL NOT NULL,
    CHECK ((account IS NULL) <> (elsewhere IS NULL))
) STRICT;
"""


class Store:
    """One connection and the lock that lets one thread at a time use it; without a file there is nobody in it."""

    def __init__(self, path: Path, clock: Callable[[], float] | None = None) -> None:
        self.path = path
        self.clock = clock or time.time
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Looks. Raises: AccountError."""
        with self._lock, _explained(self.path):
            if self._db is None and not self.path.exists():
                nobody = _empty()
                try:
                    yield nobody
                finally:
                    nobody.close()
            else:
                yield self._opened()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All of the block or none of it. Raises: AccountError."""
        with self._lock, _explained(self.path):
            db = self._opened()
            with atomic(db):
                yield db

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = _open(self.path)
        return self._db


def _empty() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(_TABLES)
    return db


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its other files the same permissions
    db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")
        db.execute("BEGIN IMMEDIATE")
        (made,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if not made and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {_VERSION}")
        elif made != _APPLICATION_ID or version > _VERSION:
            what = "was made by a newer ByteFace" if made == _APPLICATION_ID else "is not a file of accounts"
            raise AccountError(f"{path} {what}. Move it away, or use the ByteFace that it belongs to.")
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL").fetchone()
        db.execute("PRAGMA synchronous = FULL")  # a revoked key stays revoked after a power cut
    except BaseException:
        db.close()
        raise
    return db


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise AccountError(
            f"The accounts in {path} cannot be read or written ({error}). Check the file, its folder and its disk."
        ) from error
    except OSError as error:
        raise AccountError(f"The accounts in {path} cannot be opened ({error.strerror}). Check its folder.") from error
