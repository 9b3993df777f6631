"""What only the SQLite gallery has: its file, other processes, and storage that fails."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from gallery_backends import opened_sqlite as opened
from gallery_records import make_version_1, photo, unit

from reid.errors import GalleryError
from reid.gallery.connection import Link
from reid.settings import CHECKOUT

TESTS = Path(__file__).parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gallery.db"


def in_another_process(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process with the tests' records at hand and `path` as its first argument."""
    start = (
        "import sys\nfrom pathlib import Path\nfrom gallery_records import *\nfrom reid.gallery import open_gallery\n"
    )
    start += "gallery = open_gallery(sys.argv[1], space_id=SPACE, dim=DIM)\n"
    return subprocess.Popen(
        [sys.executable, "-c", start + script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
    )


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=60)
    assert process.returncode == 0


# --- several processes -----------------------------------------------------------------------------------------------


def test_a_search_sees_what_another_process_wrote(path: Path) -> None:
    with closing(opened(path)) as gallery:
        gallery.add([photo("p1", "ann", embedding=unit(1)), photo("p2", "bo", embedding=unit(2))])
        assert gallery.search(unit(3)[None], 1)[0][0].similarity < 0.9
        finish(in_another_process('gallery.add([photo("p3", "cy", embedding=unit(3))]); gallery.close()', path))
        assert gallery.search(unit(3)[None], 1)[0][0].identity.id == "cy"
        finish(in_another_process('gallery.add([photo("p4", "cy", embedding=-unit(4))]); gallery.close()', path))
        changed = gallery.search(unit(3)[None], 5)
        finish(in_another_process('gallery.remove("cy"); gallery.close()', path))
        removed = gallery.search(unit(3)[None], 5)
    with closing(opened(path)) as fresh:
        assert removed == fresh.search(unit(3)[None], 5)
    assert next(found for found in changed[0] if found.identity.id == "cy").identity.photo_count == 2
    assert {found.identity.id for found in removed[0]} == {"ann", "bo"}


def test_a_search_sees_a_person_removed_and_another_added_between_two_searches(path: Path) -> None:
    with closing(opened(path)) as gallery:
        gallery.add([photo("p1", "ann", embedding=unit(1)), photo("p2", "bo", embedding=unit(2))])
        gallery.search(unit(1)[None], 1)
        gallery.remove("ann")
        gallery.add([photo("p3", "cy", embedding=unit(3))])
        assert {found.identity.id for found in gallery.search(unit(3)[None], 5)[0]} == {"bo", "cy"}


def test_four_processes_make_and_fill_one_gallery_together(path: Path) -> None:
    script = 'gallery.add([photo(f"{sys.argv[2]}-{n}", f"{sys.argv[2]}-{n}") for n in range(5)]); gallery.close()'
    for process in [in_another_process(script, path, number) for number in range(4)]:
        finish(process)
    with closing(opened(path)) as gallery:
        assert gallery.count() == 20


def test_opening_waits_for_a_process_that_writes_before_the_write_ahead_log_is_on(path: Path) -> None:
    make_version_1(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.2, other.rollback)
    release.start()
    link = Link(path, "rw")
    link.prepare_for_writing()
    assert link.db.journal_mode == "wal"
    release.join()
    for connection in (link, other):
        connection.close()


ENROL_AND_ERASE = """
for n in range(10_000):
    gallery.add([photo(f"{n}-{m}", f"i{n}", crop=bytes([m]) * 20_000) for m in range(20)])
    print(n, flush=True)
    if n % 3 == 2:
        gallery.remove(f"i{n - 1}")
"""


def test_killed_in_the_middle_of_a_change_it_holds_whole_changes_only(path: Path) -> None:
    chance = random.Random(0)
    for _ in range(4):
        process = in_another_process(ENROL_AND_ERASE, path)
        assert process.stdout is not None
        for n in range(chance.randint(1, 6)):
            assert process.stdout.readline() == f"{n}\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with closing(opened(path)) as gallery:
            found = gallery.identities()
            assert found, "what was committed before the kill"
            assert [who.photo_count for who in found] == [20] * len(found)
            assert all(len(gallery.photos(who.id)) == 20 for who in found)
            assert len(gallery.search(unit(1)[None], len(found) + 1)[0]) == len(found)
            for who in found:
                gallery.remove(who.id)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            assert connection.execute("SELECT count(*) FROM photos").fetchone() == (0,)


# --- erasure ---------------------------------------------------------------------------------------------------------


def traces(folder: Path, content: bytes) -> int:
    """How many 32-byte pieces of the content lie in the folder's files."""
    everything = b"".join(file.read_bytes() for file in folder.iterdir())
    return sum(content[start : start + 32] in everything for start in range(0, len(content) - 31, 32))


@pytest.mark.parametrize("erase", ["person", "photograph"])
def test_what_was_erased_is_in_none_of_the_files(path: Path, erase: str) -> None:
    crop = np.random.default_rng(1).bytes(20_000)
    source = "a photograph that somebody wants erased.jpg"
    erased = photo("p2", "ann", crop=crop, embedding=unit(5), source=source)
    with closing(opened(path)) as gallery:
        gallery.add([photo("p1", "bo", crop=np.random.default_rng(2).bytes(9_000)), erased])
        gallery.search(unit(5)[None], 2)
        assert traces(path.parent, crop) > 600, "all of it but the pieces that lie on two pages"
        assert traces(path.parent, unit(5).tobytes()) == 2
        assert traces(path.parent, source.encode()) == 1
        if erase == "person":
            gallery.remove("ann")
        else:
            gallery.remove_photos(["p2"])
        for secret in (crop, unit(5).tobytes(), source.encode()):
            assert traces(path.parent, secret) == 0
        assert gallery.photo("p1") is not None


def test_an_erasure_that_a_reader_holds_up_is_finished_by_the_next_change(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crop = np.random.default_rng(1).bytes(20_000)
    monkeypatch.setattr("reid.gallery.connection.BUSY_S", 0.05)
    with closing(opened(path)) as gallery, closing(sqlite3.connect(path, isolation_level=None)) as other:
        gallery.add([photo("p1", "ann", crop=crop)])
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM photos").fetchone()
        gallery.remove("ann")
        assert "write-ahead log" in caplog.text
        assert traces(path.parent, crop) > 0
        other.execute("COMMIT")
        gallery.set_meta("anything", "else")
        assert traces(path.parent, crop) == 0


# --- storage that fails ----------------------------------------------------------------------------------------------


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(path: Path) -> None:
    with closing(opened(path)) as gallery:
        gallery.add([photo("p1", "ann", "Ann")])
        assert gallery._writer is not None
        pages = gallery._writer.db.execute("PRAGMA page_count").fetchone()[0]
        gallery._writer.db.execute(f"PRAGMA max_page_count = {pages + 3}")
        with pytest.raises(GalleryError, match=r"no room left on its disk\. Nothing was changed"):
            gallery.add([photo(f"q{n}", "bo", "Bo", crop=bytes(9_000)) for n in range(20)])
        assert [who.name for who in gallery.identities()] == ["Ann"]
        assert len(gallery.search(unit(1)[None], 5)[0]) == 1
        gallery._writer.db.execute("PRAGMA max_page_count = 100000")
        gallery.add([photo(f"q{n}", "bo", "Bo", crop=bytes(9_000)) for n in range(20)])
        assert gallery.count() == 2


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write everywhere, so it becomes nobody for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def unwritable() -> Iterator[Path]:
    """A closed gallery of one person in a folder where nothing can be written. Not in tmp_path: only root enters it."""
    folder = Path(tempfile.mkdtemp())
    with closing(opened(folder / "gallery.db")) as gallery:
        gallery.add([photo("p1", "ann", "Ann")])
    (folder / "gallery.db").chmod(0o444)
    folder.chmod(0o555)
    yield folder / "gallery.db"
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_gallery_on_read_only_storage_is_searched_and_not_changed(unwritable: Path, read_only: bool) -> None:
    with without_privileges(), closing(opened(unwritable, read_only=read_only)) as gallery:
        assert gallery.search(unit(1)[None], 1)[0][0].identity.name == "Ann"
        assert gallery.photo("p1") is not None
        for change in (lambda: gallery.add([photo("p2", "bo")]), lambda: gallery.remove("ann")):
            with pytest.raises(GalleryError, match="read-only"):
                change()
        assert gallery.read_only
    assert [file.name for file in unwritable.parent.iterdir()] == ["gallery.db"]


def test_a_log_that_cannot_be_read_back_is_not_passed_over(unwritable: Path) -> None:
    unwritable.parent.chmod(0o755)
    (unwritable.parent / "gallery.db-wal").write_bytes(b"committed, but not in the file yet")
    unwritable.parent.chmod(0o555)
    with without_privileges(), pytest.raises(GalleryError, match="was not closed"):
        opened(unwritable, read_only=True)


def test_a_gallery_is_not_made_where_nothing_can_be_written(unwritable: Path) -> None:
    with without_privileges():
        with pytest.raises(GalleryError, match=r"cannot be made \(Permission denied\)"):
            opened(unwritable.with_name("new.db"))
        with pytest.raises(GalleryError, match="cannot be made"):
            opened(unwritable.with_name("new") / "new.db")


def test_a_reader_of_a_gallery_in_use_sees_what_the_writer_adds(path: Path) -> None:
    with closing(opened(path)) as writer:
        writer.add([photo("p1", "ann")])
        with closing(opened(path, read_only=True)) as reader:
            assert len(reader.search(unit(1)[None], 5)[0]) == 1
            writer.add([photo("p2", "bo")])
            assert len(reader.search(unit(1)[None], 5)[0]) == 2
            with pytest.raises(GalleryError, match="read-only"):
                reader.rename("ann", "Ann")


def test_files_that_are_no_gallery_are_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE holidays (place TEXT)")
    text = tmp_path / "notes.db"
    text.write_text("no database at all, but long enough to be looked at" * 100)
    for file, reason in ((path, "not a gallery"), (text, "no SQLite database"), (tmp_path, "is a folder")):
        content = file.read_bytes() if file.is_file() else b""
        for read_only in (False, True):
            with pytest.raises(GalleryError, match=reason):
                opened(file, read_only=read_only)
        assert (file.read_bytes() if file.is_file() else b"") == content
    assert sorted(file.name for file in tmp_path.iterdir()) == ["gallery.db", "notes.db"]


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


@pytest.mark.parametrize("damage", [cut_in_half, overwrite])
def test_a_damaged_gallery_is_one_sentence(path: Path, damage: Callable[[Path], None]) -> None:
    with closing(opened(path)) as gallery:
        gallery.add([photo(f"p{n}", f"i{n}", crop=bytes(9_000)) for n in range(40)])
    damage(path)
    with pytest.raises(GalleryError, match=r"is damaged\. Restore it"), closing(opened(path)) as gallery:
        gallery.search(unit(1)[None], 40)


def test_a_zero_byte_file_becomes_a_gallery_only_where_one_may_be_made(path: Path) -> None:
    path.touch()
    with pytest.raises(GalleryError, match="no gallery"):
        opened(path, read_only=True)
    with closing(opened(path)) as gallery:
        assert gallery.count() == 0


def test_file_names_with_undecodable_bytes_and_special_characters_are_kept_readable(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "50% of us? #1" / "gälery.db")) as gallery:
        gallery.add([photo("p1", "ann", source=os.fsdecode(b"caf\xe9.jpg"))])
        found = gallery.photo("p1")
        assert found is not None
        assert found.source == "caf?.jpg"


def test_the_files_are_private_to_their_owner(path: Path) -> None:
    with closing(opened(path)) as gallery:
        gallery.add([photo("p1", "ann")])
        assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_no_statement_numbers_its_placeholders() -> None:
    # SQLite knows ?1, but Python 3.12 warns of values that are given in order to it, and 3.14 refuses them
    numbered = re.compile(r"\?\d")
    found = [path.name for path in (CHECKOUT / "reid").rglob("*.py") if numbered.search(path.read_text("utf-8"))]
    assert not found
