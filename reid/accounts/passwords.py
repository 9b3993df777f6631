"""Passwords: what one must be like, and how it is kept and checked. Knows no accounts."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from reid.errors import AccountError

SHORTEST, LONGEST = 12, 256
"""Letters. Length is what counts (OWASP ASVS 5.0, 6.2); no rule about which letters."""

_AT_ONCE = 2
"""Checks that compute at the same time: each takes 64 MB for a moment."""


class Passwords:
    """argon2id, by default with RFC 9106's parameters for little memory (64 MiB, 3 passes, 4 lanes)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self._nobodys = ""

    def kept(self, password: str, name: str = "") -> str:
        """What is stored of a password. Raises: AccountError where it is none to keep."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise AccountError(
                f"A password has {SHORTEST} to {LONGEST} letters, and this one has {len(password)}. "
                "Choose another; a few words are easy to remember."
            )
        if len(set(password)) < 5 or password.casefold() in {name.casefold() * n for n in range(1, 13) if name}:
            raise AccountError("That password is easily guessed. Choose another; a few words are easy to remember.")
        return self.hashed(password)

    def hashed(self, password: str) -> str:
        """The same of one that was good enough when it was chosen."""
        with self._room:
            return self._hasher.hash(password)

    def matches(self, password: str, kept: str | None) -> bool:
        """Whether it is the one; with nothing kept it takes the same time to say no."""
        if len(password) > LONGEST:
            password = ""  # and no more work than for others
        with self._room:
            if kept is None and not self._nobodys:
                self._nobodys = self._hasher.hash(secrets.token_hex())
            try:
                return self._hasher.verify(self._nobodys if kept is None else kept, password) and kept is not None
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed at another cost than is usual now."""
        return self._hasher.check_needs_rehash(kept)
