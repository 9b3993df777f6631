"""Backups that are damaged, newer, or made to do harm: nothing of them is believed, and nothing is left behind."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gallery_records import DIM, make_full, unit

from reid.errors import GalleryError
from reid.gallery.backup import export_gallery, restore_gallery


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make_full(tmp_path / "people.db")
    return tmp_path / "people.db"


def repacked(
    backup: Path, *, database: bytes | None = None, manifest: dict[str, Any] | None = None, extra: str = "",
    compression: int = zipfile.ZIP_STORED,
) -> Path:  # fmt: skip
    """The same backup with other content; digest and size go with the database unless the manifest says them."""
    with zipfile.ZipFile(backup) as archive:
        said, data = json.loads(archive.read("manifest.json")), archive.read("gallery.db")
    if database is not None:
        data = database
        said["files"] = {"gallery.db": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}}
    said |= manifest or {}
    file = backup.with_name("other.byteface")
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("manifest.json", json.dumps(said))
        archive.writestr("gallery.db", data)
        if extra:
            archive.writestr(extra, b"x")
    return file


def is_refused(file: Path, words: str, tmp_path: Path) -> bool:
    """Whether the sentence has these words, and nothing was left behind."""
    with pytest.raises(GalleryError, match=words):
        restore_gallery(file, str(tmp_path / "new.db"))
    return not (tmp_path / "new.db").exists() and not (tmp_path / "x").exists()


def test_a_damaged_newer_or_strange_file_is_refused_in_one_sentence(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "people.byteface"
    export_gallery(str(path), backup)
    data = backup.read_bytes()
    cut, flipped, text = tmp_path / "cut.byteface", tmp_path / "flipped.byteface", tmp_path / "text.byteface"
    cut.write_bytes(data[: len(data) // 2])
    middle = len(data) // 2
    flipped.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
    text.write_text("no backup")
    assert is_refused(tmp_path / "missing.byteface", "There is no file", tmp_path)
    assert is_refused(cut, "no backup, or is cut off", tmp_path)
    assert is_refused(text, "no backup, or is cut off", tmp_path)
    assert is_refused(flipped, "not restored", tmp_path)
    assert is_refused(repacked(backup, manifest={"version": 2}), "newer version of ByteFace", tmp_path)
    assert is_refused(repacked(backup, manifest={"format": "other"}), "another format", tmp_path)
    assert is_refused(repacked(backup, manifest={"files": {}}), "cannot be read", tmp_path)
    assert is_refused(
        repacked(backup, manifest={"files": {"../x": {"bytes": 1, "sha256": ""}}}), "other files", tmp_path
    )
    assert is_refused(repacked(backup, extra="../x"), "other files", tmp_path)
    assert is_refused(repacked(backup, compression=zipfile.ZIP_DEFLATED), "does not say what it holds", tmp_path)
    wrong = {"gallery.db": {"bytes": path.stat().st_size, "sha256": "0" * 64}}
    assert is_refused(repacked(backup, manifest={"files": wrong}), "(another SHA-256|not as it states)", tmp_path)


TAMPERED: dict[str, Callable[[sqlite3.Connection], object]] = {
    "a trigger": lambda db: db.execute("CREATE TRIGGER t AFTER INSERT ON photos BEGIN DELETE FROM identities; END"),
    "a view": lambda db: db.execute("CREATE VIEW v AS SELECT * FROM photos"),
    "a table": lambda db: db.execute("CREATE TABLE more (x)"),
    "a missing table": lambda db: db.execute("DROP TABLE rejections"),
    "a trigger on the steps": lambda db: db.execute(
        "CREATE TRIGGER t AFTER INSERT ON _sqlite_migrations BEGIN DELETE FROM identities; END"
    ),
    "a newer step": lambda db: db.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('byteface-gallery', '0099_x', '')"
    ),
    "another program's database": lambda db: db.execute("PRAGMA application_id = 7"),
    "text in a number": lambda db: db.execute("UPDATE photos SET quality = 'high'"),
    "a short embedding": lambda db: db.execute("UPDATE photos SET embedding = x'00' WHERE id = 'p1'"),
    "not numbers": lambda db: db.execute("UPDATE photos SET embedding = ?", [np.full(DIM, np.nan, "<f4").tobytes()]),
    "no unit": lambda db: db.execute("UPDATE rejections SET embedding = ?", [np.ones(DIM, "<f4").tobytes()]),
    "a foreign template": lambda db: db.execute("UPDATE identities SET template = ?", [unit(5).tobytes()]),
    "a name that turns": lambda db: db.execute("UPDATE identities SET name = 'a\u202eb' WHERE id = 'i1'"),
    "a record that is none": lambda db: db.execute("UPDATE identities SET metadata = '[1]'"),
    "a record with numbers": lambda db: db.execute("UPDATE identities SET metadata = '{\"a\": 1}'"),
    "photographs of nobody": lambda db: db.execute("UPDATE photos SET identity_id = 'gone' WHERE id = 'p1'"),
    "a wrong count": lambda db: db.execute("UPDATE identities SET photo_count = 99"),
    "somebody else's cover": lambda db: db.execute("UPDATE identities SET cover_photo_id = 'p2' WHERE id = 'i1'"),
    "no space": lambda db: db.execute("DELETE FROM meta WHERE key = 'space_id'"),
    "a huge space": lambda db: db.execute("UPDATE meta SET value = '999999999' WHERE key = 'space_dim'"),
    "a kept face without its numbers": lambda db: db.execute("UPDATE unknowns SET measures = x'00' WHERE id = 'f1'"),
    "a kept face without an end": lambda db: db.execute("UPDATE unknowns SET expires_at = 'never' WHERE id = 'f1'"),
    "a kept face of no zone": lambda db: db.execute("UPDATE unknowns SET seen_at = '2026-01-02T03:04:05'"),
    "keeping that is none": lambda db: db.execute("UPDATE meta SET value = '[]' WHERE key = 'unknowns'"),
    "keeping for text": lambda db: db.execute("UPDATE meta SET value = '{\"days\": \"7\"}' WHERE key = 'unknowns'"),
    "two people who are one": lambda db: db.execute("UPDATE apart SET second_id = 'gone'"),
    "a revision without an end": lambda db: db.execute(f"UPDATE meta SET value = '{2**63}' WHERE key = 'revision'"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_database_with_a_right_digest_and_wrong_content_is_refused(how: str, path: Path, tmp_path: Path) -> None:
    backup, altered = tmp_path / "people.byteface", tmp_path / "altered.db"
    export_gallery(str(path), backup)
    with zipfile.ZipFile(backup) as archive:
        altered.write_bytes(archive.read("gallery.db"))
    with closing(sqlite3.connect(altered)) as db:
        TAMPERED[how](db)
        db.commit()
    assert is_refused(
        repacked(backup, database=altered.read_bytes()), "(not restored|newer version|not a gallery)", tmp_path
    )
