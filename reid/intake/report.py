"""What an import says about itself: one line a photograph as a table, and one a person to read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd

from reid.intake.importing import Import, Resemblance
from reid.tables import plain

COLUMNS = ("path", "label", "status", "reason", "faces", "resembles", "similarity")
LEFT_OUT = ("poor", "no_face", "unreadable", "refused")


@dataclass(slots=True)
class PersonSummary:
    """What became of one person's photographs.

    Attributes:
        label: the name; the path of a photograph that has none.
        statuses: how many photographs of each status.
        reason: of the first one that was left out.
    """

    label: str
    named: bool
    statuses: Counter[str] = field(default_factory=Counter)
    reason: str = ""
    resemblance: Resemblance | None = None
    identity_id: str = ""

    @property
    def enrolled(self) -> int:
        """Photographs that were enrolled, or would be."""
        return self.statuses["enrolled"] + self.statuses["ready"]

    @property
    def left_out(self) -> int:
        """Photographs that cannot be used."""
        return sum(self.statuses[status] for status in LEFT_OUT)

    @property
    def total(self) -> int:
        """All photographs of the person in the source."""
        return self.statuses.total()


def people_of(done: Import) -> list[PersonSummary]:
    """Everybody of the source so far, in its order; photographs without a name each on a line of their own."""
    found: dict[str, PersonSummary] = {}
    for line in done.lines:
        named = bool(line.label)
        key = f"person {line.label}" if named else f"path {line.path}"
        one = found.setdefault(key, PersonSummary(line.label if named else line.path, named))
        one.statuses[line.status] += 1
        if line.status in LEFT_OUT and not one.reason:
            one.reason = line.reason
    for one in found.values():
        if one.named:
            one.identity_id = done.identity_ids.get(one.label, "")
            one.resemblance = done.resemblances.get(one.label)
    return list(found.values())


def counts_of(done: Import) -> Counter[str]:
    """How many photographs became what."""
    return Counter(line.status for line in done.lines)


def groups_of(done: Import) -> int:
    """Photographs on which one of several faces was taken."""
    return sum(line.faces > 1 and line.status in {"enrolled", "ready"} for line in done.lines)


def table_of(done: Import) -> pd.DataFrame:
    """One row a photograph, in COLUMNS; nothing in it is a formula to a spreadsheet."""
    rows = []
    for line in done.lines:
        alike = done.resemblances.get(line.label) if line.status in {"enrolled", "ready"} else None
        rows.append(
            (
                plain(line.path), plain(line.label), line.status, plain(line.reason), line.faces,
                plain(alike.name) if alike else "", alike.similarity if alike else None,
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))
