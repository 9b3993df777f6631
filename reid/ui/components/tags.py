"""Where the label of each face stands: above its box, or where it covers no other face and no other label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SHOWN_PX = 700.0
"""Width at which a photograph is usually drawn; labels have a size on the screen, not in the photograph."""
_GAP_PX = 5.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the photograph, inside it."""

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def of(cls, box_px: tuple[float, float, float, float], width_px: int, height_px: int) -> Box:
        """A detection cut at the picture's edges."""
        left, top = max(0.0, box_px[0]), max(0.0, box_px[1])
        right, bottom = min(float(width_px), box_px[2]), min(float(height_px), box_px[3])
        return cls(left, top, max(1.0, right - left), max(1.0, bottom - top))

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height


@dataclass(frozen=True, slots=True)
class Place:
    """Where a label is anchored, as shares of the picture, and which of its corners the anchor is."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class _Style:
    """How labels are written, all of a photograph alike.

    Attributes:
        bare_px: width without the words.
        letter_px: width of each letter of the words; 0 where they are left out.
        places: where a label may stand, the best first.
    """

    bare_px: float
    letter_px: float
    high_px: float
    places: tuple[str, ...]


_AROUND = ("above", "below", "aboveright", "belowright", "inside")
_STYLES = {
    "words": _Style(38, 6.6, 22, _AROUND),
    "short": _Style(44, 0, 22, _AROUND),
    "number": _Style(22, 0, 15, ("inside",)),
}
_COLLIDES = 0.15
"""Share of a label that lies on another one or on another face; from there on it is in the way."""
_MOST_COLLIDE = 0.25
"""Share of the labels that may be in the way before all are written shorter."""


@dataclass(frozen=True, slots=True)
class Tags:
    """Where the labels of a photograph stand.

    Attributes:
        style: `words`, `short` (number and shape) where words cover too much, `number` in a crowd.
    """

    style: str
    places: tuple[Place, ...]


def lay_tags(boxes: Sequence[Box], letters: Sequence[int], width_px: int, height_px: int, selected: int = -1) -> Tags:
    """Labels with words where there is room, shorter ones in a crowd; the selected face always has its words.

    Args:
        boxes: of the faces, in pixels.
        letters: length of each label's words.
        selected: index of a face; -1 for none.
    """
    for style in _STYLES:
        places, collide = _placed(boxes, letters, width_px, height_px, _STYLES[style])
        if collide <= _MOST_COLLIDE * len(boxes):
            break
    if 0 <= selected < len(boxes) and style != "words":  # drawn above the others, so it gives way to nothing
        places[selected] = _placed([boxes[selected]], [letters[selected]], width_px, height_px, _STYLES["words"])[0][0]
    return Tags(style, tuple(places))


def place_tags(boxes: Sequence[Box], letters: Sequence[int], width_px: int, height_px: int) -> list[Place]:
    """A place for the label of each face with its words; the first of above, below, above to the right, below to the
    right, inside that covers least of other faces, other labels and the outside.
    """
    return _placed(boxes, letters, width_px, height_px, _STYLES["words"])[0]


def _placed(
    boxes: Sequence[Box], letters: Sequence[int], width_px: int, height_px: int, style: _Style
) -> tuple[list[Place], int]:
    """The places, and how many labels are in the way of another one or of a face."""
    unit = width_px / min(_SHOWN_PX, max(width_px * 3.0, 1.0))  # pixels of the photograph for one on the screen
    high, gap = style.high_px * unit, _GAP_PX * unit
    faces = _edges(boxes)
    taken = np.empty((len(boxes), 4))
    places, collide = [], 0
    for index, (box, length) in enumerate(zip(boxes, letters, strict=True)):
        wide = (style.bare_px + style.letter_px * length) * unit
        tags = _options(box, wide, high, gap, style.places)
        edges = _edges(tags)
        on_faces = _shared(edges, faces)
        on_faces[:, index] = 0  # its own
        on_tags = _shared(edges, taken[:index])
        covers = on_faces.sum(1) + 2 * on_tags.sum(1)
        inside = _shared(edges, np.array([[0.0, 0.0, width_px, height_px]]))[:, 0]
        costs = covers + 4 * (wide * high - inside) + [0.3 * wide * high * (name == "inside") for name in style.places]
        best = int(costs.argmin())
        taken[index] = edges[best]
        collide += bool(covers[best] > _COLLIDES * wide * high)
        places.append(_place(style.places[best], box, width_px, height_px))
    return places, collide


def _options(box: Box, wide: float, high: float, gap: float, names: Sequence[str]) -> list[Box]:
    above, below = box.top - gap - high, box.bottom + gap
    options = {
        "above": Box(box.left, above, wide, high),
        "below": Box(box.left, below, wide, high),
        "aboveright": Box(box.right - wide, above, wide, high),
        "belowright": Box(box.right - wide, below, wide, high),
        "inside": Box(box.left, box.top, wide, high),
    }
    return [options[name] for name in names]


def _place(name: str, box: Box, width_px: int, height_px: int) -> Place:
    x = box.right if name.endswith("right") else box.left
    y = box.bottom if name.startswith("below") else box.top
    return Place(name, x / width_px, y / height_px)


def _edges(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """(N, 4): left, top, right, bottom."""
    return np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.float64).reshape(-1, 4)


def _shared(ones: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, M): the area that each of N rectangles shares with each of M."""
    least = np.minimum(ones[:, None, 2:], others[None, :, 2:])
    most = np.maximum(ones[:, None, :2], others[None, :, :2])
    sides = np.maximum(least - most, 0)
    return np.asarray(sides[..., 0] * sides[..., 1])
