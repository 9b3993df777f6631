"""Alignment against geometry worked out another way."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid.align import CHIP_PX, TEMPLATE_112, align, chip, similarity_transform


def _placed(angle_deg: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    """The template turned, scaled and shifted by the textbook rotation matrix."""
    angle = np.deg2rad(angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (scale * (TEMPLATE_112.astype(np.float64) @ turn.T) + shift).astype(np.float32)


@given(st.floats(-179, 179), st.floats(0.1, 10), st.floats(-500, 500), st.floats(-500, 500))
def test_a_turned_and_scaled_template_is_taken_back_exactly(angle, scale, x, y):
    placed = _placed(angle, scale, (x, y))
    matrix = similarity_transform(placed, TEMPLATE_112)
    back = placed @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(back - TEMPLATE_112).max() < 1e-2


def test_the_transform_has_the_least_squares_of_all_similarities():
    rng = np.random.default_rng(0)
    points = _placed(20, 1.7, (40, 60)) + rng.normal(0, 3, (5, 2)).astype(np.float32)
    # the same problem as linear least squares in a, b, tx, ty
    rows, wanted = [], []
    for (x, y), (u, v) in zip(points.astype(np.float64), TEMPLATE_112.astype(np.float64), strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        wanted += [u, v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    assert similarity_transform(points, TEMPLATE_112) == pytest.approx(np.array([[a, -b, tx], [b, a, ty]]))


def _picture(height: int, width: int) -> np.ndarray:
    """Smooth colours, so that resampling twice changes little."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    planes = [127 + 90 * np.sin(x / 31 + k) * np.cos(y / 23 - k) for k in range(3)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def test_landmarks_land_on_the_template_of_the_crop():
    image = np.zeros((400, 400, 3), np.uint8)
    landmarks = _placed(-12, 1.5, (120, 90))
    for x, y in landmarks:
        cv2.circle(image, (round(float(x)), round(float(y))), 4, (255, 255, 255), -1)
    crop = align(image, landmarks, 160)
    for x, y in TEMPLATE_112 * (160 / 112):
        assert crop[round(float(y)), round(float(x))].min() > 200


def test_a_gallery_can_be_embedded_again_from_its_chips():
    image = _picture(700, 900)
    landmarks = _placed(8, 2.1, (300, 200))
    picture, moved = chip(image, landmarks)
    assert picture.shape == (CHIP_PX, CHIP_PX, 3)
    for size in (112, 160):
        again = align(picture, moved, size).astype(int)
        direct = align(image, landmarks, size).astype(int)
        assert np.abs(again - direct).mean() < 1.5


@pytest.mark.parametrize("scale", [2.5, 4.0, 9.0])
def test_a_large_face_is_averaged_down_not_sampled(scale):
    landmarks = _placed(0, scale, (50, 50))
    side = int(112 * scale) + 100
    checks = ((np.indices((side, side)).sum(0) % 2) * 255).astype(np.uint8)
    crop = align(np.repeat(checks[..., None], 3, axis=2), landmarks, 112)
    assert np.abs(crop[20:90, 20:90].astype(int) - 127).max() < 80  # sampling would leave 0 and 255


def test_averaging_down_keeps_the_place_of_the_face():
    image = _picture(1500, 1500)
    landmarks = _placed(15, 6.0, (400, 300))
    crop = align(image, landmarks, 112).astype(int)
    matrix = similarity_transform(landmarks, TEMPLATE_112)
    plain = cv2.warpAffine(cv2.GaussianBlur(image, (0, 0), 2), matrix, (112, 112)).astype(int)
    assert np.abs(crop[10:100, 10:100] - plain[10:100, 10:100]).mean() < 2


def test_beyond_the_edge_is_grey():
    crop = align(np.zeros((50, 50, 3), np.uint8), _placed(0, 1, (-80, -80)), 112)
    assert (crop[0, 0] == 127).all()


def test_landmarks_on_one_point_still_give_a_crop():
    crop = align(np.zeros((50, 50, 3), np.uint8), np.full((5, 2), 25, np.float32), 112)
    assert crop.shape == (112, 112, 3)
