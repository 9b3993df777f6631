"""Rows of what operators said a person is not. Knows no locks and no search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from reid.gallery.rows import from_blob, identity_of, to_blob
from reid.types import Rejection


def store(db: Database, rejection: Rejection) -> None:
    """Adds one or replaces the one with its id. Raises: IdentityNotFoundError."""
    identity_of(db, rejection.identity_id)
    db.execute(
        "INSERT OR REPLACE INTO rejections (id, identity_id, source, added_at, embedding) VALUES (?, ?, ?, ?, ?)",
        [rejection.id, rejection.identity_id, rejection.source, rejection.added_at, to_blob(rejection.embedding)],
    )


def of_identities(db: Database, identity_ids: Sequence[str], dim: int) -> list[Rejection]:
    """All of those identities', oldest first."""
    found: list[Sequence[Any]] = []
    for identity_id in dict.fromkeys(identity_ids):
        found += db.execute(
            "SELECT id, identity_id, source, added_at, embedding FROM rejections WHERE identity_id = ?", [identity_id]
        ).fetchall()
    found.sort(key=lambda row: (row[3], row[0]))
    return [Rejection(row[0], row[1], row[2], row[3], from_blob(row[4], dim)) for row in found]
