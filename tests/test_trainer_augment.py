"""What training shows the network: repeatable, of the right shape, and as bad as it is meant to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from reid.types import RGB
from trainer.augment import Surveillance, clean_view, colour_jitter, reference_view, surveillance_view
from trainer.batches import Batches
from trainer.recipes import OPEN_SET, REFERENCE

SIDE_PX = 160


@pytest.fixture(scope="module")
def crop() -> RGB:
    """Fine texture on something like a face: detail that a small picture cannot keep."""
    rng = np.random.default_rng(0)
    base = cv2.resize(rng.uniform(60, 200, (5, 5, 3)).astype(np.float32), (SIDE_PX, SIDE_PX))
    return np.clip(base + rng.normal(0, 30, base.shape), 0, 255).astype(np.uint8)


def detail(view: RGB) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())


def small(crop: RGB, rng: np.random.Generator) -> RGB:
    return surveillance_view(crop, rng, Surveillance())


@pytest.mark.parametrize("view", [reference_view, clean_view, small])
def test_a_view_has_the_crops_shape_and_depends_on_the_generator_alone(
    crop: RGB, view: Callable[[RGB, np.random.Generator], RGB]
) -> None:
    before = crop.copy()
    views = [view(crop, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert all(one.shape == (SIDE_PX, SIDE_PX, 3) and one.dtype == np.uint8 for one in views)
    np.testing.assert_array_equal(views[0], views[1])
    assert (views[0] != views[2]).any()
    np.testing.assert_array_equal(crop, before)


def test_the_smaller_the_face_the_less_detail_is_left(crop: RGB) -> None:
    left = []
    for width in (12.0, 40.0, 110.0):
        camera = Surveillance(face_px=(width, width + 0.01))
        left.append(np.mean([detail(surveillance_view(crop, np.random.default_rng(i), camera)) for i in range(30)]))
    assert left[0] < left[1] < left[2] < 2 * detail(crop)


def test_a_clean_view_stays_the_same_face(crop: RGB) -> None:
    blurred = cv2.GaussianBlur(crop, (0, 0), 8).astype(float)
    for seed in range(20):
        view = cv2.GaussianBlur(clean_view(crop, np.random.default_rng(seed)), (0, 0), 8).astype(float)
        likeness = max(np.corrcoef(blurred.ravel(), one.ravel())[0, 1] for one in (view, view[:, ::-1]))
        assert likeness > 0.85


def test_colour_jitter_of_nothing_changes_nothing(crop: RGB) -> None:
    np.testing.assert_allclose(colour_jitter(crop, np.random.default_rng(0), 0.0).astype(int), crop, atol=1)


def test_reference_view_mirrors_half_of_the_time_and_turns_at_most_15_degrees(crop: RGB) -> None:
    white = np.full_like(crop, 255)
    black = [float((reference_view(white, np.random.default_rng(i)) == 0).all(2).mean()) for i in range(200)]
    # the corners that a turn of 15 degrees leaves empty: 2 * tan(15/2) * ... of the square, about 9 %
    assert 0.05 < max(black) < 0.13


def test_epochs_have_their_own_order_and_every_photograph_once(crop: RGB) -> None:
    recipe = replace(OPEN_SET, batch=4)
    batches = Batches(lambda _: crop, 11, recipe, seed=0)
    orders = [[int(i) for batch in batches.epoch(epoch) for i in batch.indices] for epoch in (0, 0, 1)]
    assert sorted(orders[0]) == list(range(11))
    assert orders[0] == orders[1] != orders[2]
    assert len(batches) == 3


def test_processes_share_a_batch_without_overlap_and_see_the_same_views(crop: RGB) -> None:
    recipe = replace(REFERENCE, batch=6)
    alone = list(Batches(lambda _: crop, 12, recipe, seed=0).epoch(3))
    shares = [list(Batches(lambda _: crop, 12, recipe, seed=0, rank=rank, world=2).epoch(3)) for rank in (0, 1)]
    for whole, first, second in zip(alone, *shares, strict=True):
        assert sorted([*first.indices, *second.indices]) == sorted(whole.indices)
        np.testing.assert_array_equal(first.views, whole.views[0::2])
        np.testing.assert_array_equal(second.step, whole.step)


def test_share_of_degraded_views_is_the_recipes(crop: RGB) -> None:
    batches = Batches(lambda _: crop, 200, replace(OPEN_SET, degraded=0.3), seed=0)
    poor = sum(detail(batches.view(i, 0)) < 0.1 * detail(crop) for i in range(200))
    assert 30 <= poor <= 90


def test_a_photograph_that_cannot_be_read_stops_the_epoch(crop: RGB) -> None:
    def gone(index: int) -> RGB:
        if index == 3:
            raise FileNotFoundError("gone")
        return crop

    with pytest.raises(FileNotFoundError):
        list(Batches(gone, 8, OPEN_SET, seed=0).epoch(0))
