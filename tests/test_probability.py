"""From a similarity to the right person's share: against the exact answer of a known world, and where it refuses."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from gallery_records import DIM, SPACE, brute_force, photo, unit
from hypothesis import given, settings
from hypothesis import strategies as st

from reid.errors import CalibrationError
from reid.gallery import open_gallery
from reid.gallery.base import Gallery
from reid.leave_one_out import own_searches
from reid.probability import ScoreOdds, chance_at, fit_odds, from_json, to_json, with_share
from reid.score_odds import fit_gallery, kept_odds, refit

RIGHT, WRONG, SPREAD = 0.7, 0.3, 0.1


@cache
def _world(many: int = 20_000, people: int = 400) -> ScoreOdds:
    """Two normal distributions of one width: log LR is a straight line, here 40 s - 20."""
    rng = np.random.default_rng(7)
    right, wrong = (rng.normal(middle, SPREAD, many).astype(np.float32) for middle in (RIGHT, WRONG))
    names = [str(number % people) for number in range(many)]
    return fit_odds(right, names, wrong, names, first=1.0, gallery_size=100, source="strangers")


def _exact(similarity: float, prior: float) -> float:
    ratio = math.exp((similarity * (RIGHT - WRONG) - (RIGHT**2 - WRONG**2) / 2) / SPREAD**2)
    return prior * ratio / (prior * ratio + 1 - prior)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_the_share_is_that_of_bayes_where_the_distributions_are_known(share: float) -> None:
    odds = _world()
    for similarity in (0.42, 0.46, 0.5, 0.54, 0.58, 0.6):
        found = chance_at(odds, similarity, 100, share)
        assert found.limit == ""
        assert found.value == pytest.approx(_exact(similarity, share), abs=0.05)
        assert found.low <= found.value <= found.high


def test_searches_that_miss_their_own_template_lower_the_prior() -> None:
    half = replace(_world(), first=0.5)
    assert chance_at(half, 0.5, 100, 0.4).value == pytest.approx(chance_at(_world(), 0.5, 100, 0.2).value)


def _odds_of(value: float) -> float:
    return value / (1 - value)


def test_a_gallery_that_has_grown_divides_the_odds_and_one_that_shrank_does_not() -> None:
    odds = _world()
    then, twice, half = (chance_at(odds, 0.5, people).value for people in (100, 200, 50))
    assert _odds_of(then) == pytest.approx(2 * _odds_of(twice))
    assert half == then


def test_no_more_is_claimed_than_the_people_can_carry() -> None:
    odds = _world(60, 30)
    high, low = chance_at(odds, 0.99, 100, 0.5), chance_at(odds, 0.01, 100, 0.5)
    assert high.limit == "at least"
    assert high.value == pytest.approx(10 / 11)  # thirty people: a factor of ten at most
    assert low.limit == "at most"
    assert low.value == pytest.approx(1 / 11)


def test_scores_that_do_not_touch_give_a_line_and_no_certainty() -> None:
    names = [str(number) for number in range(40)]
    odds = fit_odds(
        np.full(40, 0.8, np.float32), names, np.full(40, 0.2, np.float32), names,
        first=1.0, gallery_size=40, source="enrolled",
    )  # fmt: skip
    assert 0 < chance_at(odds, -1, 40).value < chance_at(odds, 0.5, 40).value < chance_at(odds, 1, 40).value < 1


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.001, 0.999))
@settings(deadline=None)
def test_a_higher_score_is_never_less_likely_to_be_right(first: float, second: float, share: float) -> None:
    low, high = sorted((first, second))
    odds = _world(60, 30)
    assert chance_at(odds, low, 100, share).value <= chance_at(odds, high, 100, share).value


@pytest.mark.parametrize(("searches", "people"), [(29, 29), (300, 9), (0, 0)])
def test_too_few_searches_or_people_are_refused_with_what_it_needs(searches: int, people: int) -> None:
    few = (
        np.linspace(0.5, 0.9, searches).astype(np.float32),
        [str(number % max(people, 1)) for number in range(searches)],
    )
    many = np.linspace(0.1, 0.4, 50).astype(np.float32), [str(number) for number in range(50)]
    for right, wrong in ((few, many), (many, few)):
        with pytest.raises(CalibrationError, match="It needs 30 by 10"):
            fit_odds(*right, *wrong, first=1.0, gallery_size=10, source="strangers")


def test_scores_that_tell_nothing_are_refused() -> None:
    names = [str(number) for number in range(40)]
    high, low = np.linspace(0.6, 0.9, 40).astype(np.float32), np.linspace(0.1, 0.4, 40).astype(np.float32)
    with pytest.raises(CalibrationError, match="no higher than a wrong one"):
        fit_odds(low, names, high, names, first=1.0, gallery_size=40, source="strangers")


def test_a_fit_is_read_as_it_was_kept_and_a_share_is_between_none_and_all() -> None:
    odds = with_share(_world(60, 30), 0.25)
    assert from_json(to_json(odds)) == odds
    for wrong in (0.0, 1.0, -0.1, 2.0):
        with pytest.raises(CalibrationError, match="makes no sense"):
            with_share(odds, wrong)


# --- a gallery's own -------------------------------------------------------------------------------------------------


def _near(middle: np.ndarray, seed: int, noise: float) -> np.ndarray:
    vector = middle + noise * unit(seed)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    made = open_gallery(str(tmp_path / "people.db"), space_id=SPACE, dim=DIM)
    photos = [
        photo(f"{person}-{n}", f"p{person}", embedding=_near(unit(person), 1000 + 10 * person + n, 0.9))
        for person in range(12)
        for n in range(4)
    ]
    made.add([*photos, photo("single", "alone", embedding=unit(99))])
    return made


def test_a_gallery_is_searched_by_each_of_its_photographs_without_it(gallery: Gallery) -> None:
    held = {one.id: gallery.photos(one.id) for one in gallery.identities()}
    right, wrong, mated = [], [], 0
    for own, photos in held.items():
        for left_out in photos:
            rest = {
                who: [one.embedding for one in theirs if one.id != left_out.id]
                for who, theirs in held.items()
                if who != own or len(theirs) > 1
            }
            ranked = brute_force(rest, left_out.embedding)
            wrong.append(next(score for who, score in ranked if who != own))
            mated += len(photos) > 1
            if ranked[0][0] == own:
                right.append(ranked[0][1])
    found = own_searches(gallery)
    np.testing.assert_allclose(np.sort(found.right), np.sort(right), atol=1e-5)
    np.testing.assert_allclose(np.sort(found.wrong), np.sort(wrong), atol=1e-5)
    assert found.first == pytest.approx(len(right) / mated)
    assert len(found.right_people) == len(right)


def test_a_gallery_keeps_its_fit_and_the_share_that_was_assumed(gallery: Gallery) -> None:
    assert kept_odds(gallery) is None
    assert refit(gallery) == ""
    odds = kept_odds(gallery)
    assert isinstance(odds, ScoreOdds)
    assert (odds.source, odds.gallery_size, odds.share) == ("enrolled", 13, 0.1)
    strangers = np.linspace(0.1, 0.5, 60).astype(np.float32)
    assert fit_gallery(gallery, strangers, [str(n) for n in range(60)], 0.5).source == "strangers"


def test_what_cannot_be_claimed_is_kept_as_its_reason_and_takes_the_old_fit_away(gallery: Gallery) -> None:
    refit(gallery)
    for person in range(5):
        gallery.remove(f"p{person}")
    reason = refit(gallery)
    assert "people of enrolled" in reason or "too few" in reason
    assert kept_odds(gallery) == reason
