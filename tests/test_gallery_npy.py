"""gallery.npy: what is written, who can read it, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from gallery_records import DIM, SPACE, brute_force, photo, unit

from reid.errors import EmbeddingSpaceError, GalleryError, IdentityNotFoundError
from reid.gallery import Gallery, open_gallery, space_id_of, valid_name
from reid.gallery.npy import load_npy, save_npy
from reid.types import STRANGER

LABELS = ["person_12", 'Zoë "Z", the 2nd', "安娜", "Person_12"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery of four."""
    save_npy(tmp_path / "gallery.npy", LABELS, np.stack([unit(n) for n in range(4)]), [1, 20, 3, 4], SPACE)
    return tmp_path / "gallery.npy"


def opened(path: Path, space_id: str | None = SPACE) -> Gallery:
    return open_gallery(str(path), space_id=space_id, dim=DIM)


def test_anybody_reads_the_file_with_numpy_and_without_pickle(path: Path) -> None:
    array = np.load(path, allow_pickle=False)
    assert array["label"].tolist() == LABELS
    assert array["photos"].tolist() == [1, 20, 3, 4]
    assert array["space"].tolist() == [SPACE] * 4
    assert array["embedding"].dtype == np.float32
    np.testing.assert_array_equal(array["embedding"], np.stack([unit(n) for n in range(4)]))
    np.testing.assert_array_equal(load_npy(path), array)


def test_it_is_searched_like_any_gallery_but_has_no_photographs(path: Path) -> None:
    probes = np.stack([unit(seed) for seed in range(1000, 1010)])
    with closing(opened(path)) as gallery:
        answers = gallery.search(probes, 3)
        for probe, candidates in zip(probes, answers, strict=True):
            expected = brute_force({label: [unit(n)] for n, label in enumerate(LABELS)}, probe)[:3]
            assert [found.identity.name for found in candidates] == [label for label, _ in expected]
            assert [found.similarity for found in candidates] == pytest.approx([cos for _, cos in expected], abs=1e-6)
            assert all(found.photo_id is None and found.photo_similarity is None for found in candidates)
        assert gallery.search(np.empty((0, DIM), np.float32), 3) == []
        assert gallery.photos("安娜") == []
        assert gallery.photo("any") is None


def test_it_gives_the_answers_of_the_gallery_that_it_was_made_from(path: Path) -> None:
    probes = np.stack([unit(seed) for seed in range(1000, 1010)])
    with (
        closing(open_gallery(str(path.with_name("g.db")), space_id=SPACE, dim=DIM)) as full,
        closing(opened(path)) as npy,
    ):
        full.add([photo(f"p{n}", label, label, embedding=unit(n)) for n, label in enumerate(LABELS)])
        assert [[(c.identity.name, c.similarity) for c in answer] for answer in npy.search(probes, 4)] == [
            [(c.identity.name, c.similarity) for c in answer] for answer in full.search(probes, 4)
        ]


def test_its_identities_are_listed_and_found_by_label(path: Path) -> None:
    with closing(opened(path)) as gallery:
        assert [who.name for who in gallery.identities()] == ["Person_12", "person_12", 'Zoë "Z", the 2nd', "安娜"]
        assert gallery.count() == 4
        found = gallery.find("安娜")
        assert found is not None
        assert (found.photo_count, found.cover_photo_id) == (3, None)
        assert gallery.identity(found.id) == found
        assert gallery.find("nobody") is None
        with pytest.raises(IdentityNotFoundError):
            gallery.identity("nobody")
        with pytest.raises(IdentityNotFoundError):
            gallery.photos("nobody")


def test_every_change_is_refused_with_the_way_out(path: Path) -> None:
    with closing(opened(path)) as gallery:
        changes: list[Callable[[], object]] = [
            lambda: gallery.add([photo("p", "i")]),
            lambda: gallery.rename("安娜", "Anna"),
            lambda: gallery.merge("安娜", "person_12"),
            lambda: gallery.move([], "安娜"),
            lambda: gallery.remove("安娜"),
            lambda: gallery.remove_photos([]),
            lambda: gallery.set_meta("key", "value"),
        ]
        for change in changes:
            with pytest.raises(GalleryError, match=r"read-only\. Use a \.db"):
                change()
        assert gallery.get_meta("key") is None


def test_another_embedding_space_is_refused_with_both_names(path: Path) -> None:
    with pytest.raises(EmbeddingSpaceError, match=r"toy:1.*other:2"):
        opened(path, "other:2")
    assert space_id_of(str(path)) == SPACE
    opened(path, None).close()


def test_pickled_galleries_of_the_reference_are_refused_with_the_reason(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (ran,)  # type: ignore[return-value]

    for name, save in {
        "dict.npy": lambda file: np.save(file, {"person_1": Trap()}, allow_pickle=True),  # type: ignore[arg-type]
        "bare.npy": lambda file: np.array([Trap()], object).dump(file),
    }.items():
        with (tmp_path / name).open("wb") as file:
            save(file)
        with pytest.raises(GalleryError, match=r"pickle.*run code.*byteface build-gallery"):
            opened(tmp_path / name)
    assert not ran.exists()


@pytest.mark.parametrize("keep", [0, 4, 7, 60, 200, -1])
def test_a_file_that_was_cut_off_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(GalleryError, match=r"damaged|not a \.npy file"):
        opened(path)


def numpy_file(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"not an array at all",
        b"PK\x03\x04 an archive",
        numpy_file(np.zeros(3, np.float32)).replace(b"(3,), }", b"(%d,), }" % 10**15),
        numpy_file(np.zeros((3, DIM), np.float32)),
        numpy_file(np.zeros(0, [("label", "<U3"), ("embedding", "<f4", (DIM,)), ("photos", "<i4"), ("space", "<U3")])),
        numpy_file(np.zeros(2, [("label", "<U3"), ("embedding", "<f4", (DIM,)), ("photos", "<i4"), ("space", "<U3")])),
        numpy_file(np.zeros(2, [("label", "<U3"), ("embedding", "<f4"), ("photos", "<i4"), ("space", "<U3")])),
        numpy_file(np.zeros(2, [("label", "<i4"), ("embedding", "<U2"), ("photos", "<U4"), ("space", "<U3")])),
    ],
    ids=["text", "zip", "header of a petabyte", "bare array", "nobody", "zero vectors", "scalars", "wrong types"],
)
def test_a_file_that_is_no_gallery_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "gallery.npy").write_bytes(content)
    with pytest.raises(GalleryError):
        open_gallery(str(tmp_path / "gallery.npy"), space_id=None, dim=None)


def test_two_rows_of_one_label_are_refused(path: Path) -> None:
    array = load_npy(path)
    array["label"][1] = array["label"][0]
    np.save(path, array)
    with pytest.raises(GalleryError, match="twice"):
        opened(path)


def test_rows_of_two_embedding_spaces_are_refused(path: Path) -> None:
    array = load_npy(path)
    array["space"][2] = "toy:2"
    np.save(path, array)
    with pytest.raises(GalleryError, match="mixes"):
        opened(path)


def test_a_gallery_that_is_not_there_and_one_that_is_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match=r"no gallery.*build-gallery"):
        opened(tmp_path / "gallery.npy")
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(GalleryError, match="cannot be read"):
        opened(tmp_path / "folder.npy")


def test_what_cannot_be_saved_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    rows = np.stack([unit(1), unit(2)])
    with pytest.raises(GalleryError, match="Nobody"):
        save_npy(path, [], np.empty((0, DIM), np.float32), [], SPACE)
    with pytest.raises(GalleryError, match="same label"):
        save_npy(path, ["Ann", " Ann "], rows, [1, 1], SPACE)
    with pytest.raises(GalleryError, match="not enrolled"):
        save_npy(path, ["Ann", STRANGER], rows, [1, 1], SPACE)
    with pytest.raises(GalleryError, match="unit vector"):
        save_npy(path, ["Ann", "Bo"], rows * 2, [1, 1], SPACE)
    (path.parent / "file").touch()
    with pytest.raises(GalleryError, match="could not be written"):
        save_npy(path.parent / "file" / "gallery.npy", ["Ann", "Bo"], rows, [1, 1], SPACE)
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["file", "gallery.npy"]


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(GalleryError, match=r"No space left on device.*Nothing was changed"):
        save_npy(path, ["Ann"], unit(1)[None], [1], SPACE)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["gallery.npy"]


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Ann", "Ann"),
        ("  Ann\t", "Ann"),
        ("Zoe\u0301", "Zo\u00e9"),
        ("<b>Ann</b>, 'A' \"B\"; DROP TABLE", "<b>Ann</b>, 'A' \"B\"; DROP TABLE"),
        ("محمد", "محمد"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("x" * 200, "x" * 200),
        ("doesn't exist", "doesn't exist"),
    ],
)
def test_names_of_all_scripts_are_kept_composed_and_stripped(text: str, stored: str) -> None:
    assert valid_name(text) == stored


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \u3000\n", "empty"),
        ("x" * 201, "201 characters"),
        ("x" * 1000, "1000 characters"),
        ("An\nn", "control"),
        ("An\x00n", "control"),
        ("An\u2028n", "control"),
        ("An\udc80n", "control"),
        ("An\u202en", "direction"),
        (STRANGER, "not enrolled"),
        ("Doesn\u2019t_Exist ", "not enrolled"),
    ],
)
def test_a_name_that_cannot_be_used_is_told_why(text: str, reason: str) -> None:
    with pytest.raises(GalleryError, match=reason):
        valid_name(text)
