"""Named endpoints about the audit log and the time of people. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from reid.audit.reading import Filters, count_of, rows_of
from reid.audit.recording import retention_days
from reid.audit.verifying import Head, verify
from reid.errors import GalleryError
from reid.recognizer import Recognizer
from reid.rights.expiry import MOST_DAYS, choose_default, due, renew

MOST_ROWS = 100_000
"""Of the log in one answer; all of it is at audit/log.csv."""


def rights_endpoints(recognizer: Recognizer) -> tuple[Callable[..., Any], ...]:
    """All of them, to be named after the functions."""
    return (*_log(recognizer), *_time(recognizer))


def _log(recognizer: Recognizer) -> tuple[Callable[..., Any], ...]:
    def audit_log(
        who: str = "", action: str = "", since: str = "", until: str = "", person: str = "", limit: int = 100
    ) -> dict[str, Any]:
        """Rows of the audit log, the newest first; `person` is an id. All of them as a table: audit/log.csv."""
        filters = Filters(who, action, since, until, recognizer.audit.opaque(person) if person else "")
        rows = rows_of(recognizer.audit, filters, limit=min(max(0, limit), MOST_ROWS))
        told = [{**asdict(row), "subjects": row.subject_ids, "details": row.facts} for row in rows]
        return {"total": count_of(recognizer.audit, filters), "rows": told}

    def audit_verify(head: str = "") -> dict[str, Any]:
        """Whether the log is as it was written; `head` is an end of it that was written down earlier, SEQ:HASH."""
        found = verify(recognizer.audit, [Head.parse(head)] if head else [])
        return {
            "whole": found.bad is None,
            "rows": found.rows,
            "head": str(found.head),
            "first_bad": found.bad,
            "problem": found.problem,
            "open_changes": found.open_changes,
        }

    return audit_log, audit_verify


def _time(recognizer: Recognizer) -> tuple[Callable[..., Any], ...]:
    def ending(within_days: int = 14) -> list[dict[str, Any]]:
        """People whose last day is within so many days; None where what is written is no day."""
        people = due(recognizer.gallery, within_days=min(within_days, MOST_DAYS))
        return [
            {
                "id": one.identity.id,
                "name": one.identity.name,
                "expires": one.expires.isoformat() if one.expires else None,
            }
            for one in people
        ]

    def renew_person(identity_id: str, until: str = "") -> dict[str, str]:
        """A later last day, 2027-11-24; without one the gallery's default is added, or a year."""
        try:
            day = date.fromisoformat(until) if until else None
        except ValueError:
            raise GalleryError(f"{until!r} is no day. Write it as 2027-11-24.") from None
        return {"id": identity_id, "expires": renew(recognizer.gallery, identity_id, day).isoformat()}

    def retention(days: int = -1, existing: bool = False) -> dict[str, int]:
        """How long whoever is enrolled from now on is held, 0 for no end; changes nothing where `days` is negative."""
        given = choose_default(recognizer.gallery, days, existing=existing) if days >= 0 else 0
        return {"days": retention_days(recognizer.gallery), "given": given}

    return ending, renew_person, retention
