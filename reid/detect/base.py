"""What a face detector promises. A new detector is one file beside this and one line in `reid.detect`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from reid.types import RGB, Face


class FaceDetector(Protocol):
    """Finds every face of at least `min_face_px` on upright RGB photographs.

    Implementations are safe to call from several threads and never let a quirk of their library out: a picture without
    faces gives an empty list, one too small to hold a face too, batches may mix sizes.
    """

    @property
    def name(self) -> str:
        """Stable id, as `--detector` takes it."""
        ...

    def detect(self, images: Sequence[RGB]) -> list[list[Face]]:
        """Faces of each image, the largest first, in pixels of that image."""
        ...
