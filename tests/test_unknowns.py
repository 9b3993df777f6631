"""Strangers of probes: kept, grouped, enrolled, known again, ignored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from fakes import fake_recognizer, photograph
from gallery_records import DIM, SPACE, kept, photo, unit
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from reid.errors import GalleryError
from reid.gallery import open_gallery
from reid.grouping import groups_of
from reid.recognizer import Recognizer
from reid.types import Rejection
from reid.unknowns import (
    Keeping,
    Kept,
    Sighting,
    adopt,
    choose_keeping,
    dismiss,
    keep_strangers,
    keeping_of,
    release,
    sightings_of,
    strangers_of,
)


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path)
    made.enrol("Ann", [made.sample(photograph([0], "ann.png"))])
    yield made
    made.close()


def probe(recognizer: Recognizer, people: list[int], name: str, **how: object) -> Kept:
    """A search whose strangers are kept."""
    shown = photograph(people, name, **how)
    return keep_strangers(recognizer, name, shown.sha256, recognizer.describe(shown, recognizer.detect(shown)))


def look(recognizer: Recognizer):  # type: ignore[no-untyped-def]
    return strangers_of(recognizer.gallery, recognizer.threshold.value)


def names(faces) -> set[str]:  # type: ignore[no-untyped-def]
    return {face.source for face in faces}


def test_nothing_is_kept_unless_it_was_switched_on(recognizer: Recognizer) -> None:
    assert keeping_of(recognizer.gallery) == Keeping(on=False, days=30)
    assert probe(recognizer, [2], "gate.png") == Kept()
    choose_keeping(recognizer.gallery, Keeping(True, 7))
    assert len(probe(recognizer, [2], "gate.png").ids) == 1
    choose_keeping(recognizer.gallery, Keeping(False, 7))
    assert probe(recognizer, [2], "hall.png", patch_px=120) == Kept()
    assert keeping_of(recognizer.gallery) == Keeping(on=False, days=7)


def test_only_strangers_are_kept_once_with_their_end(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 7))
    first = probe(recognizer, [0, 2, 3], "group.png")
    assert len(first.ids) == 2
    assert probe(recognizer, [0, 2, 3], "group.png").ids == (), "the same photograph again"
    (face, _) = recognizer.gallery.unknowns.faces()
    seen, end = datetime.fromisoformat(face.seen_at), datetime.fromisoformat(face.expires_at)
    assert end - seen == timedelta(days=7)
    assert abs(datetime.now(UTC) - seen) < timedelta(minutes=5)
    assert recognizer.gallery.count() == 1


@pytest.mark.parametrize("days", [0, -3, 4000])
def test_an_unusable_time_is_refused(recognizer: Recognizer, days: int) -> None:
    with pytest.raises(GalleryError, match="Choose between 1 and 3650"):
        choose_keeping(recognizer.gallery, Keeping(True, days))
    assert keeping_of(recognizer.gallery) == Keeping()


def test_strangers_are_grouped_by_likeness(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 30))
    for number, people in enumerate(([2], [2, 3], [3], [3], [4])):
        probe(recognizer, people, f"{number}.png", patch_px=100 + number)
    found = look(recognizer)
    assert [names(group) for group in found.groups] == [{"1.png", "2.png", "3.png"}, {"0.png", "1.png"}]
    assert names(found.once) == {"4.png"}
    assert found.sightings == ()


def test_a_group_becomes_a_person_and_strangers_again(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 30))
    for number in range(3):
        probe(recognizer, [2], f"{number}.png", patch_px=100 + number)
    (group,) = look(recognizer).groups
    done = adopt(recognizer, [face.id for face in group], "Cem")
    assert done.enrolment.created
    assert done.enrolment.identity.photo_count == 3
    assert recognizer.gallery.unknowns.count() == 0
    (found,) = recognizer.search(photograph([2], patch_px=130))
    assert found.label == "Cem"
    stored = recognizer.gallery.photo(done.enrolment.photo_ids[0])
    assert stored is not None
    assert stored.crop_jpeg == group[0].crop_jpeg, "the stored crop, not a copy of a copy"
    release(recognizer.gallery, done)
    assert recognizer.gallery.find("Cem") is None
    assert [face.id for face in look(recognizer).groups[0]] == [face.id for face in group]
    with pytest.raises(GalleryError, match="not kept any more"):
        adopt(recognizer, ["nobody's"], "Dan")


def test_a_poor_face_stays_kept_unless_somebody_insists(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 30))
    probe(recognizer, [2], "good.png")
    probe(recognizer, [2], "small.png", patch_px=30)
    (group,) = look(recognizer).groups
    done = adopt(recognizer, [face.id for face in group], "Cem")
    assert (names(done.faces), done.left) == ({"good.png"}, 1)
    (sighting,) = look(recognizer).sightings
    assert (sighting.identity.name, names(face for face, _ in sighting.faces)) == ("Cem", {"small.png"})
    adopt(recognizer, [face.id for face, _ in sighting.faces], "Cem", insist=True)
    assert recognizer.gallery.identity(sighting.identity.id).photo_count == 2


def test_whoever_is_enrolled_is_found_among_those_who_are_kept(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 30))
    for number, person in enumerate((2, 2, 3)):
        probe(recognizer, [person], f"{number}.png", patch_px=100 + number)
    done = recognizer.enrol("Cem", [recognizer.sample(photograph([2], "cem.png", patch_px=140))])
    sighting = sightings_of(recognizer.gallery, done.identity.id, recognizer.threshold.value)
    assert sighting is not None
    assert names(face for face, _ in sighting.faces) == {"0.png", "1.png"}
    assert all(similarity >= recognizer.threshold.value for _, similarity in sighting.faces)
    found = look(recognizer)
    assert (found.groups, names(found.once)) == ((), {"2.png"}), "a face is shown once"
    rejected = dismiss(recognizer.gallery, [sighting.faces[0][0].id], done.identity.id)
    assert look(recognizer).sightings == (), "the other resembles the rejected one more than Cem"
    for one in rejected:
        recognizer.gallery.withdraw(one)
    assert len(look(recognizer).sightings[0].faces) == 2


@pytest.mark.parametrize("seed", range(6))
def test_looking_for_one_person_finds_what_looking_through_everything_does(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    threshold = 0.45

    def near(centre: NDArray[np.float32]) -> NDArray[np.float32]:
        row = centre + rng.uniform(0.3, 1.2) * _turned(rng)
        return np.asarray(row / np.linalg.norm(row), np.float32)

    centres = [_turned(rng) for _ in range(12)]
    with closing(open_gallery(str(tmp_path / "g.db"), space_id=SPACE, dim=DIM)) as gallery:
        people = [replace(photo(f"p{n}", f"i{n % 8}"), embedding=near(centres[n % 8])) for n in range(16)]
        gallery.add(people)
        choose_keeping(gallery, Keeping(True, 30))
        faces = [replace(kept(f"f{n}"), embedding=near(centres[n % 12]), sha256=f"{n // 2}") for n in range(60)]
        gallery.unknowns.keep(faces)
        gallery.reject(Rejection("no", "i1", "x", "2026-01-01", faces[1].embedding))
        everything = {one.identity.id: one for one in strangers_of(gallery, threshold).sightings}
        assert everything
        assert len(everything) < 9
        for who in gallery.identities():
            found, there = sightings_of(gallery, who.id, threshold), everything.get(who.id)
            assert said(found) == said(there)


def said(sighting: Sighting | None) -> list[tuple[str, float]]:
    return [(face.id, similarity) for face, similarity in sighting.faces] if sighting else []


def _turned(rng: np.random.Generator) -> NDArray[np.float32]:
    row = rng.standard_normal(DIM)
    return np.asarray(row / np.linalg.norm(row), np.float32)


def test_a_kept_face_that_is_enrolled_from_its_photograph_is_not_asked_about(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 30))
    probe(recognizer, [2], "gate.png")
    probe(recognizer, [2], "hall.png", patch_px=120)
    done = recognizer.enrol("Cem", [recognizer.sample(photograph([2], "gate.png"))])
    (sighting,) = look(recognizer).sightings
    assert names(face for face, _ in sighting.faces) == {"hall.png"}
    assert (look(recognizer).groups, look(recognizer).once) == ((), ())
    recognizer.gallery.remove_photos(done.photo_ids)
    assert [names(group) for group in look(recognizer).groups] == [{"gate.png", "hall.png"}]


def test_one_person_is_given_to_one_face_of_a_photograph(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 30))
    probe(recognizer, [2, 2], "twins.png", doubts=[0.0, 0.15])
    recognizer.enrol("Cem", [recognizer.sample(photograph([2], "cem.png", patch_px=140))])
    found = look(recognizer)
    assert [len(one.faces) for one in found.sightings] == [1]
    assert len(found.once) == 1


def test_an_ignored_face_is_not_kept_again_until_that_is_taken_back(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 30))
    first = probe(recognizer, [2], "postman.png")
    recognizer.gallery.unknowns.ignore(first.ids)
    assert probe(recognizer, [2, 3], "gate.png", patch_px=120) == Kept(
        tuple(face.id for face in recognizer.gallery.unknowns.faces()), ignored=1
    )
    recognizer.gallery.unknowns.ignore(first.ids, ignored=False)
    assert len(probe(recognizer, [2], "again.png", patch_px=110).ids) == 1


def test_a_face_that_somebody_rejected_is_a_stranger_and_stays_one(recognizer: Recognizer) -> None:
    choose_keeping(recognizer.gallery, Keeping(True, 30))
    probe(recognizer, [2], "gate.png")
    done = recognizer.enrol("Cem", [recognizer.sample(photograph([2], "cem.png", patch_px=140))])
    (face,) = recognizer.gallery.unknowns.faces()
    dismiss(recognizer.gallery, [face.id], done.identity.id)
    assert (look(recognizer).sightings, names(look(recognizer).once)) == ((), {"gate.png"})


# --- grouping --------------------------------------------------------------------------------------------------------


def test_nobody_makes_no_groups() -> None:
    assert groups_of(np.zeros((0, 8), np.float32), 0.5) == []


def test_a_pair_exactly_at_the_threshold_is_a_group() -> None:
    pair = np.array([[1, 0], [0.6, 0.8]], np.float32)
    assert groups_of(pair, 0.6 - 1e-7) == [[0, 1]]
    assert groups_of(pair, 0.61) == [[0], [1]]


def test_a_chain_of_likenesses_does_not_become_one_group() -> None:
    angles = np.deg2rad(np.arange(0, 180, 20))
    chain = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    assert max(len(group) for group in groups_of(chain, 0.9)) <= 3


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.1, 0.95))
@settings(max_examples=30, deadline=None)
def test_groups_are_those_of_clustering_everything_at_once(seed: int, number: int, threshold: float) -> None:
    from sklearn.cluster import AgglomerativeClustering

    rng = np.random.default_rng(seed)
    centres = np.stack([unit(int(one)) for one in rng.integers(0, 5, number)])
    rows = centres + rng.normal(scale=0.15, size=centres.shape)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    found = groups_of(rows, threshold)
    assert sorted(row for group in found for row in group) == list(range(number))
    if number > 1:
        distances = 1 - rows.astype(np.float64) @ rows.T.astype(np.float64)
        labels = AgglomerativeClustering(
            n_clusters=None, distance_threshold=1 - threshold, metric="precomputed", linkage="average"
        ).fit_predict(distances)
        assert {frozenset(group) for group in found} == {
            frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels)
        }
