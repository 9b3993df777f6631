"""Who is logged in: a random token in the browser, its hash here. Ends with silence, and with a shift."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reid.accounts.keys import hash_of
from reid.accounts.people import ROLES, folded
from reid.accounts.store import Store
from reid.actor import Role

IDLE_S = 2 * 3600.0
"""Silence after which somebody must log in again."""
LONGEST_S = 12 * 3600.0
"""However busy: a shift."""

_NOTED_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody at a browser.

    Attributes:
        name: of the account; empty for somebody from elsewhere.
        role: of the account now; NOBODY for somebody from elsewhere.
        elsewhere: what another provider said about them.
    """

    name: str
    role: Role
    elsewhere: Mapping[str, Any] = field(default_factory=dict)


class Logins:
    """Everybody who is logged in."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, account: str | None = None, elsewhere: Mapping[str, Any] | None = None) -> str:
        """Logs somebody in, by their account or by what another provider said.

        Returns:
            the token for the browser's cookie: always a new one, so none can be foisted on somebody before.
        """
        token, now = secrets.token_urlsafe(32), self._store.clock()
        with self._store.writing() as db:
            _forget_old(db, now)
            db.execute(
                "INSERT INTO logins (sha256, account, elsewhere, created, used) VALUES (?, ?, ?, ?, ?)",
                (
                    hash_of(token),
                    None if account is None else folded(account),
                    None if account is not None else json.dumps(dict(elsewhere or {})),
                    now,
                    now,
                ),
            )
        return token

    def find(self, token: str) -> Login | None:
        """Who is logged in with that token; None where nobody is, or not any more."""
        now, sha256 = self._store.clock(), hash_of(token)
        with self._store.reading() as db:
            row = db.execute(
                "SELECT l.created, l.used, l.elsewhere, a.name, a.role, a.disabled FROM logins l "
                "LEFT JOIN accounts a ON a.id = l.account WHERE l.sha256 = ?",
                (sha256,),
            ).fetchone()
        if row is None:
            return None
        created, used, elsewhere, name, role, disabled = row
        if now - used > IDLE_S or now - created > LONGEST_S or disabled is not None:
            return None
        if now - used >= _NOTED_EVERY_S:
            with self._store.writing() as db:
                db.execute("UPDATE logins SET used = ? WHERE sha256 = ?", (now, sha256))
        if elsewhere is not None:
            return Login("", Role.NOBODY, json.loads(elsewhere))
        return Login(name, ROLES[role])

    def end(self, token: str) -> None:
        """Logs out; nothing where nobody was logged in."""
        with self._store.writing() as db:
            db.execute("DELETE FROM logins WHERE sha256 = ?", (hash_of(token),))


def _forget_old(db: sqlite3.Connection, now: float) -> None:
    db.execute("DELETE FROM logins WHERE used < ? OR created < ?", (now - IDLE_S, now - LONGEST_S))
