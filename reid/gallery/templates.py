"""The templates of a SQLite gallery in memory, kept up to date with the file. Knows no search."""

from __future__ import annotations

import numpy as np
from sqlite_utils import Database

from reid.gallery.matrix import Templates
from reid.gallery.rows import from_blob


class TemplateCache:
    """Belongs to one connection, and is used inside its transactions only."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._version = -1
        self._templates = Templates([], np.empty((0, dim), np.float32))

    def current(self, db: Database) -> Templates:
        """The templates of the state that the transaction reads."""
        # changes whenever another connection, of this process or another, has committed
        version = int(db.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            found = db.execute("SELECT id, template FROM identities ORDER BY id").fetchall()
            blob = b"".join(row[1] for row in found)
            self._templates = Templates([row[0] for row in found], from_blob(blob, len(found), self._dim))
            self._version = version
        return self._templates
