"""Rows of strangers' faces that a SQLite gallery keeps for a while. Knows no probe, no group and no threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np
from sqlite_utils import Database

from reid.errors import GalleryError
from reid.gallery.checks import require_faces
from reid.gallery.connection import Link
from reid.gallery.rows import from_blob, to_blob
from reid.types import KeptFace, Quality

_COLUMNS = "id, crop_jpeg, landmarks, embedding, measures, source, sha256, seen_at, expires_at, ignored"
_READ = (
    "id, unseal(crop_jpeg, id), unseal(landmarks, id), unseal(embedding, id), measures, source, sha256, seen_at, "
    "expires_at, ignored"
)
_SEALED = (
    ":id, seal(:crop_jpeg, :id), seal(:landmarks, :id), seal(:embedding, :id), :measures, :source, :sha256, :seen_at, "
    ":expires_at, :ignored"
)
MEASURES = 9
"""Size, sharpness, yaw, exposure and score of the quality, then left, top, right and bottom of the box."""


class Change(Protocol):
    """Opens one transaction that writes; `erases` empties the write-ahead log after it."""

    def __call__(self, *, erases: bool = False) -> AbstractContextManager[Database]: ...


def utc_now() -> datetime:
    """The clock of what is kept."""
    return datetime.now(UTC)


class SqliteUnknowns:
    """As the protocol `Unknowns`, in the gallery's own file."""

    def __init__(self, reader: Link, change: Change | None, dim: int, clock: Callable[[], datetime] = utc_now) -> None:
        """Joins what the gallery lends.

        Args:
            change: None where nothing can be written.
        """
        self._reader = reader
        self._write = change
        self._dim = dim
        self.clock = clock

    def keep(self, faces: Sequence[KeptFace]) -> int:
        require_faces(faces, self._dim)
        self.purge()
        with self._change() as db:
            before = _count(db)
            for face in faces:
                db.execute(f"INSERT OR IGNORE INTO unknowns ({_COLUMNS}) VALUES ({_SEALED})", _row(face))
            return _count(db) - before

    def faces(self, *, ignored: bool = False) -> list[KeptFace]:
        self.purge()
        with self._reader.transaction() as db:
            found = db.execute(
                f"SELECT {_READ} FROM unknowns WHERE {_VALID} ORDER BY seen_at DESC, id", self._asked(ignored)
            ).fetchall()
        return [_face(row, self._dim) for row in found]

    def face(self, face_id: str) -> KeptFace | None:
        with self._reader.transaction() as db:
            row = db.execute(
                f"SELECT {_READ} FROM unknowns WHERE id = ? AND (ignored OR expires_at > ?)", [face_id, self._now()]
            ).fetchone()
        return _face(row, self._dim) if row else None

    def count(self, *, ignored: bool = False) -> int:
        with self._reader.transaction() as db:
            found = db.execute(f"SELECT count(*) FROM unknowns WHERE {_VALID}", self._asked(ignored)).fetchone()
        return int(found[0])

    def ignore(self, face_ids: Sequence[str], *, ignored: bool = True) -> int:
        with self._change() as db:
            return sum(
                db.execute("UPDATE unknowns SET ignored = ? WHERE id = ?", [ignored, face_id]).rowcount
                for face_id in face_ids
            )

    def remove(self, face_ids: Sequence[str]) -> int:
        with self._change(erases=True) as db:
            return sum(db.execute("DELETE FROM unknowns WHERE id = ?", [face_id]).rowcount for face_id in face_ids)

    def shorten(self, days: int) -> None:
        with self._change() as db:
            for face_id, seen_at, expires_at in db.execute("SELECT id, seen_at, expires_at FROM unknowns").fetchall():
                latest = expiry(seen_at, days)
                if latest < expires_at:
                    db.execute("UPDATE unknowns SET expires_at = ? WHERE id = ?", [latest, face_id])
        self.purge()

    def purge(self) -> int:
        """Erases those whose time is over; nothing where the gallery cannot be written. Returns how many."""
        with self._reader.transaction() as db:
            over = db.execute(
                "SELECT 1 FROM unknowns WHERE NOT ignored AND expires_at <= ? LIMIT 1", [self._now()]
            ).fetchone()
        if not over or self._write is None:
            return 0
        with self._write(erases=True) as db:
            return db.execute("DELETE FROM unknowns WHERE NOT ignored AND expires_at <= ?", [self._now()]).rowcount

    def _asked(self, ignored: bool) -> dict[str, Any]:
        return {"ignored": ignored, "now": self._now()}

    def _now(self) -> str:
        return self.clock().isoformat(timespec="seconds")

    def _change(self, *, erases: bool = False) -> AbstractContextManager[Database]:
        if self._write is None:
            raise GalleryError(
                "The gallery is read-only here, so no face can be kept. Open it where it can be written."
            )
        return self._write(erases=erases)


_VALID = "ignored = :ignored AND (:ignored OR expires_at > :now)"


def expiry(seen_at: str, days: int) -> str:
    """When a face seen at that moment is not kept any longer. Both ISO 8601, UTC."""
    return (datetime.fromisoformat(seen_at) + timedelta(days=days)).isoformat(timespec="seconds")


def _count(db: Database) -> int:
    return int(db.execute("SELECT count(*) FROM unknowns").fetchone()[0])


def _row(face: KeptFace) -> dict[str, Any]:
    quality = face.quality
    measures = [quality.size_px, quality.sharpness, quality.yaw_deg, quality.exposure, quality.score, *face.box_px]
    return {
        "id": face.id, "crop_jpeg": face.crop_jpeg, "landmarks": to_blob(face.landmarks_px),
        "embedding": to_blob(face.embedding), "measures": to_blob(np.asarray(measures, np.float32)),
        # file names may hold bytes that are no text
        "source": face.source.encode("utf-8", "replace").decode("utf-8"),
        "sha256": face.sha256, "seen_at": face.seen_at, "expires_at": face.expires_at, "ignored": face.ignored,
    }  # fmt: skip


def _face(row: Sequence[Any], dim: int) -> KeptFace:
    face_id, crop, landmarks, embedding, measures, source, sha256, seen_at, expires_at, ignored = row
    size, sharpness, yaw, exposure, score, left, top, right, bottom = map(float, from_blob(measures, MEASURES))
    return KeptFace(
        id=face_id,
        crop_jpeg=crop,
        landmarks_px=from_blob(landmarks, 5, 2),
        embedding=from_blob(embedding, dim),
        quality=Quality(size, sharpness, yaw, exposure, score),
        box_px=(left, top, right, bottom),
        source=source,
        sha256=sha256,
        seen_at=seen_at,
        expires_at=expires_at,
        ignored=bool(ignored),
    )
