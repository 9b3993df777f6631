"""Where the label of each face stands: above its box, or where it covers no other face and no other label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_SHOWN_PX = 700.0
"""Width at which a photograph is usually drawn; labels have a size on the screen, not in the photograph."""
_TAG_PX = 22.0
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

    def covered_by(self, other: Box) -> float:
        """Area that both share."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, across) * max(0.0, down)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a label is anchored, as shares of the picture, and which of its corners the anchor is."""

    name: str
    x: float
    y: float


def place_tags(boxes: Sequence[Box], letters: Sequence[int], width_px: int, height_px: int) -> list[Place]:
    """A place for the label of each face; the first of above, below, above to the right, below to the right, inside
    that covers least of other faces, other labels and the outside.

    Args:
        boxes: of the faces, in pixels.
        letters: length of each label's words.
    """
    unit = width_px / min(_SHOWN_PX, max(width_px * 3.0, 1.0))  # pixels of the photograph for one on the screen
    high, gap = _TAG_PX * unit, _GAP_PX * unit
    taken: list[Box] = []
    places = []
    for index, (box, length) in enumerate(zip(boxes, letters, strict=True)):
        wide = (38 + 6.6 * length) * unit
        options = [
            ("above", box.left, box.top, Box(box.left, box.top - gap - high, wide, high)),
            ("below", box.left, box.bottom, Box(box.left, box.bottom + gap, wide, high)),
            ("aboveright", box.right, box.top, Box(box.right - wide, box.top - gap - high, wide, high)),
            ("belowright", box.right, box.bottom, Box(box.right - wide, box.bottom + gap, wide, high)),
            ("inside", box.left, box.top, Box(box.left, box.top, wide, high)),
        ]
        costs = [
            _outside(tag, width_px, height_px) * 4
            + sum(tag.covered_by(other) for other_index, other in enumerate(boxes) if other_index != index)
            + sum(tag.covered_by(other) for other in taken) * 2
            + (0.3 * wide * high if name == "inside" else 0.0)
            for name, _, _, tag in options
        ]
        name, x, y, tag = options[costs.index(min(costs))]
        taken.append(tag)
        places.append(Place(name, x / width_px, y / height_px))
    return places


def _outside(tag: Box, width_px: int, height_px: int) -> float:
    return tag.width * tag.height - tag.covered_by(Box(0, 0, width_px, height_px))
