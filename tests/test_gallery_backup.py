"""Export and restore: everything comes back as it was, nothing is believed, and what is there is never lost."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gallery_records import DIM, SPACE, make_full, photo, unit

from reid.cli import main
from reid.errors import EmbeddingSpaceError, GalleryError
from reid.gallery import Gallery, open_gallery
from reid.gallery.backup import export_gallery, restore_gallery, take_back
from reid.gallery.listing import identities_csv, identities_table
from reid.types import Candidate


def opened(path: Path) -> Gallery:
    return open_gallery(str(path), space_id=SPACE, dim=DIM)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A gallery with everything that one can hold."""
    make_full(tmp_path / "people.db")
    yield tmp_path / "people.db"
    assert not list(tmp_path.glob(".*")), "something half-made was left"


def state(gallery: Gallery) -> list[Any]:
    people = gallery.identities()
    rejections = gallery.rejections([person.id for person in people])
    photos = [astuple(one) for person in people for one in gallery.photos(person.id)]
    return [
        people,
        [[value.tobytes() if isinstance(value, np.ndarray) else value for value in row] for row in photos],
        [(one.id, one.identity_id, one.source, one.embedding.tobytes()) for one in rejections],
        gallery.get_meta("calibration"),
        gallery.get_meta("unknowns"),
        [(one.id, one.seen_at, one.expires_at, one.embedding.tobytes()) for one in gallery.unknowns.faces()],
        [one.id for one in gallery.unknowns.faces(ignored=True)],
        gallery.apart(),
    ]  # fmt: skip


def answers(gallery: Gallery) -> list[list[Candidate]]:
    return gallery.search(np.stack([unit(seed) for seed in range(40)]), 4)


def test_everything_comes_back_as_it_was_and_answers_bit_for_bit(path: Path, tmp_path: Path) -> None:
    backup, new = tmp_path / "people.byteface", tmp_path / "new" / "people.db"
    with closing(opened(path)) as gallery:
        before, said = state(gallery), answers(gallery)
        contents = export_gallery(str(path), backup)  # while it is open
    assert (contents.people, contents.photographs, contents.space_id) == (4, 11, SPACE)
    restored = restore_gallery(backup, f"sqlite:{new}")
    assert restored.kept is None
    with closing(opened(new)) as gallery:
        assert state(gallery) == before
        assert answers(gallery) == said
        gallery.add([photo("later", "i9")])
    for file in (backup, new):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_backup_is_a_zip_that_states_the_digest_of_what_it_holds(path: Path, tmp_path: Path) -> None:
    export_gallery(str(path), tmp_path / "people.byteface")
    with zipfile.ZipFile(tmp_path / "people.byteface") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        data = archive.read("gallery.db")
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
    assert manifest["files"] == {"gallery.db": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}}
    assert (manifest["format"], manifest["version"], manifest["people"]) == ("byteface-gallery", 1, 4)
    assert bytes([11]) * 900 not in data, "an erased photograph went along"


def test_a_gallery_that_is_there_stays_unless_it_may_be_replaced(path: Path, tmp_path: Path) -> None:
    backup, other = tmp_path / "people.byteface", tmp_path / "other.db"
    export_gallery(str(path), backup)
    with closing(opened(other)) as gallery:
        gallery.add([photo("q", "mine", "Mine")])
    content = other.read_bytes()
    with pytest.raises(GalleryError, match="already"):
        restore_gallery(backup, str(other))
    assert other.read_bytes() == content
    kept = restore_gallery(backup, str(other), replace=True).kept
    assert kept is not None
    with closing(opened(other)) as gallery, closing(opened(kept)) as before:
        assert [one.name for one in before.identities()] == ["Mine"]
        assert gallery.count() == 4


def test_whoever_has_the_gallery_open_sees_what_was_restored_and_goes_on(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "people.byteface"
    export_gallery(str(path), backup)
    with closing(opened(path)) as gallery, closing(opened(path)) as another:
        said = answers(gallery)
        # as many people as in the backup and the same ids: only the revision tells a cache that they are others
        for index in range(4):
            gallery.remove(f"i{index}")
        gallery.add([photo(f"n{n}", f"i{n}", f"New {n}") for n in range(4)])
        assert answers(another) != said
        kept = restore_gallery(backup, str(path), replace=True).kept
        assert kept is not None
        assert answers(gallery) == said
        assert answers(another) == said
        another.rename("i0", "Renamed")
        assert gallery.identity("i0").name == "Renamed"
        take_back(str(path), kept)
        assert [one.name for one in gallery.identities()] == [f"New {n}" for n in range(4)]
        gallery.add([photo("more", "i0")])
        assert another.identity("i0").photo_count == 2
        assert kept.exists()


def test_what_was_replaced_is_not_left_in_the_file_or_its_log(path: Path, tmp_path: Path) -> None:
    with closing(opened(tmp_path / "small.db")) as gallery:
        gallery.add([photo("q", "mine", "Mine")])
    export_gallery(str(tmp_path / "small.db"), tmp_path / "small.byteface")
    restore_gallery(tmp_path / "small.byteface", str(path), replace=True)
    for file in (path, path.with_name("people.db-wal")):
        assert not file.exists() or bytes([5]) * 900 not in file.read_bytes()


def test_a_restore_waits_for_another_writer_and_gives_up_in_words(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_gallery(str(path), tmp_path / "people.byteface")
    monkeypatch.setattr("reid.gallery.copies.BUSY_S", 0.2)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(GalleryError, match="written by another process"):
            restore_gallery(tmp_path / "people.byteface", str(path), replace=True)
        writer.execute("ROLLBACK")
    with closing(opened(path)) as gallery:
        assert gallery.count() == 4


def test_an_export_during_writes_holds_one_state(path: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with closing(opened(path)) as gallery:
            number = 0
            while not stop.is_set():
                gallery.add([photo(f"a{number}", f"pair{number}"), photo(f"b{number}", f"pair{number}")])
                number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            export_gallery(str(path), tmp_path / f"{number}.byteface")
    finally:
        stop.set()
        writer.join()
    for number in range(3):
        restore_gallery(tmp_path / f"{number}.byteface", str(tmp_path / f"{number}.db"))
        with closing(opened(tmp_path / f"{number}.db")) as gallery:
            assert {one.photo_count for one in gallery.identities() if one.id.startswith("pair")} <= {2}


def test_a_backup_of_an_older_version_is_brought_to_this_one(tmp_path: Path) -> None:
    from test_gallery_sqlite import make_version_1

    make_version_1(tmp_path / "old.db")
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        (space,) = old.execute("SELECT value FROM meta WHERE key = 'space_id'").fetchone()
    export_gallery(str(tmp_path / "old.db"), tmp_path / "old.byteface")
    restore_gallery(tmp_path / "old.byteface", str(tmp_path / "new.db"))
    with closing(open_gallery(str(tmp_path / "new.db"), space_id=space, dim=None)) as gallery:
        assert len(gallery.photos("ann")) == 1
    assert not list(tmp_path.glob("*.bak"))


def test_a_backup_of_another_space_is_not_mixed_in(path: Path, tmp_path: Path) -> None:
    export_gallery(str(path), tmp_path / "people.byteface")
    with closing(open_gallery(str(tmp_path / "other.db"), space_id="other:1", dim=DIM)) as gallery:
        with pytest.raises(EmbeddingSpaceError, match="faces of the space"):
            restore_gallery(tmp_path / "people.byteface", str(tmp_path / "other.db"), replace=True)
        assert gallery.count() == 0
    assert not list(tmp_path.glob("other.before*"))


def test_what_cannot_be_exported_is_said(tmp_path: Path, path: Path) -> None:
    with pytest.raises(GalleryError, match="There is no gallery at"):
        export_gallery(str(tmp_path / "none.db"), tmp_path / "x.byteface")
    with pytest.raises(GalleryError, match="Copy the file itself"):
        export_gallery(str(tmp_path / "g.npy"), tmp_path / "x.byteface")
    with pytest.raises(GalleryError, match="the gallery itself"):
        export_gallery(str(path), path)
    (tmp_path / "file").write_text("")
    with pytest.raises(GalleryError, match="cannot be written"):
        export_gallery(str(path), tmp_path / "file" / "x.byteface")


# --- tables and commands ---------------------------------------------------------------------------------------------


def test_the_table_of_identities_holds_no_formula(path: Path) -> None:
    with closing(opened(path)) as gallery:
        gallery.rename("i0", '=HYPERLINK("http://x","y")')
        gallery.edit("i2", metadata={"notes": "@cmd", "+k": "-1"})
        people = gallery.identities()
    rows = list(csv.DictReader(io.StringIO(identities_csv(people).decode("utf-8-sig"))))
    assert list(rows[0]) == [
        "id",
        "name",
        "photographs",
        "created_at",
        "consent",
        "expires",
        "notes",
        "'+k",
        "Staff no.",
    ]
    by_id = {row["id"]: row for row in rows}
    assert by_id["i0"]["name"] == '\'=HYPERLINK("http://x","y")'
    assert (by_id["i2"]["notes"], by_id["i2"]["'+k"]) == ("'@cmd", "'-1")
    assert by_id["i1"]["consent"] == "Agreement"
    assert identities_table([]).empty


def test_the_commands_carry_a_gallery_to_another_place(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, table, new = (str(tmp_path / name) for name in ("p.byteface", "p.csv", "new.db"))
    assert main(["export", backup, "--gallery", str(path)]) == 0
    assert main(["export", table, "--csv", "--gallery", str(path)]) == 0
    assert main(["restore", backup, "--gallery", new]) == 0
    assert main(["restore", backup, "--gallery", new]) == 1
    assert "--replace" in capsys.readouterr().err
    assert main(["restore", backup, "--gallery", new, "--replace"]) == 0
    assert "What was there before" in capsys.readouterr().out
    assert len(list(csv.DictReader(io.StringIO(Path(table).read_text(encoding="utf-8"))))) == 4


def test_an_export_can_be_checked_for_whether_it_could_be_restored(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(tmp_path / "people.byteface"), "--gallery", str(path), "--check"]
    assert main(words) == 0
    assert "It can be restored." in capsys.readouterr().out
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO meta VALUES ('retention', '{\"days\": true}')")
    assert main(words) == 1
    assert "not restored" in capsys.readouterr().err
