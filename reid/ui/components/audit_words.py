"""The audit log's words for people: what was done, and the gist of a row. Knows rows, no page."""

from __future__ import annotations

from typing import Any

from reid.audit.rows import Row
from reid.ui.text import count, decimal, t

ACTIONS = {
    "search": "Search", "live": "Live search", "verify": "Verification", "compare": "Resemblance shown",
    "verdict": "Verdict", "consult": "Person looked at", "disclose": "Taken away", "export": "Export",
    "enrol": "Enrolment", "import": "Import", "rename": "Renamed", "edit": "Record changed", "merge": "Merged",
    "move": "Photographs moved", "reject": "Not this person", "withdraw": "Answer taken back", "apart": "Two people",
    "erase": "Erasure", "erase_photos": "Photographs erased", "expire": "Time over, erased", "renew": "Renewed",
    "keep": "Stranger kept", "ignore": "Stranger ignored", "erase_strangers": "Strangers erased",
    "threshold": "Threshold", "calibrate": "Calibration", "setting": "Setting", "restore": "Backup restored",
    "vouch": "Same person",
    "create_gallery": "New gallery", "reembed": "Brought to other weights", "build": "Gallery built",
    "erase_copies": "Old copies removed", "account": "Account", "migrate": "Gallery moved", "log": "The log begins",
}  # fmt: skip
"""One word of the log -> what it is called on the page."""

_PHASES = {"failed": "failed", "refused": "refused", "going": "goes on", "begun": "begun"}
_VERDICTS = {
    "candidate": "Potential candidate",
    "stranger": "No candidate",
    "inconclusive": "Inconclusive",
    "unsuitable": "Unsuitable image",
    "unsearched": "Not searched",
}


def action_words(row: Row) -> str:
    """What was done, and how it ended where it did not end well."""
    words = t(ACTIONS.get(row.action, row.action))
    return f"{words}, {t(_PHASES[row.phase])}" if row.phase in _PHASES else words


def gist(row: Row) -> str:
    """The few facts that somebody looks for; all of them are in the table that is taken away."""
    facts = row.facts
    parts = [one for one in (_faces(facts), _threshold(row.action, facts), _verdict(facts), _things(facts)) if one]
    if facts.get("recipient"):
        parts.append(t("for {name}", name=facts["recipient"]))
    if facts.get("expires"):
        parts.append(t("held through {day}", day=facts["expires"]))
    return ", ".join(parts)


def _faces(facts: dict[str, Any]) -> str:
    faces = facts.get("faces")
    return count(faces, "face", "faces") if isinstance(faces, int) else ""


def _threshold(action: str, facts: dict[str, Any]) -> str:
    if action == "threshold" and facts.get("value") is not None:
        before = facts.get("before")
        return f"{decimal(before)} → {decimal(facts['value'])}" if before is not None else decimal(facts["value"])
    if isinstance(facts.get("threshold"), float):
        return t("threshold {value}", value=decimal(facts["threshold"]))
    return ""


def _verdict(facts: dict[str, Any]) -> str:
    words = _VERDICTS.get(str(facts.get("verdict") or facts.get("decision") or ""))
    if not words:
        return ""
    return t("{verdict}, taken back", verdict=t(words)) if facts.get("taken_back") else t(words)


def _things(facts: dict[str, Any]) -> str:
    photos = facts.get("photos") or facts.get("photographs")
    number = len(photos) if isinstance(photos, list) else photos
    return count(number, "photograph", "photographs") if isinstance(number, int) and number else ""
