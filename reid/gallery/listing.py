"""Who is enrolled, as a table for people and their spreadsheets. Knows no photographs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reid.tables import csv_bytes, plain
from reid.types import Identity

_FIRST = ("consent", "expires", "notes")


def identities_table(identities: Sequence[Identity]) -> pd.DataFrame:
    """One row a person: id, name, photographs, created_at, the record's fields; nothing in it is a formula."""
    others = sorted({key for one in identities for key in one.metadata} - set(_FIRST))
    fields = [*_FIRST, *others]
    rows = [
        [plain(one.id), plain(one.name), one.photo_count, one.created_at]
        + [plain(one.metadata.get(field, "")) for field in fields]
        for one in identities
    ]
    return pd.DataFrame(rows, columns=["id", "name", "photographs", "created_at", *map(plain, fields)])


def identities_csv(identities: Sequence[Identity]) -> bytes:
    """The same as a file."""
    return csv_bytes(identities_table(identities))
