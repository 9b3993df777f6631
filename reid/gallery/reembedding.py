"""A SQLite gallery on its way to another embedding space: its crops out, and the switch in one transaction.

What is embedded already lies in a file beside the gallery, so that a stop loses little. Knows no network.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from reid.errors import GalleryError
from reid.gallery import migrations, rows
from reid.gallery.checks import unit_rows
from reid.gallery.connection import Link, explained
from reid.gallery.sealing import META
from reid.types import Embeddings

BATCH = 64
_TABLES = ("photos", "unknowns")
"""Whose rows have a crop, its landmarks and an embedding."""

_OF_THE_SPACE = ("calibration", "score_odds")
"""What the application keeps with the gallery that holds for one space's similarities only."""

_EXAMPLES = 5000  # photographs that rejected faces are translated by: more than an embedding has numbers

Translate = Callable[[Embeddings, Embeddings, Embeddings], Embeddings]
"""(N, D) embeddings before, (N, E) the same after, (M, D) others before -> (M, E) unit rows of the others after."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredCrop:
    """One face as the gallery keeps it.

    Attributes:
        key: digest of crop and landmarks: the same face has one embedding wherever it lies.
        landmarks_px: (5, 2) in pixels of the crop.
    """

    key: str
    crop_jpeg: bytes
    landmarks_px: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch did: photographs and kept strangers that were changed, rejections, and the gallery as it was."""

    photos: int
    unknowns: int
    rejections: int
    calibrated: bool
    backup: Path


class Reembedding:
    """Take all `missing` crops, `keep` their embeddings, then `switch`; where that says None, begin again."""

    def __init__(self, path: Path, space_id: str, dim: int) -> None:
        """Opens the gallery, and what an earlier attempt at the same space left.

        Args:
            path: of a gallery of this version.
            space_id: where it goes.
            dim: numbers of an embedding there.

        Raises:
            GalleryError: it is no such gallery, or nothing can be written beside it.
        """
        self.path, self.space_id, self.dim = path, space_id, dim
        self._link = Link(path, "rw")
        with self._link.transaction() as db:
            migrations.check_is_ours(db, path)
            said = dict(db.execute("SELECT key, value FROM meta").fetchall())
        self.old_id, self._old_dim = str(said["space_id"]), int(said["space_dim"])
        self._link.sealing.open(said.get(META), path)
        self._beside = path.with_name(path.name + ".reembed")
        self._kept = self._open_kept()
        self._keys: dict[tuple[str, str], str] = {}
        self._revision = -1

    def count(self) -> int:
        """Faces that an embedding is needed of."""
        with self._link.transaction() as db:
            return sum(int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in _TABLES)

    def missing(self) -> Iterator[tuple[int, list[StoredCrop]]]:
        """Goes through all faces: how many were looked at, and those of them that are still to be embedded."""
        self._keys = {}
        with self._link.transaction() as db:
            self._revision = rows.revision_of(db)
            ids = [(table, row[0]) for table in _TABLES for row in db.execute(f"SELECT id FROM {table} ORDER BY id")]
        for at in range(0, len(ids), BATCH):
            yield len(ids[at : at + BATCH]), self._unknown_of(ids[at : at + BATCH])

    def _unknown_of(self, ids: Sequence[tuple[str, str]]) -> list[StoredCrop]:
        found: dict[str, StoredCrop] = {}
        with self._link.transaction() as db:
            for table, row_id in ids:
                row = db.execute(
                    f"SELECT unseal(crop_jpeg, id), unseal(landmarks, id) FROM {table} WHERE id = ?", [row_id]
                ).fetchone()
                if row is None:  # erased meanwhile
                    continue
                key = hashlib.sha256(row[0] + row[1]).hexdigest()
                self._keys[table, row_id] = key
                if self._kept.execute("SELECT 1 FROM embeddings WHERE key = ?", [key]).fetchone() is None:
                    found[key] = StoredCrop(key, row[0], rows.from_blob(row[1], 5, 2))
        return list(found.values())

    def keep(self, crops: Sequence[StoredCrop], embeddings: Embeddings) -> None:
        """Remembers the (N, D) unit rows of N crops; after a stop they are still there."""
        unit_rows(embeddings, self.dim, "photograph")
        with explained(self._beside), self._kept:
            self._kept.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?)",
                [
                    (crop.key, self._link.sealing.seal(rows.to_blob(row), crop.key))
                    for crop, row in zip(crops, embeddings, strict=True)
                ],
            )

    def switch(self, description: str, translate: Translate) -> Switched | None:
        """Everything at once: embeddings, templates and the space's name; None where faces came meanwhile.

        The gallery as it was is copied beside it first. Its calibration goes: it was of the old space's similarities.

        Raises:
            GalleryError: no room, or another process has brought the gallery somewhere else.
        """
        with self._link.transaction(write=True) as db:
            if (now := rows.meta_of(db, "space_id")) != self.old_id:
                raise GalleryError(f"Another process has brought the gallery {self.path} to {now}. Look at it first.")
            if rows.revision_of(db) != self._revision or not self._has_all(db):
                return None
            backup = self.path.with_name(f"{self.path.name}.before-{self.space_id.rsplit(':', 1)[-1]}.bak")
            migrations.back_up(self.path, backup)
            rejected = self._translate_rejections(db, translate)
            changed = {table: self._fill(db, table) for table in _TABLES}
            for key, value in (("space_id", self.space_id), ("space_dim", str(self.dim)), ("space", description)):
                db.execute("UPDATE meta SET value = ? WHERE key = ?", [value, key])
            marks = ", ".join("?" * len(_OF_THE_SPACE))
            calibrated = db.execute(f"DELETE FROM meta WHERE key IN ({marks})", _OF_THE_SPACE).rowcount > 0
            everybody = [row[0] for row in db.execute("SELECT id FROM identities").fetchall()]
            rows.derive(db, everybody, self.dim)
        self._link.checkpoint()
        self._forget()
        return Switched(changed["photos"], changed["unknowns"], rejected, calibrated, backup)

    def _has_all(self, db: Database) -> bool:
        """Whether every face that is there was looked at; revisions tell of photographs only."""
        return all((table, row[0]) in self._keys for table in _TABLES for row in db.execute(f"SELECT id FROM {table}"))

    def _fill(self, db: Database, table: str) -> int:
        changed = 0
        for (own, row_id), key in self._keys.items():
            if own == table:
                blob = self._embedding(key)
                changed += db.execute(
                    f"UPDATE {table} SET embedding = seal(?, id) WHERE id = ?", [blob, row_id]
                ).rowcount
        return changed

    def _embedding(self, key: str) -> bytes:
        (blob,) = self._kept.execute("SELECT embedding FROM embeddings WHERE key = ?", [key]).fetchone()
        return self._link.sealing.unseal(blob, key)

    def _translate_rejections(self, db: Database, translate: Translate) -> int:
        """Of a rejected face only the old embedding is there, no crop."""
        found = db.execute("SELECT id, unseal(embedding, id) FROM rejections ORDER BY id").fetchall()
        examples = db.execute(f"SELECT id, unseal(embedding, id) FROM photos ORDER BY id LIMIT {_EXAMPLES}").fetchall()
        if not found or not examples:
            return 0
        before = rows.from_blob(b"".join(row[1] for row in examples), len(examples), self._old_dim)
        after = rows.from_blob(
            b"".join(self._embedding(self._keys["photos", row[0]]) for row in examples), len(examples), self.dim
        )
        rejected = rows.from_blob(b"".join(row[1] for row in found), len(found), self._old_dim)
        for (rejection_id, _), embedding in zip(found, translate(before, after, rejected), strict=True):
            db.execute(
                "UPDATE rejections SET embedding = seal(?, id) WHERE id = ?", [rows.to_blob(embedding), rejection_id]
            )
        return len(found)

    def _open_kept(self) -> sqlite3.Connection:
        """The file beside the gallery; one of another space, or no such file at all, is begun anew."""
        with explained(self._beside):
            for _ in range(2):
                with contextlib.suppress(OSError):
                    os.close(os.open(self._beside, os.O_CREAT, 0o600))  # biometric data: nobody else's business
                kept = sqlite3.connect(self._beside)
                try:
                    kept.execute("CREATE TABLE IF NOT EXISTS space (description TEXT)")
                    kept.execute(
                        "CREATE TABLE IF NOT EXISTS embeddings (key TEXT PRIMARY KEY, embedding BLOB NOT NULL)"
                    )
                    space = json.dumps([self.space_id, self.dim])
                    known = kept.execute("SELECT description FROM space").fetchone()
                    if known is None:
                        with kept:
                            kept.execute("INSERT INTO space VALUES (?)", [space])
                    if known is None or known[0] == space:
                        return kept
                except sqlite3.DatabaseError as error:
                    if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_NOTADB:
                        kept.close()
                        raise
                kept.close()
                self._beside.unlink()
        raise GalleryError(f"{self._beside} cannot be used. Move it away and run the command again.")

    def _forget(self) -> None:
        self._kept.close()
        self._beside.unlink(missing_ok=True)

    def close(self) -> None:
        self._kept.close()
        self._link.close()
