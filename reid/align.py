"""Five landmarks -> upright crop at the size that somebody wants. Knows no detector and no network."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.types import RGB

TEMPLATE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
"""(5, 2) where eyes, nose tip and mouth corners lie on a 112 px crop. Source: ArcFace (arXiv 1801.07698), its code."""

CHIP_PX = 256
"""Side of the crop that is stored and shown: the 160 px crop of a face with 48 px around it."""
_CHIP_MARGIN_PX = 48
_OUTSIDE = (127, 127, 127)  # beyond the picture's edge: mid grey, which standardises to about nothing


def similarity_transform(source: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.float64]:
    """The (2, 3) rotation, scale and shift without reflection that takes `source` to `target` with least squares.

    With points as complex numbers it is one division: a = <s, t> / <s, s>.

    Args:
        source: (N, 2) points; all on one spot they say nothing of turn and scale, which then stay as they are.
        target: (N, 2).
    """
    s = source[:, 0] + 1j * source[:, 1].astype(np.float64)
    t = target[:, 0] + 1j * target[:, 1].astype(np.float64)
    s_mean, t_mean = s.mean(), t.mean()
    spread = np.vdot(s - s_mean, s - s_mean).real
    a = np.vdot(s - s_mean, t - t_mean) / spread if spread > 1e-9 else 1 + 0j
    b = t_mean - a * s_mean
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def align(image: RGB, landmarks_px: NDArray[np.float32], size_px: int) -> RGB:
    """The face upright on a square crop, the 112 px template scaled to fill it.

    Args:
        image: (H, W, 3).
        landmarks_px: (5, 2) in pixels of the image.
        size_px: side of the crop, 112 for SFace, 160 for Inception-ResNet V1.
    """
    return _warp(image, similarity_transform(landmarks_px, TEMPLATE_112 * (size_px / 112)), size_px)


def chip(image: RGB, landmarks_px: NDArray[np.float32]) -> tuple[RGB, NDArray[np.float32]]:
    """The stored crop of a face, and where its landmarks lie on it.

    Returns:
        (CHIP_PX, CHIP_PX, 3) and (5, 2): `align(*chip, size)` is the crop that `align` cuts from the photograph,
        but for resampling, so a gallery can be embedded again by another network.
    """
    inner = CHIP_PX - 2 * _CHIP_MARGIN_PX
    matrix = similarity_transform(landmarks_px, TEMPLATE_112 * (inner / 112) + np.float32(_CHIP_MARGIN_PX))
    moved = landmarks_px.astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return _warp(image, matrix, CHIP_PX), moved.astype(np.float32)


def _warp(image: RGB, matrix: NDArray[np.float64], size_px: int) -> RGB:
    """Bilinear, with the picture averaged down first where it shrinks more than twice: bilinear alone would alias."""
    shrink = int(1 / max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-6))
    if shrink >= 2:
        image, matrix = _reduced(image, matrix, size_px, shrink)
    warped = cv2.warpAffine(
        image, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=_OUTSIDE
    )
    return np.asarray(warped, np.uint8)


def _reduced(image: RGB, matrix: NDArray[np.float64], size_px: int, shrink: int) -> tuple[RGB, NDArray[np.float64]]:
    """The part of the picture that the crop shows, averaged over `shrink` x `shrink` pixels, and the matrix for it."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [size_px, 0], [0, size_px], [size_px, size_px]], np.float64)
    source = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    left, top = np.maximum(np.floor(source.min(0)).astype(int) - shrink, 0)
    right, bottom = np.minimum(np.ceil(source.max(0)).astype(int) + shrink, [width, height])
    if right - left < shrink or bottom - top < shrink:
        return image, matrix
    right, bottom = left + (right - left) // shrink * shrink, top + (bottom - top) // shrink * shrink
    small = cv2.resize(image[top:bottom, left:right], None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    # the centre of small pixel i lies at left + shrink * i + (shrink - 1) / 2 of the picture
    linear = matrix[:, :2] * shrink
    shift = matrix[:, 2] + matrix[:, :2] @ (np.array([left, top]) + (shrink - 1) / 2)
    return np.asarray(small, np.uint8), np.column_stack([linear, shift])
