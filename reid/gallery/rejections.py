"""Rows of what operators said a person is not: that face, that other person. Knows no locks and no search."""

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
        "INSERT OR REPLACE INTO rejections (id, identity_id, source, added_at, embedding) "
        "VALUES (:id, :identity_id, :source, :added_at, seal(:embedding, :id))",
        {
            "id": rejection.id, "identity_id": rejection.identity_id, "source": rejection.source,
            "added_at": rejection.added_at, "embedding": to_blob(rejection.embedding),
        },
    )  # fmt: skip


def merged(db: Database, source_id: str, target_id: str) -> None:
    """Everything said of the source is said of the target from now on."""
    db.execute("UPDATE rejections SET identity_id = ? WHERE identity_id = ?", [target_id, source_id])
    for first_id, second_id in pairs_apart(db):
        if source_id in (first_id, second_id):
            other_id = second_id if first_id == source_id else first_id
            if other_id != target_id:
                set_apart(db, target_id, other_id, apart=True)


def set_apart(db: Database, first_id: str, second_id: str, *, apart: bool) -> None:
    """Remembers that two are two people, or forgets it. Raises: IdentityNotFoundError."""
    for identity_id in (first_id, second_id):
        identity_of(db, identity_id)
    pair = sorted((first_id, second_id))
    if apart:
        db.execute("INSERT OR IGNORE INTO apart (first_id, second_id) VALUES (?, ?)", pair)
    else:
        db.execute("DELETE FROM apart WHERE first_id = ? AND second_id = ?", pair)


def pairs_apart(db: Database) -> set[tuple[str, str]]:
    """All pairs that are two people, the lower id first."""
    return {(row[0], row[1]) for row in db.execute("SELECT first_id, second_id FROM apart").fetchall()}


def of_identities(db: Database, identity_ids: Sequence[str], dim: int) -> list[Rejection]:
    """All of those identities', oldest first."""
    found: list[Sequence[Any]] = []
    for identity_id in dict.fromkeys(identity_ids):
        found += db.execute(
            "SELECT id, identity_id, source, added_at, unseal(embedding, id) FROM rejections WHERE identity_id = ?",
            [identity_id],
        ).fetchall()
    found.sort(key=lambda row: (row[3], row[0]))
    return [Rejection(row[0], row[1], row[2], row[3], from_blob(row[4], dim)) for row in found]
