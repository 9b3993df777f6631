"""A SQLite gallery of an older or newer version, and addresses that lead to no backend."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from gallery_backends import opened_sqlite as opened
from gallery_records import DIM, SPACE, make_version_1, photo, unit
from sqlite_utils import Database, Migrations

from reid.errors import GalleryError
from reid.gallery import migrations, open_gallery

TESTS = Path(__file__).parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.db"


# --- versions --------------------------------------------------------------------------------------------------------


def test_a_gallery_of_the_first_version_opens(path: Path) -> None:
    make_version_1(path)
    with closing(opened(path)) as gallery:
        (found,) = gallery.search(unit(1)[None], 5)[0]
        assert (found.identity.name, found.identity.metadata, found.photo_id) == ("Ann", {"note": "VIP"}, "p1")
        gallery.add([photo("p2", "ann")])
        assert gallery.identity("ann").photo_count == 2


def with_second_step(step: Callable[[Database], None]) -> Migrations:
    """The numbered steps as a later version will have them."""
    later = Migrations("byteface-gallery")
    later(name="0001_gallery")(migrations._gallery)
    later(name="0002_later")(step)
    with closing(Database(memory=True)) as nothing:
        for known in migrations.MIGRATIONS.pending(nothing)[1:]:
            later(name=known.name)(known.fn)
    return later


def test_an_older_gallery_is_copied_beside_itself_and_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_version_1(path)
    monkeypatch.setattr(
        migrations, "MIGRATIONS", with_second_step(lambda db: db.execute("ALTER TABLE photos ADD COLUMN later TEXT"))
    )
    with closing(opened(path)) as gallery:
        gallery.remove("ann")
    assert "later" in [column.name for column in Database(path)["photos"].columns]
    monkeypatch.undo()
    backup = path.with_name("gallery.db.before-0002_later.bak")
    with closing(opened(backup)) as gallery:
        assert gallery.count() == 1
    with pytest.raises(GalleryError, match=r"newer version.*0002_later"):
        opened(path)


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(db: Database) -> None:
        db.execute("DROP TABLE photos")
        db.execute("DROP TABLE nothing_of_that_name")

    make_version_1(path)
    monkeypatch.setattr(migrations, "MIGRATIONS", with_second_step(fail))
    with pytest.raises(GalleryError, match="no such table"):
        opened(path)
    monkeypatch.undo()
    with closing(opened(path)) as gallery:
        assert len(gallery.photos("ann")) == 1


def test_a_migration_without_room_for_its_backup_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_version_1(path)
    path.with_name("gallery.db.before-0002_later.bak").mkdir()
    monkeypatch.setattr(migrations, "MIGRATIONS", with_second_step(lambda db: db.execute("DROP TABLE photos")))
    with pytest.raises(GalleryError, match="backup could not be written"):
        opened(path)
    monkeypatch.undo()
    with closing(opened(path)) as gallery:
        assert len(gallery.photos("ann")) == 1
    assert not list(path.parent.glob("*.part"))


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_gallery_is_refused_and_left_alone(path: Path, read_only: bool) -> None:
    make_version_1(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO _sqlite_migrations VALUES (2, 'byteface-gallery', '0002_future', '2030')")
        connection.commit()
    content = path.read_bytes()
    with pytest.raises(GalleryError, match=r"newer version of ByteFace.*Update ByteFace"):
        opened(path, read_only=read_only)
    assert path.read_bytes() == content


def test_an_older_gallery_that_may_not_be_written_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_version_1(path)
    monkeypatch.setattr(migrations, "MIGRATIONS", with_second_step(lambda db: db.execute("DROP TABLE photos")))
    with pytest.raises(GalleryError, match="older version"):
        opened(path, read_only=True)


# --- addresses -------------------------------------------------------------------------------------------------------


def test_a_backend_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match=r"faiss, which is not installed"):
        open_gallery("faiss:people.index", space_id=SPACE, dim=DIM)
    with closing(open_gallery(f"sqlite:{tmp_path}/people.db", space_id=SPACE, dim=DIM)) as gallery:
        assert gallery.count() == 0
    assert (tmp_path / "people.db").exists()
