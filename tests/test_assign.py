"""The assignment of identities to the faces of one photograph, against exhaustive search."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reid.assign import assign
from reid.types import STRANGER, Candidate, Face, Identity, Quality, SearchResult, Template

THRESHOLD = 0.5


def _result(similarities: dict[str, float], threshold: float = THRESHOLD) -> SearchResult:
    nothing = np.zeros((5, 2), np.float32)
    template = Template(
        Face((0, 0, 1, 1), nothing, 1.0), Quality(50, 1, 0, 1, 1), np.zeros((2, 2, 3), np.uint8), nothing, np.ones(1)
    )
    ordered = sorted(similarities.items(), key=lambda item: (-item[1], item[0]))
    candidates = tuple(
        Candidate(Identity(key, key.upper(), 1, None, "2026-01-01"), value, None, None) for key, value in ordered
    )
    return SearchResult(template, candidates, threshold)


def test_one_person_is_given_to_the_face_that_fits_better() -> None:
    first, second = assign([_result({"a": 0.7, "b": 0.2}), _result({"a": 0.6, "b": 0.3})])
    assert first.label == "A"
    assert second.label == STRANGER
    assert [(candidate.identity.id, face) for candidate, face in second.elsewhere] == [("a", 0)]


def test_the_runner_up_takes_the_face_that_lost_its_nearest() -> None:
    first, second = assign([_result({"a": 0.9, "b": 0.55}), _result({"a": 0.8, "b": 0.7})])
    assert (first.label, second.label) == ("A", "B")
    assert second.potentials[0].identity.id == "b"


def test_a_face_may_give_up_its_nearest_where_both_gain() -> None:
    # alone each face would take "a"; together a=0.80 + b=0.78 beats a=0.82 + nothing
    first, second = assign([_result({"a": 0.82, "b": 0.78}), _result({"a": 0.80, "b": 0.1})])
    assert (first.label, second.label) == ("B", "A")


def test_somebody_exactly_at_the_threshold_is_a_candidate() -> None:
    assert assign([_result({"a": THRESHOLD})])[0].label == "A"


def test_other_potential_candidates_are_kept_behind_the_given_one() -> None:
    (only,) = assign([_result({"a": 0.7, "b": 0.6, "c": 0.4})])
    assert [candidate.identity.id for candidate in only.potentials] == ["a", "b"]


def test_nobody_enrolled_and_no_faces_are_no_special_case() -> None:
    assert assign([]) == []
    assert assign([_result({})])[0].label == STRANGER


@given(st.lists(st.lists(st.integers(0, 100), min_size=3, max_size=3), min_size=1, max_size=4))
def test_no_other_assignment_exceeds_the_threshold_by_more(table: list[list[int]]) -> None:
    results = [_result({f"p{column}": value / 100 for column, value in enumerate(row)}) for row in table]
    found = assign(results)
    given_ids = [one.given.identity.id for one in found if one.given]
    assert len(given_ids) == len(set(given_ids))
    total = sum(one.given.similarity - THRESHOLD for one in found if one.given)
    best = 0.0
    choices = [None, 0, 1, 2]
    for picks in itertools.product(choices, repeat=len(table)):
        used = [pick for pick in picks if pick is not None]
        values = [table[row][pick] / 100 for row, pick in enumerate(picks) if pick is not None]
        if len(used) == len(set(used)) and all(value >= THRESHOLD for value in values):
            best = max(best, sum(value - THRESHOLD for value in values))
    assert abs(total - best) < 1e-6
