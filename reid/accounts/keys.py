"""API keys of programs: random, shown once, only their hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from reid.accounts.people import ROLES, check_free, checked_name, folded
from reid.accounts.store import Store
from reid.actor import Actor, Role
from reid.errors import AccountError

PREFIX = "bf_"
"""By which a leaked one is recognised."""

_NOTED_EVERY_S = 60.0  # the last use is not written at every request
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Key:
    """A program that may ask.

    Attributes:
        created: seconds since 1970, as the other times.
        used: to the minute; None where it never was.
        expires: None for never.
    """

    name: str
    role: Role
    created: float
    used: float | None
    expires: float | None


class Keys:
    """All API keys."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[Key]:
        """By name."""
        with self._store.reading() as db:
            rows = db.execute("SELECT name, role, created, used, expires FROM keys ORDER BY id").fetchall()
        return [Key(name, ROLES[role], *times) for name, role, *times in rows]

    def make(self, name: str, role: Role, days: float | None = None) -> str:
        """A new key.

        Args:
            days: how long it is good for; None for ever.

        Returns:
            the key itself: nobody can read it again.

        Raises:
            AccountError: the name is taken or cannot be one, or the days are none.
        """
        name = checked_name(name)
        if days is not None and not 0 < days <= 36_500:
            raise AccountError(f"{days:g} days is no time for a key. Give it some, or leave --days out.")
        key, now = PREFIX + secrets.token_urlsafe(32), self._store.clock()
        with self._store.writing() as db:
            check_free(db, name)
            db.execute(
                "INSERT INTO keys (id, name, role, sha256, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (folded(name), name, role.name.lower(), hash_of(key), now, now + days * _DAY_S if days else None),
            )
        return key

    def revoke(self, name: str) -> None:
        """From the next request on it opens nothing. Raises: AccountError."""
        with self._store.writing() as db:
            if not db.execute("DELETE FROM keys WHERE id = ?", (folded(name),)).rowcount:
                raise AccountError(f"There is no API key named {name[:60]}. `byteface accounts keys` names them.")

    def actor(self, key: str) -> Actor | None:
        """Who asks with that key; None where it is none, or not any more."""
        now, sha256 = self._store.clock(), hash_of(key)
        with self._store.reading() as db:
            row = db.execute("SELECT name, role, used, expires FROM keys WHERE sha256 = ?", (sha256,)).fetchone()
        if row is None or (row[3] is not None and row[3] <= now):
            return None
        name, role, used, _ = row
        if used is None or now - used >= _NOTED_EVERY_S:
            with self._store.writing() as db:
                db.execute("UPDATE keys SET used = ? WHERE sha256 = ?", (now, sha256))
        return Actor(name, ROLES[role])


def hash_of(token: str) -> str:
    """What is kept of something random."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
