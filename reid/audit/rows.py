"""What the audit log writes down, and the digest that chains each row to the one before. Knows no file and no gallery.

No pictures, embeddings, names or file names: opaque ids, counts, SHA-256 of inputs, and the purpose as it was typed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Phase = Literal["begun", "going", "done", "failed", "refused"]
"""A change has two rows, `begun` before it and `done` or `failed` after; what changes nothing has one, at its end."""

COLUMNS = (
    "seq", "started_at", "at", "actor", "role", "action", "phase", "gallery", "revision", "space", "subjects",
    "details", "purpose", "previous", "hash",
)  # fmt: skip
_CHAINED = len(COLUMNS) - 1
FIRST = "0" * 64
"""What the first row has for the digest of the one before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written down; who does it is known where it is written.

    Attributes:
        action: one word, as `search` or `erase`.
        gallery: what it is called; empty where none is meant.
        revision: of its content; -1 where none is meant.
        space: id of its embedding space.
        subjects: opaque ids of the people whom it is about.
        details: what else; JSON.
        purpose: as it was said; empty where nobody asked.
        started_at: ISO 8601, UTC; empty for now.
    """

    action: str
    phase: Phase = "done"
    gallery: str = ""
    revision: int = -1
    space: str = ""
    subjects: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = ""
    started_at: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the log.

    Attributes:
        seq: from 1, without a gap.
        at: ISO 8601, UTC, when it was written: the end of what it tells of.
        subjects: JSON list of opaque ids.
        details: JSON object.
        previous: digest of the row before.
        hash: of everything else in this row.
    """

    seq: int
    started_at: str
    at: str
    actor: str
    role: str
    action: str
    phase: str
    gallery: str
    revision: int
    space: str
    subjects: str
    details: str
    purpose: str
    previous: str
    hash: str

    @property
    def subject_ids(self) -> list[str]:
        found: list[str] = json.loads(self.subjects)
        return found

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.details)
        return found


def canonical(value: Any) -> str:
    """JSON with one spelling: keys in order, no spaces, no NaN."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(columns: Sequence[Any]) -> str:
    """Hex SHA-256 of a row's columns without its own hash, the digest of the row before among them."""
    return hashlib.sha256(canonical(list(columns[:_CHAINED])).encode("utf-8", "surrogatepass")).hexdigest()


def utc_now() -> str:
    """This moment, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
