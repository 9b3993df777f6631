"""Pictures one after the other, searched some at a time. Knows no files, and not what is done with faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from reid.detect.base import FaceDetector
from reid.types import RGB, Face

_AT_ONCE_PX = 2048 * 2048
"""Decoded pixels that wait to be searched together: bounds the memory of each thread."""

One = TypeVar("One")


def search_together(
    detector: FaceDetector, ones: Iterable[One], picture_of: Callable[[One], RGB | None]
) -> Iterator[tuple[One, list[Face] | None]]:
    """Each with the faces of its picture, in their order; None for what has no picture.

    Args:
        picture_of: what is looked at, (H, W, 3).
    """
    waiting: list[tuple[One, RGB]] = []
    for one in ones:
        picture = picture_of(one)
        if picture is not None:
            waiting.append((one, picture))
        if picture is None or sum(each.size // 3 for _, each in waiting) >= _AT_ONCE_PX:
            yield from _searched(detector, waiting)
            waiting = []
        if picture is None:
            yield one, None
    yield from _searched(detector, waiting)


def _searched(detector: FaceDetector, waiting: list[tuple[One, RGB]]) -> Iterator[tuple[One, list[Face] | None]]:
    found = detector.detect([picture for _, picture in waiting]) if waiting else []
    for (one, _), faces in zip(waiting, found, strict=True):
        yield one, faces
