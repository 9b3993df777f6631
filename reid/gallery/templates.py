"""The templates of a SQLite gallery in memory, kept up to date with the file. Knows no search."""

from __future__ import annotations

import numpy as np
from sqlite_utils import Database

from reid.gallery.matrix import Templates
from reid.gallery.rows import from_blob, revision_of

_ROWS_AT_ONCE = 4096
"""Rows fetched together while everything is loaded, so that the blobs are not held twice."""


class TemplateCache:
    """Belongs to one connection and is used inside its transactions only, so nobody sees it change.

    Everything is read once; after that only what changed since, so enrolling one person among 100,000 costs no more
    than among ten. A removal reads everything again.
    """

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._version = -1
        self._revision = -1
        self._where: dict[str, int] = {}
        self._ids: list[str] = []
        self._rows = np.empty((0, dim), np.float32)  # the first len(self._ids) are in use

    def current(self, db: Database) -> Templates:
        """The templates of the state that the transaction reads."""
        # changes whenever another connection, of this process or another, has committed
        version = int(db.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            revision = revision_of(db)
            if revision != self._revision and not self._update(db):
                self._load(db)
            self._version, self._revision = version, revision
        return Templates(self._ids, self._rows[: len(self._ids)])

    def _update(self, db: Database) -> bool:
        """Takes over new and changed templates; False, with nothing done, where identities have gone."""
        if not self._ids:
            return False
        changed = db.execute(
            "SELECT id, unseal(template, id) FROM identities WHERE revision > ?", [self._revision]
        ).fetchall()
        new = [identity_id for identity_id, _ in changed if identity_id not in self._where]
        if db.execute("SELECT count(*) FROM identities").fetchone()[0] != len(self._ids) + len(new):
            return False
        self._reserve(len(self._ids) + len(new))
        for identity_id in new:
            self._where[identity_id] = len(self._ids)
            self._ids.append(identity_id)
        for identity_id, blob in changed:
            self._rows[self._where[identity_id]] = from_blob(blob, self._dim)
        return True

    def _load(self, db: Database) -> None:
        self._revision = -1  # should it fail half-way, the next search starts over
        self._ids = []
        self._reserve(db.execute("SELECT count(*) FROM identities").fetchone()[0])
        found = db.execute("SELECT id, unseal(template, id) FROM identities ORDER BY id")
        while some := found.fetchmany(_ROWS_AT_ONCE):
            start = len(self._ids)
            self._rows[start : start + len(some)] = from_blob(b"".join(row[1] for row in some), len(some), self._dim)
            self._ids += [row[0] for row in some]
        self._where = {identity_id: row for row, identity_id in enumerate(self._ids)}

    def _reserve(self, count: int) -> None:
        """Room for `count` rows; twice the room where there is too little, which costs nothing until it is written."""
        if count > len(self._rows):
            room = np.empty((max(count, 2 * len(self._ids)), self._dim), np.float32)
            room[: len(self._ids)] = self._rows[: len(self._ids)]
            self._rows = room
