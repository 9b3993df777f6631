"""Photographs to faces to splits, with everything that users' tables get wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import FakeDetector, save

from reid.align import align
from reid.errors import TableError
from reid.images import read_photograph
from reid.types import STRANGER
from trainer.data import FaceStore, FoundFace, Photo, read_photos, summarise, usable
from trainer.splits import split_of


def face(name: str, label: str | None, *, content: str | None = None) -> FoundFace:
    return FoundFace(name, label, content or name, "ok", "")


def people(count: int, each: int, *, first: int = 0) -> list[FoundFace]:
    return [face(f"p{p}/{n}.jpg", f"person_{p}") for p in range(first, first + count) for n in range(each)]


@pytest.fixture
def store(tmp_path: Path) -> FaceStore:
    return FaceStore(tmp_path / "cache", FakeDetector(), "largest", (64, 112), min_face_px=12)


def test_crops_are_those_of_the_app_and_a_second_look_reads_them_from_disk(tmp_path: Path, store: FaceStore) -> None:
    path = save(tmp_path / "a.jpg", [1, 2])
    found = store.find([Photo("a.jpg", path, "anna")], "test")[0]
    photograph = read_photograph(path)
    expected = FakeDetector().detect([photograph.pixels])[0][0]
    assert (found.status, found.label, found.faces) == ("ok", "anna", 2)
    for side in (64, 112):
        np.testing.assert_array_equal(found.read_crop(side), align(photograph.pixels, expected.landmarks_px, side))
    detector = FakeDetector()
    again = FaceStore(tmp_path / "cache", detector, "largest", (64, 112), min_face_px=12)
    assert again.find([Photo("a.jpg", path, "anna")], "test") == [found]
    assert detector.calls == 0


def test_the_same_content_under_another_name_is_cut_once(tmp_path: Path, store: FaceStore) -> None:
    first = save(tmp_path / "a.jpg", [1])
    (tmp_path / "b.jpg").write_bytes(first.read_bytes())
    found = store.find([Photo("a.jpg", first, "anna"), Photo("b.jpg", tmp_path / "b.jpg", "anna")], "test")
    assert found[0].crops == found[1].crops
    assert len(list(store.folder.rglob("*-64.png"))) == 1


def test_photographs_are_searched_together_and_keep_their_places(tmp_path: Path) -> None:
    detector = FakeDetector()
    store = FaceStore(tmp_path / "cache", detector, "largest", (64,), min_face_px=12)
    photos = [Photo(f"{n}.jpg", save(tmp_path / f"{n}.jpg", [n]), str(n)) for n in range(5)]
    alone = store.find(photos[2:3], "test")
    assert detector.calls == 1
    found = store.find(photos, "test")
    assert [face.label for face in found] == ["0", "1", "2", "3", "4"]
    assert found[2] == alone[0]
    assert detector.calls == 3, "those before the known one, and those after it"


def test_another_choice_of_face_or_smallest_face_has_crops_of_its_own(tmp_path: Path, store: FaceStore) -> None:
    others = [
        FaceStore(tmp_path / "cache", FakeDetector(), "central", (64,), min_face_px=12),
        FaceStore(tmp_path / "cache", FakeDetector(), "largest", (64,), min_face_px=20),
    ]
    assert len({store.id, *(other.id for other in others)}) == 3


def test_a_further_size_is_cut_later(tmp_path: Path, store: FaceStore) -> None:
    path = save(tmp_path / "a.jpg", [1])
    store.find([Photo("a.jpg", path, None)], "test")
    more = FaceStore(tmp_path / "cache", FakeDetector(), "largest", (64, 112, 160), min_face_px=12)
    assert more.find([Photo("a.jpg", path, None)], "test")[0].read_crop(160).shape == (160, 160, 3)


def test_photographs_that_cannot_be_used_are_counted_and_named(tmp_path: Path, store: FaceStore) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    photos = [
        Photo("good.jpg", save(tmp_path / "good.jpg", [0]), "anna"),
        Photo("nobody.jpg", save(tmp_path / "nobody.jpg", []), "anna"),
        Photo("text.jpg", tmp_path / "text.jpg", "anna"),
        Photo("empty.jpg", tmp_path / "empty.jpg", "anna"),
        Photo("missing.jpg", tmp_path / "missing.jpg", "anna"),
        Photo("../out.jpg", None, "anna"),
    ]
    for _ in range(2):  # the second time from the cache
        found = store.find(photos, "test")
        assert [one.status for one in found] == ["ok", "no_face", *["unreadable"] * 4]
        assert all(one.image_path in one.reason and "." in one.reason for one in found[1:])
        assert len(usable(found)) == 1
    assert summarise(found, "for training") == "6 photographs for training: 1 with a face, 1 without, 4 unreadable"


def test_tables_and_folders_of_people_are_read_alike(tmp_path: Path) -> None:
    for name in ("anna/1.jpg", "anna/2.jpg", "bert/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save(tmp_path / name, [0])
    (tmp_path / "list.csv").write_text("Image_Path,GT\nanna/1.jpg,anna\nanna/2.jpg,anna\nbert/1.jpg,bert\n")
    table = read_photos(tmp_path / "list.csv", tmp_path, labelled=True)
    assert table == read_photos(tmp_path, tmp_path, labelled=True)
    assert [photo.label for photo in table] == ["anna", "anna", "bert"]


def test_a_folder_without_pictures_or_with_pictures_outside_of_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="holds no photographs"):
        read_photos(tmp_path, tmp_path, labelled=False)
    save(tmp_path / "loose.jpg", [0])
    assert len(read_photos(tmp_path, tmp_path, labelled=False)) == 1
    with pytest.raises(TableError, match="one folder"):
        read_photos(tmp_path, tmp_path, labelled=True)


def test_one_person_in_all_is_refused() -> None:
    with pytest.raises(TableError, match="at least two people"):
        split_of(people(1, 10))


def test_one_photograph_for_a_person_is_learnt_and_said() -> None:
    split = split_of([*people(12, 6), face("lone.jpg", "lone")], strangers=people(5, 2, first=50))
    assert "lone" in split.labels
    assert any("1 people have one photograph" in warning for warning in split.warnings)
    assert all(one.label != "lone" for one in split.mated)


def test_without_strangers_people_are_held_out_whole() -> None:
    split = split_of(people(20, 6))
    strangers = {one.image_path.split("/")[0] for one in split.strangers}
    known = {one.image_path.split("/")[0] for one in (*split.train, *split.mated)}
    assert len(strangers) == 3
    assert not strangers & known
    assert len(split.labels) == 17
    assert {one.label for one in split.mated} == set(split.labels)
    assert not {one.sha256 for one in split.mated} & {one.sha256 for one in split.train}
    assert "held out" in split.origin


def test_with_strangers_nobody_is_held_out_whole() -> None:
    split = split_of(people(12, 6), strangers=people(3, 4, first=40))
    assert len(split.labels) == 12
    assert {one.label for one in split.strangers} == {STRANGER}
    assert len(split.train) + len(split.mated) == 72


def test_a_validation_table_leaves_the_training_photographs_alone() -> None:
    validation = [face("v1.jpg", "person_1"), face("v2.jpg", STRANGER), face("v3.jpg", "somebody_else")]
    split = split_of(people(4, 3), validation=validation)
    assert len(split.train) == 12
    assert [one.image_path for one in split.mated] == ["v1.jpg"]
    assert [one.label for one in split.strangers] == [STRANGER, STRANGER]


def test_the_same_photograph_in_two_splits_is_warned_about_and_left_out() -> None:
    train = people(4, 3)
    twin = face("copy.jpg", STRANGER, content=train[0].sha256)
    split = split_of(
        train, strangers=[twin, face("x.jpg", STRANGER)], unlabelled=[face("x2.jpg", None, content="x.jpg")]
    )
    assert [one.image_path for one in split.strangers] == ["x.jpg"]
    assert split.unlabelled == ()
    assert sum("another split" in warning for warning in split.warnings) == 2


def test_a_photograph_under_two_names_counts_for_nobody() -> None:
    train = [*people(3, 3), face("a.jpg", "person_0", content="same"), face("b.jpg", "person_1", content="same")]
    split = split_of(train, strangers=[face("x.jpg", STRANGER)])
    assert all(one.sha256 != "same" for one in (*split.train, *split.mated))
    assert any("two people's names" in warning for warning in split.warnings)


def test_the_same_seed_divides_alike_and_labels_are_in_the_order_of_people() -> None:
    first, second, other = (split_of(people(30, 6), seed=seed) for seed in (0, 0, 1))
    assert first == second
    assert first.strangers != other.strangers
    assert list(first.labels) == sorted(first.labels, key=lambda label: int(label.split("_")[1]))
