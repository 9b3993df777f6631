"""The audit log for people: rows by who, what, when and about whom, a page at a time or as a table. Writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from reid.audit.log import AuditLog
from reid.audit.rows import COLUMNS, Row
from reid.errors import AuditError
from reid.tables import csv_bytes, plain


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; what is empty asks for nothing.

    Attributes:
        actor: name of an account.
        action: one word.
        since: a day or a moment, ISO 8601; a day means its beginning in UTC.
        until: the same, a day its end.
        person: opaque id; rows that are about them, or name them among the candidates.
        ends: leaves out that a change was begun.
    """

    actor: str = ""
    action: str = ""
    since: str = ""
    until: str = ""
    person: str = ""
    ends: bool = False

    def clause(self) -> tuple[str, list[Any]]:
        """A condition and its values. Raises: AuditError where a date is none."""
        parts: list[str] = []
        values: list[Any] = []
        for column in ("actor", "action"):
            if getattr(self, column):
                parts.append(f"{column} = ?")
                values.append(getattr(self, column))
        if self.since:
            parts.append("at >= ?")
            values.append(_moment(self.since, end=False))
        if self.until:
            parts.append("started_at < ?")
            values.append(_moment(self.until, end=True))
        if self.ends:
            parts.append("phase <> 'begun'")
        if self.person:
            parts.append("(instr(subjects, ?) OR instr(details, ?))")
            values += [f'"{self.person}"'] * 2
        return " AND ".join(parts) or "1", values


def rows_of(log: AuditLog, filters: Filters | None = None, *, limit: int = -1, offset: int = 0) -> list[Row]:
    """Rows, the newest first; all where `limit` is -1. Raises: AuditError."""
    condition, values = (filters or Filters()).clause()
    with log.reading() as db:
        found = db.execute(
            f"SELECT {', '.join(COLUMNS)} FROM rows WHERE {condition} ORDER BY seq DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [Row(*row) for row in found]


def count_of(log: AuditLog, filters: Filters | None = None) -> int:
    """How many rows there are of that kind. Raises: AuditError."""
    condition, values = (filters or Filters()).clause()
    with log.reading() as db:
        return int(db.execute(f"SELECT count(*) FROM rows WHERE {condition}", values).fetchone()[0])


def choices_of(log: AuditLog) -> tuple[list[str], list[str]]:
    """Actors and actions that are in the log. Raises: AuditError."""
    with log.reading() as db:
        return _distinct(db, "actor"), _distinct(db, "action")


def _distinct(db: sqlite3.Connection, column: str) -> list[str]:
    return [row[0] for row in db.execute(f"SELECT DISTINCT {column} FROM rows ORDER BY 1")]


def table_of(rows: Sequence[Row]) -> pd.DataFrame:
    """One line a row; nothing in it is a formula."""
    lines = [[plain(value) if isinstance(value, str) else value for value in _values(row)] for row in rows]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def csv_of(rows: Sequence[Row]) -> bytes:
    """The same as a file."""
    return csv_bytes(table_of(rows))


def _values(row: Row) -> list[Any]:
    return [getattr(row, name) for name in COLUMNS]


def _moment(text: str, *, end: bool) -> str:
    """As times stand in the log, so that texts compare as times do."""
    try:
        if len(text) == len("2027-11-24"):
            day = date.fromisoformat(text)
            return (day + timedelta(days=1) if end else day).isoformat()
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):  # the second: a moment of the year 1 or 9999 in another zone
        raise AuditError(f"{text!r} is no time. Write it as 2027-11-24 or 2027-11-24T13:00:00+01:00.") from None
