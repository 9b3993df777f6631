"""Words of the page in the reader's language. Keys are the English sentences, so the code reads as the page does.

Knows the catalogues and nothing of what is said with them. A sentence that a catalogue lacks stays English.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "de")
_FOLDER = Path(__file__).with_name("languages")
_language: ContextVar[str] = ContextVar("byteface_language", default="en")


def use_language(accepted: str | None) -> None:
    """Chooses for this handler's thread, from the browser's `Accept-Language`."""
    _language.set(language_of(accepted))


def language() -> str:
    """The one that was chosen."""
    return _language.get()


def language_of(accepted: str | None) -> str:
    """The first language of an `Accept-Language` header that there is a catalogue for; English without one."""
    for entry in (accepted or "").split(","):
        language = entry.split(";")[0].strip().lower().split("-")[0]
        if language in LANGUAGES:
            return language
    return "en"


@cache
def catalogue(language: str) -> dict[str, str]:
    """English sentence -> sentence of that language; empty for English."""
    path = _FOLDER / f"{language}.json"
    if language == "en" or not path.exists():
        return {}
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def t(sentence: str, **values: object) -> str:
    """A sentence with its values filled in. The result is text, not HTML: whoever puts it on a page escapes it."""
    translated = catalogue(_language.get()).get(sentence, sentence)
    return translated.format(**values) if values else translated


def count(number: int, one: str, many: str) -> str:
    """`3 photographs`: the number with the noun that goes with it."""
    return f"{number_text(number)} {t(one if number == 1 else many)}"


def number_text(number: int) -> str:
    """Thousands apart: 12,400, in German 12.400."""
    text = f"{number:,}"
    return text.replace(",", ".") if _language.get() == "de" else text


def decimal(value: float, digits: int = 2) -> str:
    """A similarity or a threshold: 0.46, in German 0,46."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = f"{0:.{digits}f}"  # no -0.00
    return text.replace(".", ",") if _language.get() == "de" else text


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(moment: str) -> str:
    """`2026-06-14T…` -> `14 Jun 2026`; what is no date comes back as it is."""
    try:
        when = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{when.day} {t(_MONTHS[when.month - 1])} {when.year}"


def short_day(moment: str) -> str:
    """`Today`, `14 Jun`, or `14 Jun 2025` where that is another year, on this machine's clock."""
    when, now = datetime.fromisoformat(moment).astimezone(), datetime.now().astimezone()
    if when.date() == now.date():
        return t("Today")
    words = f"{when.day} {t(_MONTHS[when.month - 1])}"
    return words if when.year == now.year else f"{words} {when.year}"
