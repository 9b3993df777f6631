"""What a gallery's file holds of faces, unreadable without a key: crops, landmarks, embeddings, templates.

Statements say `seal(?, id)` and `unseal(column, id)`; without a key both hand the value through. Names and records stay
readable: whoever must hide those uses an encrypted disk. AES-256-GCM (NIST SP 800-38D), a fresh nonce for each value,
bound to the row's id, so that two rows' values cannot be exchanged.
"""

from __future__ import annotations

import base64
import binascii
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from reid.errors import GalleryError, SettingsError

META = "sealed"
"""Key in `meta` of a gallery that is sealed: a constant, sealed, by which the right key is known."""

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_CONSTANT, _CONSTANT_ID = b"byteface", "key"

_used: bytes | None = None


def new_key() -> str:
    """A random key as text, for an environment variable or a file."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def read_key(text: str, where: str) -> bytes:
    """The key that `new_key` made.

    Raises:
        SettingsError: it is none.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(f"{where} holds no key. Make one with `byteface encrypt --make-key FILE`.")
    return key


def read_key_file(path: Path) -> bytes:
    """As `read_key`. Raises: SettingsError."""
    try:
        return read_key(path.read_text(encoding="ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The key file {path} cannot be read. Check its place and permissions.") from error


def key_of(env: Mapping[str, str]) -> bytes | None:
    """The key that this process is given, or none. Raises: SettingsError."""
    text, file = env.get("BYTEFACE_KEY"), env.get("BYTEFACE_KEY_FILE")
    if text and file:
        raise SettingsError("BYTEFACE_KEY and BYTEFACE_KEY_FILE are both set. Keep one of them.")
    if text:
        return read_key(text, "BYTEFACE_KEY")
    return read_key_file(Path(file).expanduser()) if file else None


def use_key_of(env: Mapping[str, str]) -> None:
    """As `use_key`, with the key that the environment gives. Raises: SettingsError."""
    use_key(key_of(env))


def use_key(key: bytes | None) -> None:
    """Says, once and at the start, with which key this process opens galleries and makes new ones."""
    global _used  # of the process, as its environment is
    _used = key


class Sealing:
    """What `seal` and `unseal` do on one connection; nothing until `open` or `begin` was called."""

    def __init__(self) -> None:
        self._cipher: AESGCM | None = None
        self.check: str | None = None  # the gallery's own META

    def install(self, connection: sqlite3.Connection) -> None:
        """Gives a connection the two functions."""
        connection.create_function("seal", 2, self.seal)
        connection.create_function("unseal", 2, self.unseal)

    def open(self, check: str | None, path: Path, key: bytes | None = None) -> None:
        """Takes over what a gallery says of itself.

        Args:
            check: its META; None where it is not sealed.
            key: what it is sealed with; the process's own where none is named.

        Raises:
            GalleryError: it is sealed, and this process has no key or another one.
        """
        if check is None:
            self._cipher, self.check = None, None
            return
        key = key or _used
        if key is None:
            raise GalleryError(f"The gallery {path} is encrypted. Give its key with BYTEFACE_KEY_FILE or BYTEFACE_KEY.")
        if not opens(key, check):
            raise GalleryError(f"The gallery {path} is encrypted with another key. Give the one that it was made with.")
        self._cipher, self.check = AESGCM(key), check

    def begin(self, key: bytes | None = None) -> str | None:
        """Seals from now on with a key, the process's own where none is named; what to keep as META, None without."""
        key = key or _used
        self._cipher = AESGCM(key) if key else None
        self.check = base64.b64encode(self.seal(_CONSTANT, _CONSTANT_ID)).decode() if key else None
        return self.check

    def seal(self, value: bytes, row_id: str) -> bytes:
        if self._cipher is None:
            return value
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, row_id.encode())

    def unseal(self, value: bytes, row_id: str) -> bytes:
        """Raises, which SQLite passes on as an error of the statement, where it was altered."""
        if self._cipher is None:
            return value
        return self._cipher.decrypt(value[:_NONCE_BYTES], value[_NONCE_BYTES:], row_id.encode())


def opens(key: bytes, check: str) -> bool:
    """Whether a key is the one of a gallery with that META."""
    try:
        sealed = base64.b64decode(check, validate=True)
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _CONSTANT_ID.encode()) == _CONSTANT
    except (InvalidTag, ValueError):
        return False
