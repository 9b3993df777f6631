"""The facade: who is on a photograph, who is enrolled, and what is refused."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeNetwork, fake_recognizer, photograph

from reid.errors import (
    EmbeddingSpaceError,
    GalleryError,
    IdentityExistsError,
    MultipleFacesError,
    NoFaceError,
)
from reid.recognizer import Recognizer
from reid.space import EmbeddingSpace
from reid.threshold import REFERENCE
from reid.types import STRANGER, Threshold


@pytest.fixture
def recognizer(tmp_path):
    opened = fake_recognizer(tmp_path)
    yield opened
    opened.close()


def enrol(recognizer, name, person, **how):
    return recognizer.enrol(name, [recognizer.sample(photograph([person], f"{name}.png", **how))])


def test_everybody_on_a_photograph_is_named_or_called_a_stranger(recognizer):
    enrol(recognizer, "Ann", 0)
    enrol(recognizer, "Bob", 1)
    results = recognizer.search(photograph([1, 4, 0]))
    assert [result.label for result in results] == ["Bob", STRANGER, "Ann"]
    assert [candidate.identity.name for candidate in results[0].candidates] == ["Bob", "Ann"]
    assert results[1].potential is None
    assert results[0].candidates[0].photo_id is not None


def test_an_empty_gallery_knows_nobody(recognizer):
    assert [result.label for result in recognizer.search(photograph([1]))] == [STRANGER]
    assert recognizer.search(photograph([])) == []


def test_deciding_again_needs_no_detector_and_no_network(recognizer, monkeypatch):
    enrol(recognizer, "Ann", 0)
    picture = photograph([0], doubts=[0.45])
    templates = recognizer.describe(picture, recognizer.detect(picture))
    monkeypatch.setattr(FakeNetwork, "embed", None)
    similarity = recognizer.decide(templates)[0].candidates[0].similarity
    assert recognizer.decide(templates, threshold=similarity)[0].label == "Ann"
    assert recognizer.decide(templates, threshold=np.nextafter(similarity, 2))[0].label == STRANGER


def test_enrolling_the_same_photograph_again_changes_nothing(recognizer):
    first = enrol(recognizer, "Ann", 0)
    again = enrol(recognizer, " Ann ", 0)
    assert first.created
    assert not again.created
    assert again.identity.id == first.identity.id
    assert again.identity.photo_count == 1
    assert again.photo_ids == first.photo_ids


def test_one_photograph_of_two_people_serves_both(recognizer):
    group = photograph([0, 1])
    recognizer.enrol("Ann", [recognizer.sample(group, 0)])
    recognizer.enrol("Bob", [recognizer.sample(group, 1)])
    assert [result.label for result in recognizer.search(group)] == ["Ann", "Bob"]


def test_enrolment_refuses_what_cannot_be_meant(recognizer):
    with pytest.raises(NoFaceError, match=r"group\.png: no face"):
        recognizer.sample(photograph([]))
    with pytest.raises(MultipleFacesError, match="2 faces"):
        recognizer.sample(photograph([0, 1]))
    with pytest.raises(NoFaceError, match="no face 3, only 2"):
        recognizer.sample(photograph([0, 1]), 2)
    with pytest.raises(NoFaceError, match="no face to enrol"):
        recognizer.enrol("Ann", [])
    assert recognizer.gallery.count() == 0


@pytest.mark.parametrize("name", ["", "   ", "x" * 1000, STRANGER, "a\nb"])
def test_a_name_that_cannot_be_used_enrols_nobody(recognizer, name):
    with pytest.raises(GalleryError):
        enrol(recognizer, name, 0)
    assert recognizer.gallery.count() == 0


def test_a_name_that_differs_only_in_capitals_is_asked_about(recognizer):
    enrol(recognizer, "Ann", 0)
    with pytest.raises(IdentityExistsError, match="'Ann'"):
        enrol(recognizer, "ANN", 1)
    samples = {"ANN": [recognizer.sample(photograph([1]))]}
    assert recognizer.enrol_many(samples, other_case=True)[0].created
    assert recognizer.gallery.count() == 2


def test_several_people_are_enrolled_together_or_not_at_all(recognizer):
    ann, bob = (recognizer.sample(photograph([person])) for person in (0, 1))
    with pytest.raises(GalleryError):
        recognizer.enrol_many({"Ann": [ann], "": [bob]})
    assert recognizer.gallery.count() == 0
    assert [one.identity.name for one in recognizer.enrol_many({"Ann": [ann], "Bob": [bob]})] == ["Ann", "Bob"]


def test_a_gallery_of_another_space_is_refused_with_the_way_out(recognizer):
    other = EmbeddingSpace([type("Other", (FakeNetwork,), {"name": "other"})()], [1.0])
    with pytest.raises(EmbeddingSpaceError, match="--space fake"):
        Recognizer(recognizer.describer.detector, other, recognizer.gallery)


def test_the_gallerys_own_calibration_comes_before_the_default(recognizer):
    assert recognizer.threshold == REFERENCE
    own = Threshold(0.6, "measured here", True, 0.01, 500, 10, (0.5, 0.7))
    recognizer.threshold = own
    assert recognizer.threshold == own
    assert recognizer.search(photograph([0]))[0].threshold == 0.6


def test_two_photographs_are_compared(recognizer):
    ann, again, bob = (recognizer.sample(photograph([person])).template for person in (0, 0, 1))
    assert recognizer.verify(ann, again) == pytest.approx(1, abs=1e-3)
    assert recognizer.verify(ann, bob) < 0.3
    assert recognizer.verify(ann, replace(bob, embedding=-ann.embedding)) == pytest.approx(-1, abs=1e-5)


def test_threads_may_search_while_others_enrol(recognizer):
    enrol(recognizer, "Ann", 0)
    wrong = []

    def probe():
        wrong.extend(1 for _ in range(10) if recognizer.search(photograph([0]))[0].label != "Ann")

    def add(person):
        enrol(recognizer, f"Person {person}", person)

    threads = [threading.Thread(target=probe) for _ in range(4)]
    threads += [threading.Thread(target=add, args=(person,)) for person in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert recognizer.gallery.count() == 5
