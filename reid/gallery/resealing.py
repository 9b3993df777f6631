"""Another key for a whole gallery: encrypts, decrypts, or changes the key, in one transaction. Knows which columns."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlite_utils import Database

from reid.errors import GalleryError
from reid.gallery import migrations
from reid.gallery.connection import Link
from reid.gallery.rows import meta_of
from reid.gallery.sealing import META, Sealing

_SEALED = {
    "identities": ("template",),
    "photos": ("landmarks", "embedding", "crop_jpeg"),
    "rejections": ("embedding",),
    "unknowns": ("landmarks", "embedding", "crop_jpeg"),
}


def reseal(path: Path, wanted: Sealing, *, old_key: bytes | None = None) -> int:
    """Brings a gallery to another key. What was readable before is neither in its file nor in its log afterwards.

    Args:
        path: of a gallery of this version.
        wanted: begun or opened: what it is sealed with from now on.
        old_key: what it is sealed with now, where that is not this process's key.

    Returns:
        how many values were written.

    Raises:
        GalleryError: it is sealed with another key than the old one, or the disk is full; nothing was changed.
    """
    with _opened(path, old_key) as link:
        with link.transaction(write=True) as db:
            _require_current(db, path)
            link.db.conn.create_function("seal", 2, wanted.seal)
            changed = sum(_rewrite(db, table, columns) for table, columns in _SEALED.items())
            db.execute("DELETE FROM meta WHERE key = ?", [META])
            if wanted.check is not None:
                db.execute("INSERT INTO meta VALUES (?, ?)", [META, wanted.check])
        # SQLite has overwritten what it freed; this also takes away what lies between
        link.db.execute("VACUUM")
        if not link.checkpoint():
            raise GalleryError(
                f"Another process uses {path}, so what was readable is still in its log. Stop it and run this again."
            )
    return changed


def sealed_with(path: Path) -> str | None:
    """META of a gallery. Raises: GalleryError."""
    link = Link(path, "ro")
    try:
        with link.transaction() as db:
            return _check_of(db)
    finally:
        link.close()


@contextlib.contextmanager
def _opened(path: Path, old_key: bytes | None) -> Iterator[Link]:
    link = Link(path, "rw")
    try:
        with link.transaction() as db:
            check = _check_of(db)
        link.sealing.open(check, path, old_key)
        yield link
    finally:
        link.close()


def _check_of(db: Database) -> str | None:
    return None if migrations.is_empty(db) else meta_of(db, META)


def _require_current(db: Database, path: Path) -> None:
    migrations.check_is_ours(db, path)
    if migrations.MIGRATIONS.pending(db):
        raise GalleryError(f"{path} was made by an older version. Open it once with ByteFace, then run this again.")


def _rewrite(db: Database, table: str, columns: tuple[str, ...]) -> int:
    values = ", ".join(f"{column} = seal(unseal({column}, id), id)" for column in columns)
    return len(columns) * db.execute(f"UPDATE {table} SET {values}").rowcount
