"""The plan reaches every face of every size on every picture, within a bounded window; sightings become faces once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reid.detect.pyramid import SearchPlan, Sightings, Window, around, cut, inside, merge, near

SIDES = st.integers(1, 12_000)
PLANS = [SearchPlan(12), SearchPlan(20), SearchPlan(48), SearchPlan(12, seen_from_px=20, seen_to_px=10_000)]
PLAN_IDS = ["from 12 px", "from 20 px", "from 48 px", "one that makes its own scales"]


def sighting(left: float, top: float, side: float, confidence: float = 0.9, shift: float = 0.0) -> list[float]:
    """A square face with its landmarks on a cross, all of them moved to the right by `shift`."""
    points = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
    landmarks = [value for x, y in points for value in (left + shift + x * side, top + y * side)]
    return [left + shift, top, left + shift + side, top + side, *landmarks, confidence]


def rows(*sightings: list[float]) -> Sightings:
    return np.array(sightings, np.float32).reshape(-1, 15)


# the plan


def test_a_small_frame_is_searched_enlarged_and_then_at_a_quarter_of_that() -> None:
    assert [(w.scale, w.scaled_size) for w in SearchPlan(12).windows(640, 360)] == [
        (2.0, (1280, 720)),
        (0.5, (320, 180)),
    ]


def test_large_pictures_are_not_enlarged_and_middling_ones_up_to_the_limit() -> None:
    assert SearchPlan(12).windows(4000, 3000)[0].scale == 1
    assert SearchPlan(12).windows(1920, 1080)[0].scaled_size == (2560, 1440)


def test_a_larger_smallest_face_makes_the_search_cheaper() -> None:
    cost = [sum(w.scaled_size[0] * w.scaled_size[1] for w in SearchPlan(px).windows(1920, 1080)) for px in (12, 24, 48)]
    assert cost[0] > cost[1] > cost[2]
    assert SearchPlan(48).windows(1920, 1080)[0].scale == 0.5


def test_a_picture_that_cannot_hold_the_smallest_face_is_not_searched() -> None:
    assert SearchPlan(12).windows(11, 11) == []
    assert SearchPlan(12).windows(1, 12) != []


@pytest.mark.parametrize("plan", PLANS, ids=PLAN_IDS)
@hypothesis_settings(max_examples=60, deadline=None)
@given(width=SIDES, height=SIDES)
def test_windows_lie_on_the_picture_and_none_is_larger_than_a_tile_and_a_quarter(
    plan: SearchPlan, width: int, height: int
) -> None:
    for window in plan.windows(width, height):
        assert window.left >= 0
        assert window.top >= 0
        assert window.width > 0
        assert window.height > 0
        assert window.left + window.width <= width
        assert window.top + window.height <= height
        assert max(window.scaled_size) <= 1.25 * plan.tile_px + 1


@pytest.mark.parametrize("plan", PLANS, ids=PLAN_IDS)
@hypothesis_settings(max_examples=100, deadline=None)
@given(width=SIDES, height=SIDES, share=st.floats(0, 1), x=st.floats(0, 1), y=st.floats(0, 1))
def test_every_face_is_whole_on_a_window_that_shows_it_at_a_size_it_is_seen_at(
    plan: SearchPlan, width: int, height: int, share: float, x: float, y: float
) -> None:
    assume(min(width, height) >= plan.min_face_px)
    windows = plan.windows(width, height)
    side = plan.min_face_px + share * (min(width, height) - plan.min_face_px)
    left, top = x * (width - side), y * (height - side)
    face = rows(sighting(left, top, side))
    smallest = min(plan.seen_from_px, plan.min_face_px * windows[0].scale)
    assert any(
        smallest - 1 <= side * window.scale <= plan.seen_to_px + 1
        and window.left <= left + 1
        and window.top <= top + 1
        and left + side <= window.left + window.width + 1
        and top + side <= window.top + window.height + 1
        and len(inside(face, window, width, height)) == 1
        for window in windows
    )


def test_cutting_averages_down_and_keeps_what_it_does_not_scale() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert np.array_equal(cut(picture, Window(10, 5, 20, 10, 1.0)), picture[5:15, 10:30])
    halved = cut(picture, Window(0, 0, 60, 40, 0.5))
    mean = picture.reshape(20, 2, 30, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - mean).max() <= 1
    assert cut(picture, Window(0, 0, 60, 40, 2.0)).shape == (80, 120, 3)


def test_points_of_a_window_go_back_to_where_they_lie_on_the_picture() -> None:
    window = Window(100, 50, 201, 101, 0.5)  # seen as 100 x 50: each side has a scale of its own after rounding
    seen = rows(sighting(0, 0, 50))
    moved = window.to_picture(seen)
    assert moved[0, :4] == pytest.approx([100, 50, 100 + 50 * 201 / 100, 50 + 50 * 101 / 50])
    assert moved[0, 8:10] == pytest.approx([100 + 25 * 201 / 100, 50 + 30 * 101 / 50])
    assert moved[0, 14] == seen[0, 14]


def test_only_an_edge_within_the_picture_cuts_faces() -> None:
    at_left, at_right = rows(sighting(-3, 10, 30)), rows(sighting(73, 10, 30))
    assert len(inside(at_left, Window(0, 0, 100, 100, 1), 500, 100)) == 1
    assert len(inside(at_right, Window(0, 0, 100, 100, 1), 500, 100)) == 0
    assert len(inside(at_right, Window(0, 0, 100, 100, 1), 100, 100)) == 1
    assert len(inside(rows(sighting(60, 99, 2)), Window(0, 0, 100, 100, 1), 100, 500)) == 0


@given(
    x=st.floats(-20, 520),
    y=st.floats(-20, 320),
    side=st.floats(2, 200),
    size=st.sampled_from([(500, 300), (20, 20), (1, 9)]),
)
def test_the_part_around_a_face_lies_on_the_picture_and_shows_it_as_wide_as_asked(
    x: float, y: float, side: float, size: tuple[int, int]
) -> None:
    (face,) = merge(rows(sighting(x, y, side)))
    window = around(face, 48, 160, *size)
    assert 0 <= window.left < window.left + window.width <= size[0]
    assert 0 <= window.top < window.top + window.height <= size[1]
    assert side * window.scale == pytest.approx(48, rel=1e-3)
    assert max(window.scaled_size) <= 160 + 2 * max(1, window.scale)


def test_the_part_around_a_face_in_the_open_has_it_in_the_middle() -> None:
    (face,) = merge(rows(sighting(200, 100, 24)))
    window = around(face, 48, 160, 640, 360)
    assert (window.left, window.top, window.width, window.height, window.scale) == (172, 72, 80, 80, 2)


def test_near_a_face_are_the_sightings_that_overlap_it() -> None:
    (face,) = merge(rows(sighting(0, 0, 40)))
    seen = rows(sighting(0, 0, 40), sighting(10, 0, 40), sighting(20, 0, 40), sighting(100, 0, 40))
    assert [round(row[0]) for row in near(face, seen, 0.4)] == [0, 10]


# sightings


def test_nothing_seen_is_nobody() -> None:
    assert merge(rows()) == []


def test_faces_come_the_largest_first_whatever_their_confidence() -> None:
    faces = merge(rows(sighting(0, 0, 20, 0.99), sighting(100, 0, 50, 0.7), sighting(200, 0, 30, 0.8)))
    assert [round(face.width_px) for face in faces] == [50, 30, 20]
    assert [face.confidence for face in faces] == pytest.approx([0.7, 0.8, 0.99])


def test_sightings_that_agree_become_their_mean_weighed_by_confidence() -> None:
    (face,) = merge(rows(sighting(10, 10, 40, 0.9), sighting(10, 10, 40, 0.6, shift=3)))
    shift = 3 * 0.6 / (0.9 + 0.6)
    assert face.box_px == pytest.approx((10 + shift, 10, 50 + shift, 50))
    assert face.landmarks_px[2] == pytest.approx((10 + shift + 20, 34))
    assert face.confidence == pytest.approx(0.9)


def test_a_sighting_that_overlaps_a_little_too_much_is_taken_away_and_has_no_say() -> None:
    # overlap of two squares of side 40 that are 20 apart: 20 / 60, between "another face" and "agrees"
    (face,) = merge(rows(sighting(0, 0, 40, 0.9), sighting(20, 0, 40, 0.8)))
    assert face.box_px == pytest.approx((0, 0, 40, 40))


def test_neighbours_that_overlap_less_stay_two_faces() -> None:
    assert len(merge(rows(sighting(0, 0, 40), sighting(25, 0, 40)))) == 2


def test_a_part_of_a_face_is_no_face_unless_it_is_surer_than_the_whole() -> None:
    assert [round(face.width_px) for face in merge(rows(sighting(0, 0, 100, 0.9), sighting(30, 30, 20, 0.7)))] == [100]
    assert [round(face.width_px) for face in merge(rows(sighting(0, 0, 100, 0.7), sighting(30, 30, 20, 0.9)))] == [
        100,
        20,
    ]
    assert len(merge(rows(sighting(0, 0, 100, 0.9), sighting(90, 30, 20, 0.7)))) == 2


def test_a_box_without_area_does_not_hang_the_merge() -> None:
    assert len(merge(rows(sighting(5, 5, 0), sighting(5, 5, 0), sighting(50, 50, 10)))) == 3


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 200), st.floats(1, 80), st.floats(0.3, 1)), max_size=30))
def test_as_many_faces_stay_as_when_the_surest_one_always_wins(seen: list[tuple[float, float, float, float]]) -> None:
    """Against greedy suppression written out plainly."""

    def overlap(a: list[float], b: list[float]) -> float:
        width = min(a[2], b[2]) - max(a[0], b[0])
        height = min(a[3], b[3]) - max(a[1], b[1])
        shared = max(width, 0.0) * max(height, 0.0)
        return shared / ((a[2] - a[0]) ** 2 + (b[2] - b[0]) ** 2 - shared)

    def within(part: list[float], whole: list[float]) -> float:
        shared = overlap(part, whole) / (1 + overlap(part, whole)) * (area(part) + area(whole))
        return shared / area(part)

    def area(box: list[float]) -> float:
        return (box[2] - box[0]) * (box[3] - box[1])

    left = rows(*(sighting(*one) for one in seen)).tolist()
    every_pair = [min(abs(overlap(a, b) - 0.3), abs(within(a, b) - 0.8)) for a in left for b in left]
    assume(min(every_pair, default=1.0) > 1e-3)  # not on the edge, where rounding decides
    kept = []
    for one in sorted(left, key=lambda row: -row[14]):
        if all(overlap(one, winner) <= 0.3 and within(one, winner) <= 0.8 for winner in kept):
            kept.append(one)
    found = merge(rows(*left))
    assert sorted(face.confidence for face in found) == pytest.approx(sorted(one[14] for one in kept))
