"""SQLite files: one that is only read, and one transaction, all of a block or none of it.

Knows no tables and no errors in words.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path


def open_to_read(file: Path, *, busy_s: float = 5.0) -> sqlite3.Connection:
    """A connection that writes nothing and makes no file. Raises: sqlite3.Error.

    Args:
        busy_s: how long it waits for another's write.
    """
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=busy_s)


@contextlib.contextmanager
def atomic(connection: sqlite3.Connection, *, write: bool = True) -> Iterator[None]:
    """Begins, and commits when the block is over; whatever the block or the commit raises takes everything back.

    Args:
        connection: in autocommit (`isolation_level=None`).
        write: takes the right to write at once, so that the block cannot fail half-way for want of it.
    """
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have ended it already
            connection.execute("ROLLBACK")
        raise
