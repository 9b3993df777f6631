"""Pairs of people who may be one, photographs that may be another's, and that neither is asked for again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from gallery_records import DIM, SPACE, photo, unit

from reid import duplicates
from reid.duplicates import Outlier, Pair, Remembered, outliers_of, pairs_of, unanswered, unvouched
from reid.errors import GalleryError
from reid.gallery import Gallery, open_gallery
from reid.gallery.vouching import forget_gone, vouch, vouched
from reid.types import Embeddings


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with closing(open_gallery(str(tmp_path / "gallery.db"), space_id=SPACE, dim=DIM)) as opened:
        yield opened


def near(seed: int, share: float, away: int = 1000) -> Embeddings:
    """A direction at a cosine of about `share` to `unit(seed)`."""
    one, other = unit(seed), unit(seed + away)
    other = other - (other @ one) * one
    mixed = share * one + np.sqrt(1 - share**2) * other / np.linalg.norm(other)
    return (mixed / np.linalg.norm(mixed)).astype(np.float32)


@pytest.mark.parametrize("at_once", [1, 700, 8 * 2**20])
@pytest.mark.parametrize("threshold", [-1.0, 0.3, 0.6, 2.0])
def test_pairs_are_those_of_the_plain_formula(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, at_once: int, threshold: float
) -> None:
    monkeypatch.setattr(duplicates, "_SIMILARITIES_AT_ONCE", at_once)
    rows = {f"i{n:02d}": unit(n) for n in range(40)}
    gallery.add([photo(f"p{who}", who, embedding=row) for who, row in rows.items()])
    expected = sorted(
        (-float(rows[a].astype(np.float64) @ rows[b]), a, b)
        for a in rows for b in rows if a < b and float(rows[a].astype(np.float64) @ rows[b]) >= threshold
    )  # fmt: skip
    found = pairs_of(gallery, threshold)
    assert found.total == len(found.nearest) == len(expected)
    assert [(one.first_id, one.second_id) for one in found.nearest] == [(a, b) for _, a, b in expected]
    assert [one.similarity for one in found.nearest] == pytest.approx([-s for s, _, _ in expected], abs=1e-6)


def test_of_many_pairs_the_most_alike_are_named_and_all_are_counted(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 3)
    monkeypatch.setattr(duplicates, "_SIMILARITIES_AT_ONCE", 30)
    gallery.add([photo(f"p{n}", f"i{n}", embedding=unit(n)) for n in range(12)])
    everything = pairs_of(gallery, -1.0)
    assert everything.total == 66
    rows = np.stack([unit(n) for n in range(12)])
    best = np.sort((rows @ rows.T)[np.triu_indices(12, 1)])[::-1][:3]
    assert [one.similarity for one in everything.nearest] == pytest.approx(best.tolist(), abs=1e-6)


def test_an_empty_gallery_has_neither(gallery: Gallery) -> None:
    assert pairs_of(gallery, 0.5).total == 0
    assert outliers_of(gallery, 0.5) == ()


def test_two_people_are_not_asked_about_again(gallery: Gallery) -> None:
    gallery.add([photo("p1", "ann", embedding=unit(1)), photo("p2", "anne", embedding=near(1, 0.9))])
    found = pairs_of(gallery, 0.5)
    assert [(one.first_id, one.second_id) for one in found.nearest] == [("ann", "anne")]
    gallery.set_apart("anne", "ann")
    assert unanswered(found, gallery).total == 0
    gallery.set_apart("ann", "anne", apart=False)
    assert unanswered(found, gallery).nearest == (Pair("ann", "anne", pytest.approx(0.9, abs=1e-3)),)


def test_the_odd_photograph_of_each_person_is_listed_the_oddest_first(gallery: Gallery) -> None:
    people = {"ann": [unit(1), near(1, 0.9), -unit(1)], "bob": [unit(3), near(3, 0.9), near(3, 0.95)]}
    people["cem"] = [unit(5), unit(6)]  # of two nobody knows which one is odd
    people["dan"] = [unit(7), near(7, 0.9), near(7, 0.2, 2000)]
    gallery.add([photo(f"{who}{n}", who, embedding=row) for who, own in people.items() for n, row in enumerate(own)])
    found = outliers_of(gallery, 0.7)
    assert {one.photo_id for one in found} == {"ann2", "dan2"}
    assert [one.similarity for one in found] == sorted(one.similarity for one in found)
    assert all(isinstance(one, Outlier) and one.similarity < duplicates.ALIKE for one in found)
    assert outliers_of(gallery, -0.9) == (), "never above what the gallery's own threshold says"


def test_a_photograph_that_shows_its_person_after_all_is_not_listed_again(gallery: Gallery) -> None:
    rows = [unit(1), near(1, 0.9), -unit(1)]
    gallery.add([photo(f"ann{n}", "ann", embedding=row) for n, row in enumerate(rows)])
    gallery.add([photo("bob0", "bob", embedding=unit(3))])
    found = outliers_of(gallery, 0.7)
    vouch(gallery, "ann2", same=True)
    assert unvouched(found, gallery) == ()
    vouch(gallery, "ann2", same=False)
    assert unvouched(found, gallery) == found
    vouch(gallery, "ann2", same=True)
    gallery.move(["ann2"], "bob")
    forget_gone(gallery)
    assert vouched(gallery) == frozenset(), "of another person nobody has said it"
    with pytest.raises(GalleryError, match="not in the gallery any more"):
        vouch(gallery, "gone", same=True)


def test_an_answer_is_remembered_until_the_gallery_or_the_threshold_changes(gallery: Gallery) -> None:
    asked: list[float] = []

    def ask(_: Gallery, threshold: float) -> int:
        asked.append(threshold)
        return len(asked)

    remembered = Remembered(ask)
    assert remembered.known(gallery, 0.5) is None
    assert [remembered.get(gallery, 0.5), remembered.get(gallery, 0.5), remembered.known(gallery, 0.5)] == [1, 1, 1]
    gallery.set_meta("calibration", "{}")
    assert remembered.known(gallery, 0.5) == 1, "what changes no vector changes no answer"
    gallery.add([photo("p1", "ann")])
    assert remembered.known(gallery, 0.5) is None
    assert (remembered.get(gallery, 0.5), remembered.get(gallery, 0.6)) == (2, 3)
    assert asked == [0.5, 0.5, 0.6]
