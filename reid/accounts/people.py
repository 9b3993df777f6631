"""Accounts: names, roles, passwords. There is always somebody who keeps them: the last administrator stays one."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from dataclasses import dataclass

from reid.accounts.passwords import Passwords
from reid.accounts.store import Store
from reid.actor import Role
from reid.errors import AccountError

_NAME = re.compile(r"\w[\w .@-]{0,58}\w|\w")
_RESERVED = {"local", "nobody", "visitor", "byteface"}
"""What the audit log calls whoever has no account, and the program itself."""

ROLES = {role.name.lower(): role for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN)}
"""What an account or a key can be, by its word."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in.

    Attributes:
        created: seconds since 1970.
    """

    name: str
    role: Role
    created: float
    disabled: bool


class People:
    """All accounts."""

    def __init__(self, store: Store, passwords: Passwords) -> None:
        self._store = store
        self._passwords = passwords

    def __len__(self) -> int:
        with self._store.reading() as db:
            return int(db.execute("SELECT count(*) FROM accounts").fetchone()[0])

    def all(self) -> list[Account]:
        """By name."""
        with self._store.reading() as db:
            return [_account(row) for row in db.execute(f"SELECT {_COLUMNS} FROM accounts ORDER BY id")]

    def known(self, name: str) -> str:
        """How an account of that name is written; empty where there is none."""
        with self._store.reading() as db:
            row = db.execute("SELECT name FROM accounts WHERE id = ?", (folded(name),)).fetchone()
        return str(row[0]) if row else ""

    def add(self, name: str, role: Role, password: str) -> Account:
        """A new account.

        Raises:
            AccountError: the name is taken or cannot be one, the password is too short, or the first account is no
                administrator.
        """
        name = checked_name(name)
        kept = self._passwords.kept(password, name)
        with self._store.writing() as db:
            check_free(db, name)
            values = (folded(name), name, role.name.lower(), kept, self._store.clock())
            db.execute("INSERT INTO accounts (id, name, role, password, created) VALUES (?, ?, ?, ?, ?)", values)
            _check_kept(db, "The first account must be an administrator's. Add one with --role admin.")
            return _found(db, name)

    def set_role(self, name: str, role: Role) -> None:
        """Another role from the next request on. Raises: AccountError."""
        self._change(name, "role = ?", role.name.lower())

    def set_password(self, name: str, password: str) -> None:
        """Another password; whoever is logged in with the old one is not any more. Raises: AccountError."""
        self._change(name, "password = ?", self._passwords.kept(password, name), log_out=True)

    def disable(self, name: str, *, disabled: bool = True) -> None:
        """Nobody can log in with it, and who is logged in is not any more. Raises: AccountError."""
        self._change(name, "disabled = ?", self._store.clock() if disabled else None, log_out=disabled)

    def remove(self, name: str) -> None:
        """Its name stays in the audit log alone. Raises: AccountError."""
        with self._store.writing() as db:
            _found(db, name)
            db.execute("DELETE FROM accounts WHERE id = ?", (folded(name),))
            _check_kept(db)

    def check(self, name: str, password: str) -> Account | None:
        """The account of that name and password; takes as long where there is none."""
        with self._store.reading() as db:
            row = db.execute(
                f"SELECT {_COLUMNS}, password FROM accounts WHERE id = ? AND disabled IS NULL", (folded(name),)
            ).fetchone()
        kept = row[-1] if row else None
        if not self._passwords.matches(password, kept) or kept is None:
            return None
        if self._passwords.is_outdated(kept):
            again = self._passwords.hashed(password)
            with self._store.writing() as db:
                db.execute("UPDATE accounts SET password = ? WHERE id = ?", (again, folded(name)))
        return _account(row)

    def _change(self, name: str, what: str, value: object, *, log_out: bool = False) -> None:
        with self._store.writing() as db:
            _found(db, name)
            db.execute(f"UPDATE accounts SET {what} WHERE id = ?", (value, folded(name)))
            _check_kept(db)
            if log_out:
                db.execute("DELETE FROM logins WHERE account = ?", (folded(name),))


_COLUMNS = "name, role, created, disabled"


def folded(name: str) -> str:
    """What two spellings of one name have in common."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def checked_name(name: str) -> str:
    """A name as it is kept. Raises: AccountError where it cannot be one."""
    name = unicodedata.normalize("NFC", name).strip()
    if not _NAME.fullmatch(name) or folded(name) in _RESERVED:
        raise AccountError(
            f"{name[:60]!r} cannot be a name here. Use up to 60 letters, digits, spaces, dots, hyphens and @."
        )
    return name


def check_free(db: sqlite3.Connection, name: str) -> None:
    """Accounts and keys have names of their own, so that the audit log can tell them apart. Raises: AccountError."""
    for table, what in (("accounts", "An account"), ("keys", "An API key")):
        if db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (folded(name),)).fetchone():
            raise AccountError(f"{what} named {name} exists already. Choose another name.")


def _found(db: sqlite3.Connection, name: str) -> Account:
    row = db.execute(f"SELECT {_COLUMNS} FROM accounts WHERE id = ?", (folded(name),)).fetchone()
    if row is None:
        raise AccountError(f"There is no account named {name[:60]}. `byteface accounts list` names them.")
    return _account(row)


def _check_kept(db: sqlite3.Connection, words: str = "") -> None:
    admins = db.execute("SELECT 1 FROM accounts WHERE role = 'admin' AND disabled IS NULL").fetchone()
    if not admins:
        raise AccountError(
            words or "This is the last administrator, and somebody must keep the accounts. Add another one first."
        )


def _account(row: tuple[str, str, float, float | None]) -> Account:
    name, role, created, disabled = row[:4]
    return Account(name, ROLES[role], created, disabled is not None)
