"""Rows of a SQLite gallery as records and back, and what is derived from them. Knows no locks and no files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlite_utils import Database

from reid.errors import EmbeddingSpaceError, GalleryError, IdentityExistsError, IdentityNotFoundError
from reid.gallery.checks import template_of
from reid.gallery.sealing import META
from reid.types import Identity, Photo

IDENTITY_COLUMNS = "id, name, photo_count, cover_photo_id, created_at, metadata"

_PHOTO_QUERY = """
    SELECT photos.id, identity_id, name, unseal(crop_jpeg, photos.id), unseal(landmarks, photos.id),
        unseal(embedding, photos.id), quality, source, added_at, sha256
    FROM photos JOIN identities ON identities.id = identity_id WHERE """


EMBEDDINGS_OF = "SELECT id, unseal(embedding, id) FROM photos WHERE identity_id = ? ORDER BY id"


def to_blob(values: NDArray[np.floating]) -> bytes:
    """Little-endian float32, row by row."""
    return np.ascontiguousarray(values, "<f4").tobytes()


def from_blob(blob: bytes, *shape: int) -> NDArray[np.float32]:
    """Raises: GalleryError when the blob has not the length of that shape."""
    if len(blob) != 4 * int(np.prod(shape)):
        raise GalleryError("An embedding in the gallery is damaged. Restore the gallery from a backup.")
    return np.frombuffer(blob, "<f4").reshape(shape).astype(np.float32, copy=False)


def to_identity(row: Sequence[Any]) -> Identity:
    """From a row of IDENTITY_COLUMNS."""
    identity_id, name, photo_count, cover, created_at, metadata = row
    return Identity(identity_id, name, photo_count, cover, created_at, json.loads(metadata) if metadata != "{}" else {})


def identity_of(db: Database, identity_id: str) -> Identity:
    """Raises: IdentityNotFoundError."""
    row = db.execute(f"SELECT {IDENTITY_COLUMNS} FROM identities WHERE id = ?", [identity_id]).fetchone()
    if row is None:
        raise IdentityNotFoundError("That person is not in the gallery any more. Load the list again.")
    return to_identity(row)


def names(db: Database) -> list[str]:
    """Of everybody: the index on names alone is read."""
    return [row[0] for row in db.execute("SELECT name FROM identities")]


def create(db: Database, identity_id: str, names: set[str], dim: int) -> None:
    """Somebody without photographs yet. Raises: GalleryError for two names; IdentityExistsError."""
    if len(names) > 1:
        raise GalleryError("One new person was given two names. Enrol them one after the other.")
    (name,) = names
    refuse_taken(db, name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    db.execute(
        "INSERT INTO identities (id, name, created_at, photo_count, revision, template) "
        "VALUES (:id, :name, :now, 0, 0, seal(:template, :id))",
        {"id": identity_id, "name": name, "now": now, "template": to_blob(np.zeros(dim, np.float32))},
    )


def refuse_taken(db: Database, name: str) -> None:
    """Raises: IdentityExistsError where somebody bears that name."""
    if db.execute("SELECT 1 FROM identities WHERE name = ?", [name]).fetchone():
        raise IdentityExistsError(f"Somebody named {name} is enrolled already. Add to them or choose another name.")


def photos_where(db: Database, condition: str, value: str, dim: int) -> list[Photo]:
    """Photographs in the order they were added."""
    rows = db.execute(f"{_PHOTO_QUERY}{condition} = ? ORDER BY added_at, photos.id", [value]).fetchall()
    return [
        Photo(
            id=photo_id,
            identity_id=identity_id,
            identity_name=name,
            crop_jpeg=crop,
            landmarks_px=from_blob(landmarks, 5, 2),
            embedding=from_blob(embedding, dim),
            quality=quality,
            source=source,
            added_at=added_at,
            sha256=sha256,
        )
        for photo_id, identity_id, name, crop, landmarks, embedding, quality, source, added_at, sha256 in rows
    ]


def embeddings_of(db: Database, identity_id: str, dim: int) -> tuple[list[str], NDArray[np.float32]]:
    """Ids of an identity's photographs, ascending, and their (N, dim) embeddings."""
    found = db.execute(EMBEDDINGS_OF, [identity_id]).fetchall()
    return [row[0] for row in found], from_blob(b"".join(row[1] for row in found), len(found), dim)


def store_photo(db: Database, photo: Photo) -> None:
    """Adds a photograph or replaces the one with its id.

    Raises:
        GalleryError: its landmarks or quality are unusable.
    """
    if photo.landmarks_px.shape != (5, 2) or not math.isfinite(photo.quality):
        raise GalleryError("A photograph came without five landmarks or a quality. Describe its face again.")
    db.execute(
        """
        INSERT INTO photos (id, identity_id, quality, source, added_at, landmarks, embedding, crop_jpeg, sha256)
        VALUES (:id, :identity_id, :quality, :source, :added_at, seal(:landmarks, :id), seal(:embedding, :id),
            seal(:crop_jpeg, :id), :sha256)
        ON CONFLICT (id) DO UPDATE SET identity_id = excluded.identity_id, quality = excluded.quality,
            source = excluded.source, added_at = excluded.added_at, landmarks = excluded.landmarks,
            embedding = excluded.embedding, crop_jpeg = excluded.crop_jpeg,
            sha256 = excluded.sha256""",
        {
            "id": photo.id,
            "identity_id": photo.identity_id,
            "quality": float(photo.quality),
            # file names may hold bytes that are no text
            "source": photo.source.encode("utf-8", "replace").decode("utf-8"),
            "added_at": photo.added_at,
            "landmarks": to_blob(photo.landmarks_px),
            "embedding": to_blob(photo.embedding),
            "crop_jpeg": photo.crop_jpeg,
            "sha256": photo.sha256,
        },
    )


def owners(db: Database, photo_ids: Iterable[str]) -> dict[str, str]:
    """Identity of each of those photographs that exist."""
    found = (
        db.execute("SELECT id, identity_id FROM photos WHERE id = ?", [photo_id]).fetchone() for photo_id in photo_ids
    )
    return dict(row for row in found if row)


def guard_of_space(path: Path, space_id: str, sealed: str | None) -> Callable[[Database], None]:
    """Raises, when called, where the gallery was brought to another space or key since it was opened.

    Args:
        sealed: what its META said then.
    """

    def guard(db: Database) -> None:
        now = dict(db.execute("SELECT key, value FROM meta WHERE key IN ('space_id', ?)", [META]).fetchall())
        if now["space_id"] != space_id:
            raise EmbeddingSpaceError(
                f"The gallery {path} was brought to the space {now['space_id']} while {space_id} was in use. "
                "Start ByteFace again."
            )
        if now.get(META) != sealed:
            raise GalleryError(f"The gallery {path} was given another key while it was in use. Start ByteFace again.")

    return guard


def meta_of(db: Database, key: str) -> str | None:
    """What the gallery says of itself under a key."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
    return str(row[0]) if row else None


def revision_of(db: Database) -> int:
    """Grows with every write that may change a template."""
    return int(db.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()[0])


def derive(db: Database, identity_ids: Iterable[str], dim: int) -> int:
    """Templates, counts and covers of identities whose photographs changed; one left without any is removed.

    A cover stays while its photograph does; otherwise the best photograph becomes it.

    Returns:
        how many identities were removed.
    """
    db.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
    revision = revision_of(db)
    removed = 0
    for identity_id in sorted(set(identity_ids)):
        photos = db.execute(
            "SELECT id, quality, added_at, unseal(embedding, id) FROM photos WHERE identity_id = ? ORDER BY id",
            [identity_id],
        ).fetchall()
        if not photos:
            removed += db.execute("DELETE FROM identities WHERE id = ?", [identity_id]).rowcount
            continue
        (cover,) = db.execute("SELECT cover_photo_id FROM identities WHERE id = ?", [identity_id]).fetchone()
        if cover not in {photo[0] for photo in photos}:
            cover = min(photos, key=lambda photo: (-photo[1], photo[2], photo[0]))[0]
        template = template_of(from_blob(b"".join(photo[3] for photo in photos), len(photos), dim))
        db.execute(
            "UPDATE identities SET template = seal(?, id), photo_count = ?, cover_photo_id = ?, revision = ? "
            "WHERE id = ?",
            [to_blob(template), len(photos), cover, revision, identity_id],
        )
    return removed
