"""Who has an account or a key, and who is logged in: one small SQLite file. Knows roles, no web and no gallery."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reid.accounts.keys import Key, Keys
from reid.accounts.logins import Login, Logins
from reid.accounts.passwords import Passwords
from reid.accounts.people import Account, People
from reid.accounts.store import FILE, Store
from reid.accounts.throttle import Buckets, Throttle

__all__ = ["FILE", "Account", "Accounts", "Buckets", "Key", "Keys", "Login", "Logins", "People", "Throttle"]


class Accounts:
    """Everything of one file. Safe for several threads and processes.

    Attributes:
        people: accounts with their passwords.
        keys: API keys of programs.
        logins: who is logged in at a browser.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float] | None = None, passwords: Passwords | None = None
    ) -> None:
        """
        Args:
            path: of the file; made by the first write.
            clock: seconds since 1970; None for this machine's.
            passwords: how they are hashed; None for the usual cost.
        """
        self._store = Store(path, clock)
        self.people = People(self._store, passwords or Passwords())
        self.keys = Keys(self._store)
        self.logins = Logins(self._store)

    @property
    def any(self) -> bool:
        """Whether somebody has an account; asked at every request."""
        return self._store.path.exists() and len(self.people) > 0

    def close(self) -> None:
        """Lets the file go."""
        self._store.close()
