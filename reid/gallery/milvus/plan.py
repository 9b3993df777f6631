"""Rows that one change will write and erase, and what a collection looks like with them. Writes nothing.

Knows no journal; which change of which person it is, is the gallery's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np

from reid.gallery.milvus.link import Link, Row, quoted
from reid.gallery.milvus.rows import to_text, values_of
from reid.gallery.milvus.schema import COLLECTIONS, VECTOR

_VALUES_AT_ONCE = 200


class Plan:
    """What is to be done, in memory; reads see it on top of what is stored."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._puts: dict[str, dict[str, Row]] = {name: {} for name in COLLECTIONS}
        self._drops: dict[str, set[str]] = {name: set() for name in COLLECTIONS}
        self.revises = False

    def __bool__(self) -> bool:
        return any(self._puts.values()) or any(self._drops.values())

    def put(self, collection: str, row: Row) -> None:
        self._drops[collection].discard(row["id"])
        self._puts[collection][row["id"]] = row

    def drop(self, collection: str, row_id: str) -> None:
        self._puts[collection].pop(row_id, None)
        self._drops[collection].add(row_id)

    def puts(self, collection: str) -> list[Row]:
        return list(self._puts[collection].values())

    def drops(self, collection: str) -> list[str]:
        return sorted(self._drops[collection])

    def get(self, collection: str, ids: Iterable[str]) -> dict[str, Row]:
        """Rows with their vectors, by key, of those that are there."""
        ids = list(dict.fromkeys(ids))
        planned, gone = self._puts[collection], self._drops[collection]
        stored = self._link.get(collection, [one for one in ids if one not in planned and one not in gone], vector=True)
        return {one: row for one in ids if (row := planned.get(one) or stored.get(one))}

    def where(self, collection: str, field: str, value: str) -> list[Row]:
        """Rows with their vectors whose field has that value, by key."""
        return self.where_in(collection, field, [value])[value]

    def where_in(self, collection: str, field: str, values: Sequence[str]) -> dict[str, list[Row]]:
        """The same of several values, in few requests."""
        planned, gone = self._puts[collection], self._drops[collection]
        found: dict[str, list[Row]] = {value: [] for value in values}
        for start in range(0, len(values), _VALUES_AT_ONCE):
            some = list(values[start : start + _VALUES_AT_ONCE])
            for row in self._link.where(collection, f"{field} in {quoted(some)}", vector=True):
                if row["id"] not in planned and row["id"] not in gone:
                    found[row[field]].append(row)
        for row in planned.values():
            if row[field] in found:
                found[row[field]].append(row)
        for rows in found.values():
            rows.sort(key=lambda row: str(row["id"]))
        return found

    def to_text(self) -> str:
        """Everything, for the journal: ASCII."""
        puts = {name: [_written(name, row) for row in rows.values()] for name, rows in self._puts.items() if rows}
        drops = {name: sorted(ids) for name, ids in self._drops.items() if ids}
        return json.dumps({"puts": puts, "drops": drops, "revises": self.revises})

    @classmethod
    def from_text(cls, link: Link, text: str) -> Plan:
        """What `to_text` wrote."""
        written = json.loads(text)
        plan = cls(link)
        plan.revises = written["revises"]
        for name, rows in written["puts"].items():
            for row in rows:
                row[VECTOR[name]] = values_of(row[VECTOR[name]])
                plan.put(name, row)
        for name, ids in written["drops"].items():
            for row_id in ids:
                plan.drop(name, row_id)
        return plan


def _written(collection: str, row: Row) -> Row:
    vector = VECTOR[collection]
    return {**row, vector: to_text(np.asarray(row[vector], np.float32))}
