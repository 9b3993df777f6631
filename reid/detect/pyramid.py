"""At which scales, and in which pieces, a picture is searched for faces; and how sightings become faces.

Knows no detector; the pixels it only cuts and scales.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.types import RGB, Face

Sightings = NDArray[np.float32]
"""(K, 15) left, top, right, bottom, x and y of five landmarks, confidence: a face may have been seen many times."""

_SAME_FACE = 0.3  # intersection over union from which two boxes are one face
_AGREE = 0.5  # from which they see it alike
_WITHIN = 0.8  # share of a box within a surer one from which it is a part of that face: an eye, a nostril, a collar


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the picture, in its own pixels, and what it is scaled by before a detector sees it."""

    left: int
    top: int
    width: int
    height: int
    scale: float

    @property
    def scaled_size(self) -> tuple[int, int]:
        """Width and height that the detector sees, at least one pixel."""
        return max(1, round(self.width * self.scale)), max(1, round(self.height * self.scale))

    def to_picture(self, sightings: Sightings) -> Sightings:
        """(K, 15) in pixels of the scaled window -> of the picture."""
        scale = np.array(self.scaled_size) / (self.width, self.height)  # after rounding to whole pixels
        moved = sightings.astype(np.float32)
        moved[:, :14] = (sightings[:, :14].reshape(-1, 7, 2) / scale + (self.left, self.top)).reshape(-1, 14)
        return moved


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """Scales for a detector that sees faces of a limited range of sizes well.

    The finest pass brings the smallest wanted face up to `seen_from_px`, within limits; each further pass is
    four times coarser, until a face that fills the picture is seen as one of at most `seen_to_px`. Passes larger than
    a tile are cut into overlapping ones, which bounds the memory: 120 megapixels need no more than one tile.

    Attributes:
        min_face_px: width of the smallest face that is looked for, in pixels of the picture.
        seen_from_px: width from which the detector finds faces reliably.
        seen_to_px: width up to which it does.
        max_enlargement: more than this adds no detail.
        enlarged_side_px: a picture is not enlarged beyond this longer side; larger ones are searched as they are.
        tile_px: longest side of what the detector is given at once.
        overlap_px: of neighbouring tiles; a face up to this width is whole on one of them.
    """

    min_face_px: int
    seen_from_px: int = 24
    seen_to_px: int = 400
    max_enlargement: float = 2.0
    enlarged_side_px: int = 2560
    tile_px: int = 2048
    overlap_px: int = 320

    def windows(self, width: int, height: int) -> list[Window]:
        """What to search on a picture of that size, finest scale first; empty where no wanted face fits."""
        if max(width, height) < self.min_face_px:
            return []
        windows: list[Window] = []
        scale = self._finest_scale(width, height)
        while True:
            tiles = self._tiles(width, height, scale)
            windows += tiles
            if min(width, height) * scale <= (self.seen_to_px if len(tiles) == 1 else self.overlap_px):
                return windows
            scale /= 4

    def _finest_scale(self, width: int, height: int) -> float:
        wanted = self.seen_from_px / self.min_face_px
        if wanted <= 1:
            return wanted
        return max(1.0, min(wanted, self.max_enlargement, self.enlarged_side_px / max(width, height)))

    def _tiles(self, width: int, height: int, scale: float) -> list[Window]:
        return [
            Window(left, top, right - left, bottom - top, scale)
            for top, bottom in self._spans(height, scale)
            for left, right in self._spans(width, scale)
        ]

    def _spans(self, length: int, scale: float) -> list[tuple[int, int]]:
        """Pieces of one side, in pixels of the picture, equally long but for rounding."""
        tile, overlap = self.tile_px / scale, self.overlap_px / scale
        if length <= 1.25 * tile:  # not worth two pieces that overlap nearly wholly
            return [(0, length)]
        count = ceil((length - overlap) / (tile - overlap))
        step = (length - tile) / (count - 1)
        return [(round(i * step), min(length, round(i * step + tile))) for i in range(count)]


def require_rgb(image: RGB) -> None:
    """A caller that hands over grey, RGBA or float pixels has skipped `reid.images`: its mistake, not bad input."""
    assert image.ndim == 3, "rows, columns and colours"
    assert image.shape[2] == 3, "red, green and blue"
    assert image.dtype == np.uint8, "8 bits a colour"


def cut(image: RGB, window: Window) -> RGB:
    """The window's pixels at its scale: averaged where it shrinks, bilinear where it grows."""
    part = image[window.top : window.top + window.height, window.left : window.left + window.width]
    if window.scaled_size == (window.width, window.height):
        return part
    interpolation = cv2.INTER_AREA if window.scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, window.scaled_size, interpolation=interpolation), np.uint8)


def around(face: Face, seen_px: int, window_px: int, width: int, height: int) -> Window:
    """The part of a picture around a face at the scale that makes it `seen_px` wide.

    Args:
        face: in pixels of the picture.
        seen_px: width of the face as the detector will see it.
        window_px: side of the window as the detector will see it, less where the picture ends.
        width: of the picture.
        height: of the picture.
    """
    scale = seen_px / face.width_px
    x, y = face.centre_px
    reach = window_px / scale / 2
    left, top = int(np.clip(x - reach, 0, width - 1)), int(np.clip(y - reach, 0, height - 1))
    right, bottom = int(np.clip(x + reach, left + 1, width)), int(np.clip(y + reach, top + 1, height))
    return Window(left, top, right - left, bottom - top, scale)


def near(face: Face, sightings: Sightings, least: float) -> Sightings:
    """Those whose intersection over union with the face's box is at least `least`."""
    return sightings[_overlap(np.array(face.box_px, np.float32), sightings[:, :4])[0] >= least]


def inside(sightings: Sightings, window: Window, width: int, height: int) -> Sightings:
    """Those that the window does not cut; where it ends at the picture's own edge nothing is cut.

    Args:
        sightings: (K, 15) in pixels of the picture, made in the window.
        window: where they were made.
        width: of the picture.
        height: of the picture.
    """
    slack = 2 / window.scale
    right, bottom = window.left + window.width, window.top + window.height
    least = [window.left + slack if window.left > 0 else -np.inf, window.top + slack if window.top > 0 else -np.inf]
    most = [right - slack if right < width else np.inf, bottom - slack if bottom < height else np.inf]
    return sightings[(sightings[:, :2] > least).all(axis=1) & (sightings[:, 2:4] < most).all(axis=1)]


def merge(sightings: Sightings) -> list[Face]:
    """Each face once, the largest first; where it was seen several times, its box and landmarks are their mean.

    The most confident sighting is a face, and takes those away that overlap it or lie within it; the ones that overlap
    it by half or more are weighed by their confidence. Other scales and neighbouring priors err independently: when a
    photograph is mirrored, shifted or compressed, the mean moves about half as far as the most confident one alone.

    Args:
        sightings: (K, 15) of all windows of one picture, in its pixels.
    """
    rows = sightings[np.argsort(-sightings[:, 14], kind="stable")]
    faces = []
    while len(rows):
        overlap, within = _overlap(rows[0, :4], rows[:, :4])
        overlap[0] = 1  # with itself, also where its box has no area
        agreeing = rows[overlap >= _AGREE]
        mean = np.average(agreeing[:, :14], axis=0, weights=agreeing[:, 14])
        left, top, right, bottom = (float(side) for side in mean[:4])
        confidence = float(np.clip(rows[0, 14], 0, 1))
        faces.append(Face((left, top, right, bottom), mean[4:].reshape(5, 2).astype(np.float32), confidence))
        rows = rows[(overlap <= _SAME_FACE) & (within <= _WITHIN)]
    return sorted(faces, key=lambda face: -face.area_px)


def _overlap(box: NDArray[np.float32], boxes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of one box (4,) with (K, 4): intersection over union, and the share of each that lies within the one."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    intersection = np.prod(np.maximum(sides, 0), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    union = np.prod(box[2:] - box[:2]) + areas - intersection
    return intersection / np.maximum(union, 1e-9), intersection / np.maximum(areas, 1e-9)
