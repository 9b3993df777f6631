"""The tables of a SQLite gallery, as numbered steps from an empty file. Knows no embedding and no search.

A step that has been released is never edited: a later one changes what it made.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from sqlite_utils import Database, Migrations

from reid.errors import GalleryError
from reid.transactions import open_to_read

APPLICATION_ID = 0x42594641
"""In the file's header, "BYFA": tells a gallery from any other SQLite database, which is left alone."""

MIGRATIONS = Migrations("byteface-gallery")


@MIGRATIONS(name="0001_gallery")
def _gallery(db: Database) -> None:
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
    # Blobs come last: a row's earlier columns are read without touching the pages that the blobs overflow to.
    # `revision` is meta's `revision` of the write that last changed the template.
    db.execute("""
        CREATE TABLE identities (
            id TEXT PRIMARY KEY NOT NULL,
            name TEXT NOT NULL UNIQUE,
            created_at TEXT NOT NULL,
            photo_count INTEGER NOT NULL,
            cover_photo_id TEXT,
            revision INTEGER NOT NULL,
            metadata TEXT NOT NULL DEFAULT '{}',
            template BLOB NOT NULL
        )""")
    db.execute("CREATE INDEX identities_revision ON identities (revision)")
    db.execute("""
        CREATE TABLE photos (
            id TEXT PRIMARY KEY NOT NULL,
            identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
            quality REAL NOT NULL,
            source TEXT NOT NULL,
            added_at TEXT NOT NULL,
            landmarks BLOB NOT NULL,
            embedding BLOB NOT NULL,
            crop_jpeg BLOB NOT NULL
        )""")
    db.execute("CREATE INDEX photos_identity_id ON photos (identity_id)")
    db.execute("INSERT INTO meta VALUES ('revision', '0')")


@MIGRATIONS(name="0002_rejections")
def _rejections(db: Database) -> None:
    db.execute("""
        CREATE TABLE rejections (
            id TEXT PRIMARY KEY NOT NULL,
            identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
            source TEXT NOT NULL,
            added_at TEXT NOT NULL,
            embedding BLOB NOT NULL
        )""")
    db.execute("CREATE INDEX rejections_identity_id ON rejections (identity_id)")


@MIGRATIONS(name="0004_photo_sha256")
def _photo_sha256(db: Database) -> None:
    # of the photograph's bytes: the same file is known again. Not known of photographs that were enrolled before
    db.execute("ALTER TABLE photos ADD COLUMN sha256 TEXT NOT NULL DEFAULT ''")


@MIGRATIONS(name="0003_unknowns")
def _unknowns(db: Database) -> None:
    db.execute("""
        CREATE TABLE unknowns (
            id TEXT PRIMARY KEY NOT NULL,
            ignored INTEGER NOT NULL DEFAULT 0,
            source TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            seen_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            measures BLOB NOT NULL,
            landmarks BLOB NOT NULL,
            embedding BLOB NOT NULL,
            crop_jpeg BLOB NOT NULL
        )""")
    db.execute("CREATE INDEX unknowns_expires_at ON unknowns (expires_at)")
    # two people of whom somebody said that they are two, the lower id first
    db.execute("""
        CREATE TABLE apart (
            first_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
            second_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
            PRIMARY KEY (first_id, second_id)
        )""")
    db.execute("CREATE INDEX apart_second_id ON apart (second_id)")


def is_empty(db: Database) -> bool:
    """Whether the database has no tables yet, as a new or zero-byte file."""
    return not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()


def _known_steps() -> set[str]:
    with contextlib.closing(Database(memory=True, execute_plugins=False)) as nothing:
        return {step.name for step in MIGRATIONS.pending(nothing)}


def check_is_ours(db: Database, path: Path) -> None:
    """Raises: GalleryError when a database with tables is not a gallery, or was made by a newer version."""
    if is_empty(db):
        return
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise GalleryError(
            f"{path} is a SQLite database, but not a gallery. Name another file; this one was not touched."
        )
    unknown = sorted({step.name for step in MIGRATIONS.applied(db)} - _known_steps())
    if unknown:
        raise GalleryError(
            f"{path} was made by a newer version of ByteFace (it has the step {unknown[-1]}). "
            "Update ByteFace to open it; the file was not touched."
        )


def migrate(db: Database, path: Path) -> None:
    """Applies what is missing, inside the caller's write transaction; an older gallery is copied beside itself first.

    Raises:
        GalleryError: no room for the copy; nothing was changed.
    """
    pending = MIGRATIONS.pending(db)
    if not pending:
        return
    if MIGRATIONS.applied(db):
        back_up(path, path.with_name(f"{path.name}.before-{pending[0].name}.bak"))
    MIGRATIONS.apply(db)


def back_up(path: Path, backup: Path) -> None:
    """The committed state as a database of its own; the caller holds the write lock, so nothing is missed.

    Raises:
        GalleryError: no room for it, or it cannot be written.
    """
    half = backup.with_name(backup.name + ".part")
    try:
        half.unlink(missing_ok=True)
        half.touch(mode=path.stat().st_mode & 0o777)
        source = open_to_read(path)
        target = sqlite3.connect(half)
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()
        half.replace(backup)
    except (OSError, sqlite3.Error) as error:
        half.unlink(missing_ok=True)
        raise GalleryError(
            f"The gallery {path} must be changed, and its backup could not be written ({error}). "
            "Make room beside it; the file was not touched."
        ) from error
