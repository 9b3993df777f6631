"""A face that the detector missed and somebody drew a box around. Draws nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reid.errors import NoFaceError
from reid.images import decode_jpeg
from reid.recognizer import Recognizer
from reid.types import RGB, Face, Photograph, Template
from reid.ui.session import Shot

_LOOK_PX = 160
"""Longer side that a drawn box is enlarged to before the detector looks once more."""


def drawn_box(shot: Shot, data: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """A box that was drawn on the screen, in pixels of the picture that is kept.

    Args:
        data: `x`, `y`, `w`, `h` as shares of the picture.

    Raises:
        NoFaceError: it is no box.
    """
    try:
        x, y, w, h = (min(max(float(data[name]), 0.0), 1.0) for name in ("x", "y", "w", "h"))
    except (KeyError, TypeError, ValueError):
        x = y = w = h = 0.0
    wide, high = shot.width_px * shot.scale, shot.height_px * shot.scale
    if w * wide < 4 or h * high < 4:
        raise NoFaceError("That box is too small to hold a face. Draw it around the whole face.")
    return x * wide, y * high, (x + w) * wide, (y + h) * high


def look_at(recognizer: Recognizer, shot: Shot, box_px: tuple[float, float, float, float]) -> Template:
    """Describes a face that somebody drew a box around.

    The detector looks once more at that part, enlarged; where it still finds nothing the landmarks are taken to lie
    where they usually do in a box.

    Args:
        box_px: in pixels of the picture that is kept.
    """
    image = decode_jpeg(shot.jpeg)
    found = _found_again(recognizer, image, box_px) or Face(box_px, _usual_landmarks(box_px), 0.0)
    template = recognizer.describe(Photograph(image, shot.name, shot.sha256), [found])[0]
    left, top, right, bottom = (value / shot.scale for value in found.box_px)
    face = Face((left, top, right, bottom), found.landmarks_px / np.float32(shot.scale), found.confidence)
    return replace(template, face=face)


def _found_again(recognizer: Recognizer, image: RGB, box_px: tuple[float, float, float, float]) -> Face | None:
    """The face nearest to the middle of a box, with half a box of surroundings, enlarged to `_LOOK_PX`."""
    width, height = box_px[2] - box_px[0], box_px[3] - box_px[1]
    left, top = max(0, round(box_px[0] - width / 2)), max(0, round(box_px[1] - height / 2))
    right = min(image.shape[1], round(box_px[2] + width / 2))
    bottom = min(image.shape[0], round(box_px[3] + height / 2))
    part = Image.fromarray(image[top:bottom, left:right])
    zoom = max(1.0, _LOOK_PX / max(width, height))
    part = part.resize((max(1, round(part.width * zoom)), max(1, round(part.height * zoom))), Image.Resampling.BICUBIC)
    shift = np.array([left, top], np.float32)
    middle = np.array([(box_px[0] + box_px[2]) / 2, (box_px[1] + box_px[3]) / 2])
    nearest: tuple[float, Face] | None = None
    for face in recognizer.detect(Photograph(np.asarray(part), "part", "")):
        corners = [value / zoom + shift[index % 2] for index, value in enumerate(face.box_px)]
        moved = Face(
            (corners[0], corners[1], corners[2], corners[3]),
            (face.landmarks_px / zoom + shift).astype(np.float32),
            face.confidence,
        )
        distance = float(np.hypot(*(np.array(moved.centre_px) - middle)))
        if distance < max(width, height) / 2 and (nearest is None or distance < nearest[0]):
            nearest = distance, moved
    return nearest[1] if nearest else None


def _usual_landmarks(box_px: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """(5, 2) where eyes, nose and mouth of an upright frontal face lie in its box."""
    shares = np.array([[0.31, 0.40], [0.69, 0.40], [0.5, 0.60], [0.35, 0.78], [0.65, 0.78]], np.float32)
    corner = np.array(box_px[:2], np.float32)
    return np.asarray(shares * (np.array(box_px[2:], np.float32) - corner) + corner, np.float32)
