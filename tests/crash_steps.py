"""What `test_crashes.py` kills in the middle: each kind of change, and what must be so of the gallery afterwards.

`prepare` makes the folder, `work` changes its gallery until it is killed, `check` opens what is left.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fakes import FakeNetwork, fake_recognizer, save
from gallery_records import DIM, SPACE, make_version_1, photo, unit
from numpy.typing import NDArray

from reid.align import CHIP_PX
from reid.gallery import open_gallery
from reid.gallery.backup import export_gallery, restore_gallery
from reid.gallery.base import Gallery
from reid.gallery.resealing import reseal, sealed_with
from reid.gallery.sealing import Sealing, use_key
from reid.images import encode_jpeg
from reid.intake import Import
from reid.intake.sources import open_source
from reid.reembed import reembed
from reid.space import EmbeddingSpace
from reid.types import Embeddings, Photo

PEOPLE, PHOTOS = 12, 3
KEY = bytes(range(32))


@dataclass(frozen=True)
class Step:
    """One kind of change.

    Attributes:
        longest_s: a while in which a kill meets every part of it.
    """

    prepare: Callable[[Path], None]
    work: Callable[[Path], None]
    check: Callable[[Path], None]
    longest_s: float = 0.15


def toy(folder: Path) -> Gallery:
    return open_gallery(str(folder / "people.db"), space_id=SPACE, dim=DIM)


def person(number: int, prefix: str = "") -> list[Photo]:
    own = f"{prefix}{number}"
    return [photo(f"{own}-{n}", f"id{own}", crop=bytes([n]) * 4000) for n in range(PHOTOS)]


def counts(folder: Path) -> dict[str, int]:
    """Photographs of each identity, counted in the rows and as the record says."""
    with closing(toy(folder)) as gallery:
        found = {who.id: who.photo_count for who in gallery.identities()}
        assert {one: len(gallery.photos(one)) for one in found} == found
        assert len(gallery.search(unit(1)[None], len(found) + 1)[0]) == len(found)
        return found


# --- enrolment, erasure ----------------------------------------------------------------------------------------------


def enrol(folder: Path) -> None:
    with closing(toy(folder)) as gallery:
        for number in range(10_000):
            gallery.add(person(number))


def erase(folder: Path) -> None:
    with closing(toy(folder)) as gallery:
        for who in gallery.identities():
            gallery.remove(who.id)


def whole_people(folder: Path) -> None:
    assert set(counts(folder).values()) <= {PHOTOS}


def fill(folder: Path) -> None:
    with closing(toy(folder)) as gallery:
        gallery.add([one for number in range(PEOPLE) for prefix in ("", "b") for one in person(number, prefix)])


# --- merging ---------------------------------------------------------------------------------------------------------


def merge(folder: Path) -> None:
    with closing(toy(folder)) as gallery:
        for number in range(PEOPLE):
            gallery.merge(f"idb{number}", f"id{number}")


def merged_or_not(folder: Path) -> None:
    found = counts(folder)
    for number in range(PEOPLE):
        pair = found.get(f"id{number}"), found.get(f"idb{number}")
        assert pair in {(PHOTOS, PHOTOS), (2 * PHOTOS, None)}


# --- restoring -------------------------------------------------------------------------------------------------------


def two_backups(folder: Path) -> None:
    for prefix in ("", "b"):
        (other := folder / f"of-{prefix or 'a'}").mkdir()
        with closing(toy(other)) as gallery:
            gallery.add([one for number in range(PEOPLE) for one in person(number, prefix)])
        export_gallery(str(other / "people.db"), folder / f"{prefix or 'a'}.byteface")
    restore_gallery(folder / "a.byteface", str(folder / "people.db"))


def restore(folder: Path) -> None:
    for _ in range(1000):
        for name in "ba":
            done = restore_gallery(folder / f"{name}.byteface", str(folder / "people.db"), replace=True)
            assert done.kept
            done.kept.unlink()


def one_of_both(folder: Path) -> None:
    found = counts(folder)
    assert found in [{f"id{prefix}{number}": PHOTOS for number in range(PEOPLE)} for prefix in ("", "b")]
    for kept in folder.glob("people.before-*.db"):
        with closing(sqlite3.connect(kept)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# --- an older version's file ------------------------------------------------------------------------------------------


def old_file(folder: Path) -> None:
    make_version_1(folder / "people.db")


def migrate(folder: Path) -> None:
    toy(folder).close()


def opens_with_everybody(folder: Path) -> None:
    assert counts(folder) == {"ann": 1}


# --- encryption ------------------------------------------------------------------------------------------------------


def encrypt(folder: Path) -> None:
    use_key(KEY)
    for _ in range(1000):
        for key in (KEY, None):
            wanted = Sealing()
            if key:
                wanted.begin(key)
            reseal(folder / "people.db", wanted)


def opens_with_the_key_it_says(folder: Path) -> None:
    use_key(KEY if sealed_with(folder / "people.db") else None)
    try:
        assert counts(folder) == {f"id{prefix}{number}": PHOTOS for number in range(PEOPLE) for prefix in ("", "b")}
        with closing(toy(folder)) as gallery:
            assert gallery.photos("id1")[2].crop_jpeg == bytes([2]) * 4000
    finally:
        use_key(None)


# --- another embedding space -----------------------------------------------------------------------------------------


class Mirrored(FakeNetwork):
    """The same world seen by another network."""

    name = "mirrored"
    weights_sha256 = "2" * 64

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        return super().embed(crops)[:, ::-1].copy()


SPACES = [EmbeddingSpace([network()], [1.0]) for network in (FakeNetwork, Mirrored)]


def in_a_space(folder: Path) -> None:
    chip, marks = np.full((CHIP_PX, CHIP_PX, 3), 200, np.uint8), np.full((5, 2), 100, np.float32)
    with closing(open_gallery(str(folder / "people.db"), space_id=SPACES[0].id, dim=SPACES[0].dim)) as gallery:
        for number in range(PEOPLE):
            row = np.eye(SPACES[0].dim, dtype=np.float32)[number % SPACES[0].dim]
            crop = encode_jpeg(np.clip(chip - number, 0, 255).astype(np.uint8))
            gallery.add(
                [Photo(f"p{number}", f"id{number}", f"P {number}", crop, marks, row, 0.5, "a.jpg", "2026-01-01")]
            )


def reembed_there_and_back(folder: Path) -> None:
    for _ in range(1000):
        for space in SPACES[::-1]:
            reembed(folder / "people.db", space, progress=False)


def whole_in_either_space(folder: Path) -> None:
    with closing(open_gallery(str(folder / "people.db"), space_id=None, dim=None, create=False)) as gallery:
        assert gallery.space_id in {space.id for space in SPACES}
        assert gallery.count() == PEOPLE
        ids, rows = gallery.templates()
        for one, row in zip(ids, rows, strict=True):
            (only,) = gallery.photos(one)
            assert np.allclose(only.embedding, row, atol=1e-6), "the template is of the same space as its photograph"


# --- import ----------------------------------------------------------------------------------------------------------


def folder_of_people(folder: Path) -> None:
    for number in range(4):
        (own := folder / "photographs" / f"Person {number}").mkdir(parents=True)
        for n in range(PHOTOS):
            save(own / f"{n}.jpg", [number], patch_px=100 + n)


def import_everybody(folder: Path) -> None:
    recognizer = fake_recognizer(folder)
    with closing(recognizer), open_source(folder / "photographs") as source:
        for _ in Import(recognizer, source).run():
            pass


def the_rest_is_imported_and_nothing_twice(folder: Path) -> None:
    import_everybody(folder)
    with closing(fake_recognizer(folder)) as recognizer:
        found = {who.name: who.photo_count for who in recognizer.gallery.identities()}
    assert found == {f"Person {number}": PHOTOS for number in range(4)}


def nothing(_: Path) -> None:
    pass


STEPS = {
    "enrolment": Step(nothing, enrol, whole_people),
    "erasure": Step(fill, erase, whole_people, 0.1),
    "merging": Step(fill, merge, merged_or_not, 0.1),
    "restoring": Step(two_backups, restore, one_of_both, 0.3),
    "migration": Step(old_file, migrate, opens_with_everybody, 0.05),
    "encryption": Step(fill, encrypt, opens_with_the_key_it_says, 0.2),
    "re-embedding": Step(in_a_space, reembed_there_and_back, whole_in_either_space, 0.3),
    "import": Step(folder_of_people, import_everybody, the_rest_is_imported_and_nothing_twice, 0.2),
}
