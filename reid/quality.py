"""How good one face is before anybody compares it: size, sharpness, turn, exposure. Knows no network."""

from __future__ import annotations

import math

import cv2
import numpy as np

from reid.align import align
from reid.types import RGB, Face, Quality

_NOSE_DEPTH = 0.55  # of the distance between the eyes: how far the nose tip stands before them
_CROP_PX = 112


def measure(image: RGB, face: Face) -> Quality:
    """Quality of one face of a photograph.

    The turn of the head follows from the nose's place between the eyes: it moves by depth * sin(yaw), the eyes come
    nearer by cos(yaw). Size is the distance between the eyes with that turn undone, as ISO/IEC 29794-5 asks.
    """
    left_eye, right_eye, nose = (face.landmarks_px[i].astype(np.float64) for i in range(3))
    across = right_eye - left_eye
    eyes_px = float(np.hypot(*across)) or 1e-6
    offset = float(np.dot(nose - (left_eye + right_eye) / 2, across)) / eyes_px**2
    yaw_deg = math.degrees(math.atan(offset / _NOSE_DEPTH))
    size_px = eyes_px / max(math.cos(math.radians(yaw_deg)), 0.2)

    grey = cv2.cvtColor(align(image, face.landmarks_px, _CROP_PX), cv2.COLOR_RGB2GRAY)
    inner = grey[16:104, 16:96].astype(np.float32)
    # detail against contrast, so that a dark photograph is not called blurred
    detail = float(np.var(cv2.Laplacian(inner, cv2.CV_32F))) / (float(np.var(inner)) + 25.0)
    sharpness = detail / (detail + 0.15)
    exposure = float(np.mean((inner > 20) & (inner < 245)))
    score = _rise(size_px, 20, 8) * _rise(sharpness, 0.15, 0.07) * _rise(70 - abs(yaw_deg), 25, 10) * exposure
    return Quality(size_px, sharpness, yaw_deg, exposure, score ** (1 / 3))


def _rise(value: float, middle: float, width: float) -> float:
    return 1 / (1 + math.exp(-(value - middle) / width))
