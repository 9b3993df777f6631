"""Accounts in a file of their own, to be kept elsewhere and brought back. Knows no place but two files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from reid.accounts.store import Store

_COLUMNS = {
    "accounts": ("id", "name", "role", "password", "created", "disabled"),
    "keys": ("id", "name", "role", "sha256", "created", "used", "expires"),
}
_NOTED_IN_PASSING = {"used"}


def copy_accounts(source: Path, target: Path) -> int:
    """Accounts and keys row by row into a new file: no logins, and nothing else that the source may hold.

    Returns:
        how many accounts there are.

    Raises:
        AccountError: the source is no file of accounts, or the target cannot be written.
    """
    with closing(Store(source)) as old, closing(Store(target)) as new, old.reading() as found, new.writing() as db:
        for table, columns in _COLUMNS.items():
            rows = found.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id").fetchall()
            marks = ", ".join("?" * len(columns))
            db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        (count,) = db.execute("SELECT count(*) FROM accounts").fetchone()
    return int(count)


def digest_of_accounts(path: Path) -> str:
    """Another one whenever somebody may do more or less than before; empty without a file. Raises: AccountError."""
    if not path.is_file():
        return ""
    with closing(Store(path)) as store:
        return hashlib.sha256(repr(list(_said(store))).encode()).hexdigest()


def _said(store: Store) -> Iterator[Any]:
    with store.reading() as db:
        for table, columns in _COLUMNS.items():
            kept = [name for name in columns if name not in _NOTED_IN_PASSING]
            yield db.execute(f"SELECT {', '.join(kept)} FROM {table} ORDER BY id").fetchall()
