"""Several galleries of one folder: which can be chosen, which one is meant, and that nobody's work is mixed up."""

from __future__ import annotations

import contextvars
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes import fake_recognizer, photograph
from gallery_records import DIM, photo

from reid.errors import EmbeddingSpaceError, GalleryError
from reid.gallery import open_gallery
from reid.gallery.shelf import choose
from reid.recognizer import Recognizer


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path)
    made.enrol("Ann", [made.sample(photograph([0]))])
    yield made
    made.close()


def within(name: str, work: Callable[[], object]) -> object:
    """The work of a request that chose a gallery."""

    def chosen() -> object:
        choose(name)
        return work()

    return contextvars.copy_context().run(chosen)


def test_only_galleries_of_the_folder_can_be_chosen(recognizer: Recognizer, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE x (y)")
    (tmp_path / "empty.db").touch()
    (tmp_path / "people.before-20260101-000000.db").write_bytes((tmp_path / "people.db").read_bytes())
    recognizer.shelf.create("Staff 2026")
    assert recognizer.shelf.names() == ["people", "Staff 2026"]
    assert (tmp_path / "Staff 2026.db").stat().st_mode & 0o777 == 0o600


def test_each_request_means_the_gallery_that_it_chose(recognizer: Recognizer) -> None:
    recognizer.shelf.create("staff")
    within("staff", lambda: recognizer.enrol("Bob", [recognizer.sample(photograph([1]))]))
    assert [one.name for one in recognizer.gallery.identities()] == ["Ann"]
    assert within("staff", lambda: [one.name for one in recognizer.gallery.identities()]) == ["Bob"]
    assert within("staff", lambda: recognizer.search(photograph([0]))[0].label) == "doesn't_exist"
    assert recognizer.search(photograph([0]))[0].label == "Ann"
    assert within("staff", lambda: recognizer.shelf.name) == "staff"


@pytest.mark.parametrize("name", ["gone", "../people", "", "people.db", "/etc/passwd"])
def test_a_name_that_no_gallery_has_means_the_first_one(recognizer: Recognizer, name: str) -> None:
    assert within(name, lambda: recognizer.gallery.count()) == 1
    assert within(name, lambda: recognizer.shelf.name) == "people"


@pytest.mark.parametrize("name", ["", "  ", "../up", "a/b", ".hidden", "a\nb", "x" * 61, "-", "a.before-x"])
def test_a_name_that_is_no_files_is_refused(recognizer: Recognizer, tmp_path: Path, name: str) -> None:
    with pytest.raises(GalleryError, match="A gallery's name"):
        recognizer.shelf.create(name)
    assert not list(tmp_path.parent.glob("up.db*"))


def test_a_gallery_is_not_made_twice_whatever_the_capitals(recognizer: Recognizer) -> None:
    with pytest.raises(GalleryError, match="already"):
        recognizer.shelf.create("People")


def test_a_gallery_of_another_space_is_refused_in_words(recognizer: Recognizer, tmp_path: Path) -> None:
    with closing(open_gallery(str(tmp_path / "strange.db"), space_id="other:1", dim=DIM)) as gallery:
        gallery.add([photo("p", "i")])
    assert "strange" in recognizer.shelf.names()
    with pytest.raises(EmbeddingSpaceError, match="other:1"):
        within("strange", lambda: recognizer.gallery.count())
    assert recognizer.gallery.count() == 1


def test_closing_lets_go_of_all(recognizer: Recognizer) -> None:
    recognizer.shelf.create("staff")
    staff = within("staff", lambda: recognizer.gallery)
    recognizer.close()
    with pytest.raises(GalleryError, match="closed"):
        staff.count()  # type: ignore[attr-defined]
