"""Which texts may name an identity. Knows no storage: every backend and the page ask here, so that all say the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from reid.errors import GalleryError
from reid.types import STRANGER

LONGEST_NAME = 200
"""Characters; a name is shown on one line of a card and in one cell of a table."""

# Cc control, Cs half a surrogate pair (cannot be stored as UTF-8), Zl and Zp line and paragraph separators
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
# They turn the text around them: a name could look like another, or run into what stands beside it.
# Right-to-left scripts do not need them, and joiners, which Persian and Indic names need, are not among them.
_DIRECTION_OVERRIDES = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def valid_name(text: str) -> str:
    """The name as it is stored: Unicode NFC, without white space around it. Two that differ by case are two names.

    Raises:
        GalleryError: empty, longer than `LONGEST_NAME`, with control characters, or the label of a stranger.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise GalleryError("A name cannot be empty. Type at least one character.")
    if len(name) > LONGEST_NAME:
        raise GalleryError(f"A name of {len(name)} characters is too long. Use at most {LONGEST_NAME}.")
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        raise GalleryError("A name cannot hold line breaks or control characters. Take them out.")
    if _DIRECTION_OVERRIDES & set(name):
        raise GalleryError("A name cannot hold characters that change the direction of writing. Take them out.")
    if name.replace("\u2019", "'").casefold() == STRANGER.casefold():
        raise GalleryError(f"{name} is the answer for people who are not enrolled. Choose another name.")
    return name


def spelled_like(name: str, names: Iterable[str]) -> list[str]:
    """Those of the names that are this one but for capital letters, sorted."""
    folded = name.casefold()
    return sorted(one for one in names if one.casefold() == folded)
