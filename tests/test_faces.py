"""Which face is meant, and how good it is."""

import cv2
import numpy as np

from reid.align import TEMPLATE_112
from reid.faces import chosen_face
from reid.quality import measure
from reid.types import Face, Photograph


def _face(left: float, top: float, side: float) -> Face:
    return Face((left, top, left + side, top + side), TEMPLATE_112 * (side / 112) + np.float32([left, top]), 0.9)


def test_the_largest_and_the_central_face_are_told_apart():
    photograph = Photograph(np.zeros((200, 200, 3), np.uint8), "p.jpg", "0" * 64)
    corner, middle = _face(0, 0, 90), _face(70, 70, 50)
    assert chosen_face(photograph, [corner, middle], "largest") is corner
    assert chosen_face(photograph, [corner, middle], "central") is middle
    assert chosen_face(photograph, [], "largest") is None


def _textured() -> np.ndarray:
    rng = np.random.default_rng(0)
    return cv2.GaussianBlur(rng.integers(30, 220, (300, 300, 3)).astype(np.uint8), (0, 0), 1.2)


def test_blur_lowers_the_sharpness_and_the_score():
    image, face = _textured(), _face(60, 60, 180)
    sharp, blurred = measure(image, face), measure(cv2.GaussianBlur(image, (0, 0), 6), face)
    assert blurred.sharpness < sharp.sharpness / 2
    assert blurred.score < sharp.score


def test_a_small_face_scores_less_than_a_large_one():
    image = _textured()
    assert measure(image, _face(100, 100, 20)).score < measure(image, _face(60, 60, 180)).score


def test_a_turned_head_moves_the_nose_between_the_eyes():
    face = _face(60, 60, 180)
    turned = face.landmarks_px.copy()
    turned[2, 0] += 0.55 * np.tan(np.deg2rad(30)) * (turned[1, 0] - turned[0, 0])
    quality = measure(_textured(), Face(face.box_px, turned, 0.9))
    assert abs(measure(_textured(), face).yaw_deg) < 5
    assert abs(quality.yaw_deg - 30) < 5


def test_a_black_picture_has_no_exposure():
    assert measure(np.zeros((300, 300, 3), np.uint8), _face(60, 60, 180)).exposure == 0


def test_eyes_on_one_point_still_give_a_quality():
    face = Face((10, 10, 60, 60), np.full((5, 2), 30, np.float32), 0.9)
    assert 0 <= measure(_textured(), face).score <= 1
