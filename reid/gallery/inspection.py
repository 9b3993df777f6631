"""Is a database that came from elsewhere a gallery through and through? Nothing of it is believed before.

SQLite files can carry triggers, views and generated columns that run when somebody else opens them, and any value in
any column. So the tables must be exactly those that our own steps make, and every value what we would have written.
Source: sqlite.org/security.html, "Untrusted SQLite Database Files".
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlite_utils import Database

from reid.errors import GalleryError
from reid.gallery import migrations
from reid.gallery.checks import template_of
from reid.gallery.names import valid_name
from reid.gallery.rows import EMBEDDINGS_OF
from reid.gallery.sealing import META, Sealing
from reid.gallery.unknowns import MEASURES

MAX_DIM = 16_384
_TEMPLATE_TOLERANCE = 1e-4
_LENGTH_TOLERANCE = 1e-3


def make_current(path: Path, shown: Path) -> None:
    """Checks a database and brings it to this version's tables; nobody else may use it meanwhile.

    Args:
        shown: what to call it in messages.

    Raises:
        GalleryError: it is damaged, encrypted with a key that this process has not, was made by a newer version, or is
            not what a gallery of ours looks like.
    """
    with _opened(path) as (db, sealing):
        if db.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
            raise _strange("its pages are damaged")
        migrations.check_is_ours(db, shown)
        applied = {step.name for step in migrations.MIGRATIONS.applied(db)}
        if not applied or _schema(db) != _schema_after(applied):
            raise _strange("its tables are not a gallery's")
        if db.execute("PRAGMA foreign_key_check").fetchall():
            raise _strange("photographs of nobody are in it")
        migrations.MIGRATIONS.apply(db)
        _check_content(db, sealing, shown)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Database, Sealing]]:
    connection = sqlite3.connect(path, isolation_level=None)
    sealing = Sealing()
    sealing.install(connection)
    db = Database(connection, execute_plugins=False)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA cell_size_check = ON")
        yield db, sealing
    except (
        sqlite3.Error,
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
    ) as error:  # also what json and numpy say to odd values
        raise _strange("it cannot be read") from error
    finally:
        db.close()


def _schema(db: Database) -> list[tuple[str, ...]]:
    """Everything that is defined, except the library's own list of steps, whose form may differ by its version."""
    found = db.execute(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master "
        "WHERE tbl_name <> '_sqlite_migrations' OR type NOT IN ('table', 'index') ORDER BY name, type"
    ).fetchall()
    return [(kind, name, table, "".join(sql.split())) for kind, name, table, sql in found]


def _schema_after(applied: set[str]) -> list[tuple[str, ...]]:
    with contextlib.closing(Database(memory=True, execute_plugins=False)) as fresh:
        for step in migrations.MIGRATIONS.pending(fresh):
            if step.name in applied:
                step.fn(fresh)
        return _schema(fresh)


def _check_content(db: Database, sealing: Sealing, shown: Path) -> None:
    meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
    sealing.open(meta.get(META), shown)
    dim = int(meta.get("space_dim", "0"))
    if not 0 < dim <= MAX_DIM or not meta.get("space_id") or not 0 <= int(meta["revision"]) < 2**53:
        raise _strange("it does not say which faces it compares")
    json.loads(meta["space"])
    _check_retention(meta.get("retention"))
    for row in db.execute(
        "SELECT id, name, photo_count, cover_photo_id, created_at, metadata, unseal(template, id) FROM identities"
    ):
        _check_identity(db, row, dim)
    for photo_id, quality, source, added_at, landmarks, crop_kind in db.execute(
        "SELECT id, quality, source, added_at, unseal(landmarks, id), typeof(unseal(crop_jpeg, id)) FROM photos"
    ):
        _texts(photo_id, source, added_at)
        if not isinstance(quality, float) or not math.isfinite(quality) or crop_kind != "blob":
            raise _strange("a photograph in it is none")
        _floats(landmarks, 10)
    for rejection_id, source, added_at, embedding in db.execute(
        "SELECT id, source, added_at, unseal(embedding, id) FROM rejections"
    ):
        _texts(rejection_id, source, added_at)
        _units(embedding, dim)
    _check_unknowns(db, meta.get("unknowns"), dim)


def _check_retention(chosen: str | None) -> None:
    days = json.loads(chosen)["days"] if chosen is not None else 0
    if type(days) is not int or days < 0:
        raise _strange("it does not say how long people are held")


def _check_unknowns(db: Database, chosen: str | None, dim: int) -> None:
    keeping = json.loads(chosen) if chosen is not None else {}
    if not isinstance(keeping, dict) or not all(
        (name == "on" and isinstance(value, bool)) or (name == "days" and type(value) is int)
        for name, value in keeping.items()
    ):
        raise _strange("it does not say how long faces are kept")
    for face_id, ignored, source, sha256, seen_at, expires_at, measures, landmarks, embedding, crop_kind in db.execute(
        "SELECT id, ignored, source, sha256, seen_at, expires_at, measures, unseal(landmarks, id), "
        "unseal(embedding, id), typeof(unseal(crop_jpeg, id)) FROM unknowns"
    ):
        _texts(face_id, source, sha256, seen_at, expires_at)
        if ignored not in (0, 1) or crop_kind != "blob":
            raise _strange("a kept face in it is none")
        for moment in (seen_at, expires_at):
            if datetime.fromisoformat(moment).utcoffset() is None:  # later compared with a clock that has one
                raise _strange("a kept face in it has no time")
        _floats(measures, MEASURES)
        _floats(landmarks, 10)
        _units(embedding, dim)


def _check_identity(db: Database, row: Sequence[Any], dim: int) -> None:
    identity_id, name, photo_count, cover, created_at, metadata, template = row
    _texts(identity_id, name, created_at)
    record = json.loads(metadata)
    if not _is_name(name) or not isinstance(record, dict):
        raise _strange("a person's record in it is none")
    _texts(*record, *record.values())
    photos = db.execute(EMBEDDINGS_OF, [identity_id]).fetchall()
    if not photos or len(photos) != photo_count or cover not in {photo[0] for photo in photos}:
        raise _strange("a person in it has not the photographs that are counted")
    rows = np.stack([_units(photo[1], dim) for photo in photos])
    if np.abs(_floats(template, dim) - template_of(rows)).max() > _TEMPLATE_TOLERANCE:
        raise _strange("a person in it is not the mean of the photographs")


def _is_name(text: str) -> bool:
    try:
        return valid_name(text) == text
    except GalleryError:
        return False


def _texts(*values: object) -> None:
    if not all(isinstance(value, str) and len(value) <= 100_000 for value in values):
        raise _strange("a text in it is none")


def _floats(blob: object, length: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    if not isinstance(blob, bytes) or len(blob) != 4 * length:
        raise _strange("a face in it has not the numbers of its space")
    values = np.frombuffer(blob, "<f4")
    if not np.isfinite(values).all():
        raise _strange("a face in it has values that are no numbers")
    return values


def _units(blob: object, dim: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    values = _floats(blob, dim)
    if abs(float(np.linalg.norm(values)) - 1) > _LENGTH_TOLERANCE:
        raise _strange("a face in it is not of length 1")
    return values


def _strange(why: str) -> GalleryError:
    return GalleryError(f"The backup is not restored: {why}. Take another copy of it.")
