"""One SQLite transaction: all of a block or none of it. Knows no tables and no errors in words."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator


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
