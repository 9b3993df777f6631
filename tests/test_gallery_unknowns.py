"""The contract of every gallery about strangers' faces, pairs that are two people, and copies of its vectors."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from gallery_backends import opened
from gallery_records import DIM, NOW, SPACE, kept, photo, unit

from reid.errors import EmbeddingSpaceError, GalleryError, IdentityNotFoundError
from reid.gallery import Gallery, open_gallery
from reid.gallery.npy import save_npy


def ids(gallery: Gallery, *, ignored: bool = False) -> list[str]:
    return [face.id for face in gallery.unknowns.faces(ignored=ignored)]


def test_a_kept_face_comes_back_as_it_was(url: str) -> None:
    face = kept("f1", crop=bytes(range(256)) * 40)
    with closing(opened(url)) as gallery:
        assert gallery.unknowns.keep([face]) == 1
    with closing(opened(url)) as gallery:
        found = gallery.unknowns.face("f1")
    assert found is not None
    np.testing.assert_array_equal(found.embedding, face.embedding)
    np.testing.assert_array_equal(found.landmarks_px, face.landmarks_px)
    vectors = {"embedding": face.embedding, "landmarks_px": face.landmarks_px}
    assert repr(replace(found, **vectors)) == repr(face)


def test_faces_come_newest_first_and_one_kept_again_stays_as_it_was(gallery: Gallery) -> None:
    gallery.unknowns.keep([kept("old", seen_days_ago=3), kept("new")])
    assert gallery.unknowns.keep([kept("old", days=300), kept("middle", seen_days_ago=1)]) == 1
    assert ids(gallery) == ["new", "middle", "old"]
    found = gallery.unknowns.face("old")
    assert found is not None
    assert found.expires_at == kept("old", seen_days_ago=3).expires_at
    assert gallery.count() == 0, "a kept face is nobody enrolled"
    assert gallery.search(unit(1)[None], 5) == [[]]


def test_a_face_whose_time_is_over_is_not_there_any_more(url: str) -> None:
    with closing(opened(url)) as gallery:
        gallery.unknowns.keep([kept("over", seen_days_ago=31), kept("ends today", seen_days_ago=30), kept("stays")])
        assert gallery.unknowns.face("over") is None
        assert gallery.unknowns.count() == 1
        assert ids(gallery) == ["stays"]


def test_an_ignored_face_outlives_its_time_and_is_kept_apart(gallery: Gallery) -> None:
    gallery.unknowns.keep([kept("pest", seen_days_ago=29), kept("other")])
    assert gallery.unknowns.ignore(["pest", "nobody"]) == 1
    assert (ids(gallery), ids(gallery, ignored=True)) == (["other"], ["pest"])
    assert (gallery.unknowns.count(), gallery.unknowns.count(ignored=True)) == (1, 1)
    gallery.unknowns.shorten(1)
    assert ids(gallery, ignored=True) == ["pest"]
    gallery.unknowns.ignore(["pest"], ignored=False)
    assert ids(gallery) == ["other"], "its time ended while it was ignored"


def test_a_shorter_time_ends_those_that_are_kept_and_a_longer_one_does_not_prolong_them(gallery: Gallery) -> None:
    gallery.unknowns.keep([kept("three", seen_days_ago=3), kept("one", seen_days_ago=1)])
    gallery.unknowns.shorten(90)
    first = gallery.unknowns.face("one")
    assert first is not None
    assert first.expires_at == kept("one", seen_days_ago=1).expires_at
    gallery.unknowns.shorten(2)
    assert ids(gallery) == ["one"]
    second = gallery.unknowns.face("one")
    assert second is not None
    assert second.expires_at == (NOW + timedelta(days=1)).isoformat(timespec="seconds")


def test_removing_says_how_many_there_were(gallery: Gallery) -> None:
    gallery.unknowns.keep([kept("f1"), kept("f2"), kept("f3")])
    assert gallery.unknowns.remove(["f1", "f2", "nobody"]) == 2
    assert ids(gallery) == ["f3"]


def test_a_face_of_another_space_is_refused_and_nothing_is_kept(gallery: Gallery) -> None:
    with pytest.raises(EmbeddingSpaceError):
        gallery.unknowns.keep([kept("f1"), replace(kept("f2"), embedding=unit(7, DIM + 1))])
    with pytest.raises(GalleryError, match="five landmarks"):
        gallery.unknowns.keep([kept("f1"), replace(kept("f2"), landmarks_px=np.zeros((4, 2), np.float32))])
    assert ids(gallery) == []


def test_nothing_of_an_erased_face_stays_in_the_file(tmp_path: Path) -> None:
    marker = b"the crop of a stranger that must go" * 200
    path = tmp_path / "gallery.db"
    with closing(opened(str(path))) as gallery:
        gallery.unknowns.keep([kept("f1", crop=marker), kept("over", crop=marker[::-1], seen_days_ago=29.9999)])
        assert any(marker[:35] in file.read_bytes() for file in tmp_path.iterdir())
        gallery.unknowns.shorten(1)
        gallery.unknowns.remove(["f1"])
        for file in tmp_path.iterdir():
            assert marker[:35] not in file.read_bytes()
            assert marker[::-1][:35] not in file.read_bytes()


def test_an_expired_face_is_erased_when_the_gallery_is_opened(tmp_path: Path) -> None:
    marker = b"the crop of a stranger that must go" * 200
    path = tmp_path / "gallery.db"
    with closing(opened(str(path))) as gallery:
        gallery.unknowns.keep([kept("over", crop=marker, seen_days_ago=31)])
    assert marker[:35] in path.read_bytes(), "kept by a clock that was wrong, as it were"
    opened(str(path)).close()
    assert marker[:35] not in path.read_bytes()


def test_what_is_kept_cannot_be_changed_where_the_gallery_is_read_only(tmp_path: Path) -> None:
    path = str(tmp_path / "gallery.db")
    with closing(opened(path)) as gallery:
        gallery.unknowns.keep([kept("f1"), kept("over", seen_days_ago=31)])
    with closing(open_gallery(path, space_id=SPACE, dim=DIM, read_only=True)) as gallery:
        assert ids(gallery) == ["f1"]
        with pytest.raises(GalleryError, match="read-only here"):
            gallery.unknowns.keep([kept("f2")])


def test_a_npy_gallery_refuses_in_one_sentence_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "gallery.npy"
    save_npy(path, ["Ann", "Bob"], np.stack([unit(1), unit(2)]), [3, 1], SPACE)
    with closing(open_gallery(str(path), space_id=SPACE, dim=DIM)) as gallery:
        with pytest.raises(GalleryError, match=r"keeps no faces of strangers\. Use a \.db"):
            _ = gallery.unknowns
        with pytest.raises(GalleryError, match="read-only"):
            gallery.set_apart("Ann", "Bob")
        found, rows = gallery.templates()
        assert (found, gallery.apart(), gallery.revision()) == (["Ann", "Bob"], set(), 0)
        np.testing.assert_array_equal(rows, np.stack([unit(1), unit(2)]))


# --- two people ------------------------------------------------------------------------------------------------------


def test_two_people_are_remembered_in_any_order_and_forgotten(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", "Ann"), photo("p2", "bob", "Bob")])
    gallery.set_apart("bob", "ann")
    gallery.set_apart("ann", "bob")
    assert gallery.apart() == {("ann", "bob")}
    gallery.set_apart("ann", "bob", apart=False)
    assert gallery.apart() == set()
    with pytest.raises(IdentityNotFoundError):
        gallery.set_apart("ann", "nobody")


def test_what_was_said_of_a_pair_goes_with_the_people(gallery: Gallery) -> None:
    gallery.add([photo(f"p{who}", who, who) for who in ("ann", "bob", "cem", "dan")])
    for pair in (("ann", "bob"), ("ann", "cem"), ("cem", "dan")):
        gallery.set_apart(*pair)
    gallery.merge("ann", "bob")
    assert gallery.apart() == {("bob", "cem"), ("cem", "dan")}
    gallery.remove("cem")
    assert gallery.apart() == set()


# --- copies of the vectors -------------------------------------------------------------------------------------------


def test_templates_are_a_copy_of_one_state(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", embedding=unit(1)), photo("p2", "bob", embedding=unit(2))])
    before = gallery.revision()
    found, rows = gallery.templates()
    assert sorted(found) == ["ann", "bob"]
    gallery.add([photo("p1", "ann", embedding=unit(3))])
    assert gallery.revision() > before
    np.testing.assert_allclose(rows[found.index("ann")], unit(1), atol=1e-6)


def test_embeddings_come_by_identity_without_those_who_are_gone(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", embedding=unit(1)), photo("p2", "ann", embedding=unit(2)), photo("p3", "bob")])
    found = gallery.embeddings(["ann", "nobody"])
    assert list(found) == ["ann"]
    assert found["ann"][0] == ["p1", "p2"]
    np.testing.assert_array_equal(found["ann"][1], np.stack([unit(1), unit(2)]))
