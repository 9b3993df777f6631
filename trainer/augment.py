"""Photographs as training sees them: the reference's augmentation, and faces as a surveillance camera records them.

Crops in, crops out, every draw from the generator that is handed in; knows no network and no labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from reid.types import RGB

_GREY = (127, 127, 127)
_CROP_OF_FACE = 1.25
"""Side of the aligned crop divided by the width of the face that a detector's box shows."""

_SHRINKING = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_GROWING = (cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
_SUBSAMPLING = (
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)


@dataclass(frozen=True, slots=True)
class Surveillance:
    """How bad the camera is.

    Attributes:
        face_px: smallest and largest width of the face; drawn evenly on a logarithmic scale.
        landmark_error: how far landmarks of bad pictures are off, in multiples of what YuNet's are (`_found_again`).
    """

    face_px: tuple[float, float] = (11.0, 72.0)
    landmark_error: float = 1.0


def reference_view(crop: RGB, rng: Generator) -> RGB:
    """Random resized crop 0.8-1.0, horizontal flip 0.5, rotation +-15 degrees, colour jitter 0.2.

    As torchvision defines the four (aspect ratio 3/4 to 4/3, no fill but black outside), drawn from `rng`, so that
    every photograph of every epoch has its own stream and a resumed run sees the same pictures.
    """
    side = len(crop)
    height, width = _resized_crop(side, rng)
    top, left = int(rng.integers(0, side - height + 1)), int(rng.integers(0, side - width + 1))
    part = crop[top : top + height, left : left + width]
    view = np.asarray(cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    view = _maybe_mirrored(view, rng)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), rng.uniform(-15, 15), 1.0)
    turned = cv2.warpAffine(view, matrix, (side, side), flags=cv2.INTER_NEAREST)
    return colour_jitter(np.asarray(turned, np.uint8), rng, 0.2)


def _resized_crop(side: int, rng: Generator) -> tuple[int, int]:
    for _ in range(10):
        area = side * side * rng.uniform(0.8, 1.0)
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < width <= side and 0 < height <= side:
            return height, width
    return side, side


def colour_jitter(crop: RGB, rng: Generator, strength: float) -> RGB:
    """Brightness, contrast and saturation each times 1 +- `strength`, in random order."""
    pixels = crop.astype(np.float32)
    for which in rng.permutation(3):
        factor = np.float32(rng.uniform(1 - strength, 1 + strength))
        if which == 0:
            pixels = pixels * factor
        elif which == 1:
            pixels = pixels * factor + (1 - factor) * _grey(pixels).mean()
        else:
            pixels = pixels * factor + (1 - factor) * _grey(pixels)[..., None]
        pixels = np.clip(pixels, 0, 255)
    return pixels.astype(np.uint8)


def clean_view(crop: RGB, rng: Generator) -> RGB:
    """A photograph much as it is: mirrored half of the time, moved as a detector errs, slightly recoloured."""
    side = len(crop)
    crop = _moved(crop, rng, side, shift=0.012, turn_deg=2.0, stretch=0.02, how=cv2.INTER_LINEAR)
    return colour_jitter(_maybe_mirrored(crop, rng), rng, 0.15)


def surveillance_view(crop: RGB, rng: Generator, camera: Surveillance) -> RGB:
    """The same face small, out of focus or moving, noisy and compressed, cut again by inexact landmarks.

    Built from optics to codec: blur before sampling, sampling by a random kernel, exposure and colour cast, photon and
    read noise, the camera's sharpening, one or two rounds of block compression, and the growing to the network's size.
    """
    side = len(crop)
    low, high = camera.face_px
    face_px = math.exp(rng.uniform(math.log(low), math.log(high)))
    small_side = max(10, min(side, round(face_px * _CROP_OF_FACE)))
    crop = _maybe_mirrored(crop, rng)
    blurred = _blurred(crop, rng, side / small_side)
    shrinking = _SHRINKING[rng.integers(len(_SHRINKING))]
    small = cv2.resize(blurred, (small_side, small_side), interpolation=shrinking).astype(np.float32)
    small = _noisy(_exposed(small, rng), rng)
    if rng.random() < 0.25:
        small = small + rng.uniform(0.2, 1.0) * (small - cv2.GaussianBlur(small, (0, 0), rng.uniform(0.6, 1.2)))
    small_u8 = np.clip(np.rint(small), 0, 255).astype(np.uint8)
    for _ in range(1 + (rng.random() < 0.3)):
        small_u8 = _compressed(small_u8, rng)
    return _found_again(small_u8, rng, side, face_px, camera.landmark_error)


def _found_again(small: RGB, rng: Generator, side: int, face_px: float, error: float) -> RGB:
    """The small crop grown to `side` by landmarks that are as far off as those found in such a picture.

    Measured with YuNet on 90 photographs of strangers that went through this degradation, at faces of 14 to 64 px,
    against the landmarks of the clean photograph: shift 0.017 to 0.009 of the crop's side, turn 3 degrees at every
    size, scale 0.06 to 0.025 and on average a little too large, as the landmarks of a blurred face lie closer together.
    """
    return _moved(
        small, rng, side,
        shift=error * (0.0035 + 0.19 / face_px),
        turn_deg=error * 3.0,
        stretch=error * (0.012 + 0.65 / face_px),
        grow=error * 0.5 / face_px,
        how=_GROWING[rng.integers(len(_GROWING))],
    )  # fmt: skip


def _grey(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)


def _maybe_mirrored(crop: RGB, rng: Generator) -> RGB:
    return np.ascontiguousarray(crop[:, ::-1]) if rng.random() < 0.5 else crop


def _moved(
    crop: RGB, rng: Generator, side: int, *, shift: float, turn_deg: float, stretch: float, how: int, grow: float = 0.0
) -> RGB:
    """The crop grown to `side` and moved at random; shift and stretch are deviations as shares of the side.

    Args:
        grow: mean of the logarithm of the scale beyond that.
    """
    own = len(crop)
    angle = math.radians(rng.normal(0, turn_deg))
    scale = side / own * math.exp(rng.normal(grow, stretch))
    dx, dy = rng.normal(0, shift * side, 2)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    middle, target = (own - 1) / 2, (side - 1) / 2
    matrix = np.array(
        [
            [cos, -sin, target + dx - cos * middle + sin * middle],
            [sin, cos, target + dy - sin * middle - cos * middle],
        ]
    )
    moved = cv2.warpAffine(crop, matrix, (side, side), flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=_GREY)
    return np.asarray(moved, np.uint8)


def _blurred(crop: RGB, rng: Generator, shrink: float) -> RGB:
    """Lens and motion at full resolution; widths are in pixels of the small picture times `shrink`."""
    kind = rng.integers(4)
    if kind == 0:  # almost in focus: a lens of unequal sharpness along two axes
        sigma = shrink * rng.uniform(0.1, 0.55, 2)
        return np.asarray(cv2.GaussianBlur(crop, (0, 0), max(0.2, sigma[0]), sigmaY=max(0.2, sigma[1])), np.uint8)
    if kind == 1:  # out of focus: a disc
        kernel = _disc(shrink * rng.uniform(0.3, 1.1))
    elif kind == 2:  # moving: a line at any angle
        kernel = _line(shrink * rng.uniform(0.8, 3.0), rng.uniform(0, math.pi))
    else:
        return crop
    return np.asarray(cv2.filter2D(crop, -1, kernel, borderType=cv2.BORDER_REFLECT), np.uint8)


def _disc(radius: float) -> NDArray[np.float32]:
    reach = max(1, math.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _line(length: float, angle_rad: float) -> NDArray[np.float32]:
    reach = max(1, math.ceil(length / 2))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = x * math.cos(angle_rad) + y * math.sin(angle_rad)
    across = y * math.cos(angle_rad) - x * math.sin(angle_rad)
    kernel = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _exposed(pixels: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """Contrast about the mean, brightness, a colour cast, and now and then no colour at all (infrared at night)."""
    mean = pixels.mean()
    pixels = (pixels - mean) * rng.uniform(0.6, 1.15) + mean + rng.uniform(-35, 30)
    pixels = pixels * rng.uniform(0.92, 1.08, 3).astype(np.float32)
    if rng.random() < 0.1:
        pixels = np.repeat(_grey(pixels.astype(np.float32))[..., None], 3, axis=2)
    return np.clip(pixels, 0, 255).astype(np.float32)


def _noisy(pixels: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """Photon noise grows with the root of the light, read noise does not; most of both is common to the colours."""
    photons = rng.uniform(0.05, 0.6)
    read = rng.uniform(0.0, 4.0)
    deviation = np.sqrt(photons * pixels + read**2)
    common = rng.standard_normal(pixels.shape[:2])[..., None] * 0.8
    own = rng.standard_normal(pixels.shape) * 0.6
    return np.asarray(pixels + deviation * (common + own), np.float32)


def _compressed(small: RGB, rng: Generator) -> RGB:
    """Block compression whose grid starts anywhere on the face: JPEG, or WebP's intra frames as a video codec's."""
    top, left = (int(v) for v in rng.integers(0, 8, 2))
    framed = cv2.copyMakeBorder(small, top, 8 - top, left, 8 - left, cv2.BORDER_REPLICATE)
    bgr = np.ascontiguousarray(framed[..., ::-1])
    if rng.random() < 0.35:
        suffix, options = ".webp", [cv2.IMWRITE_WEBP_QUALITY, int(rng.integers(25, 91))]
    else:
        sampling = _SUBSAMPLING[rng.integers(len(_SUBSAMPLING))]
        options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96)), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
        suffix = ".jpg"
    done, data = cv2.imencode(suffix, bgr, options)
    assert done
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(decoded[top : top + len(small), left : left + len(small)])
