"""Is the audit log as it was written? Finds the first row that was changed, taken out, put in or moved.

What a chain cannot see: whoever may write the file can compute it anew from any row on, or cut off its end and say so
nowhere. Against that only a copy of the end (`Head`) helps that is kept where they cannot write, and is held against
the log later. An end that was cut off without more care is seen by SQLite's own count of rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reid.audit.log import TRIGGERS, AuditLog
from reid.audit.rows import COLUMNS, FIRST, digest
from reid.errors import AuditError


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a log at some moment: the number of its last row and that row's digest."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Head:
        """From `SEQ:HASH`. Raises: AuditError."""
        seq, _, digest_of_row = text.strip().partition(":")
        if not seq.isdecimal() or len(digest_of_row) != len(FIRST):
            raise AuditError(f"{text!r} is no end of a log. Give what `byteface audit head` printed, as 123:ab12...")
        return cls(int(seq), digest_of_row)

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look through the whole log found.

    Attributes:
        rows: how many were looked at before the first bad one.
        head: of the last good one.
        bad: number of the first row that is not as it was written; None where all are.
        problem: what is wrong with it, a sentence.
        open_changes: changes that were begun and of which no end is written: a crash, or one that is under way.
    """

    rows: int
    head: Head
    bad: int | None
    problem: str
    open_changes: int


def verify(log: AuditLog, kept: Sequence[Head] = ()) -> Finding:
    """Computes every row's digest anew.

    Args:
        kept: ends of the log that somebody wrote down earlier.

    Raises:
        AuditError: there is no log, or it cannot be read.
    """
    with log.reading() as db:
        try:
            return _verified(db, {one.seq: one.hash for one in kept})
        except sqlite3.DatabaseError as error:
            return Finding(0, Head(0, FIRST), 1, f"The file is damaged ({error}).", 0)


def head_of(log: AuditLog) -> Head:
    """The end as it is now. Raises: AuditError."""
    with log.reading() as db:
        seq, last = db.execute("SELECT seq, hash FROM rows ORDER BY seq DESC LIMIT 1").fetchone() or (0, FIRST)
        return Head(seq, last)


def _verified(db: sqlite3.Connection, kept: dict[int, str]) -> Finding:
    head, begun = Head(0, FIRST), set[int]()

    def found(bad: int | None, problem: str) -> Finding:
        return Finding(head.seq, head, bad, problem, len(begun))

    db.execute("BEGIN")  # one state, while others append
    for row in db.execute(f"SELECT {', '.join(COLUMNS)} FROM rows ORDER BY seq"):
        values = dict(zip(COLUMNS, row, strict=True))
        if problem := _problem(row, values, head, kept):
            missing = values["seq"] != head.seq + 1
            return found(head.seq + 1 if missing else values["seq"], problem)
        head = Head(values["seq"], values["hash"])
        _follow(values, begun)
    counted = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'rows'").fetchone()
    if not head.seq:
        return found(1, "It is empty, and every log begins with a row of its own.")
    after = max([counted[0] if counted else 0, *kept])
    if after > head.seq:
        return found(head.seq + 1, f"The log ends here, and there were rows up to {after}.")
    triggers = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())
    if triggers != {name: f"CREATE TRIGGER {name} {body}" for name, body in TRIGGERS.items()}:
        return found(head.seq + 1, "What forbids changes to the log was taken out of it, though no row differs.")
    return found(None, "")


def _problem(row: Sequence[Any], values: dict[str, Any], head: Head, kept: dict[int, str]) -> str:
    if values["seq"] != head.seq + 1:
        return f"It is missing: row {values['seq']} comes after row {head.seq}."
    if values["previous"] != head.hash:
        return "It does not follow the row before: one of the two was put in, moved or exchanged."
    try:
        own = digest(row)
    except (TypeError, ValueError):
        own = ""
    if own != values["hash"]:
        return "It was altered: its content has another digest than it states."
    if kept.get(values["seq"], own) != own:
        return "It is another row than when its digest was written down: the log was computed anew."
    return ""


def _follow(values: dict[str, Any], begun: set[int]) -> None:
    """Which changes are begun and not ended; those that have a second row."""
    if values["phase"] == "begun":
        begun.add(values["seq"])
    elif '"of":' in values["details"]:
        begun.discard(json.loads(values["details"]).get("of"))
