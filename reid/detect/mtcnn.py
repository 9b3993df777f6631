"""MTCNN of facenet-pytorch, its weights from the wheel: windows of equal size searched as one batch.

Knows no file formats and no identities; keeps the library's quirks to itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from facenet_pytorch.models.utils.detect_face import detect_face
from numpy.typing import NDArray

from reid.detect.pyramid import SearchPlan, Sightings, Window, cut, inside, merge, require_rgb
from reid.types import RGB, Face

STAGE_THRESHOLDS = (0.6, 0.7, 0.7)
_PYRAMID_FACTOR = 0.709
_CELL_PX = 12
_BATCH_PIXELS = 4_000_000
"""Of all pictures that are searched at once; the first layers keep about 150 bytes for each."""


def search_plan(min_face_px: int) -> SearchPlan:
    """It makes its own scales from a window's downwards: further passes only where tiles cut large faces."""
    return SearchPlan(min_face_px, seen_from_px=20, seen_to_px=10_000)


class MTCNN:
    """Three networks, each looking closer. Source: Zhang et al., arXiv 1604.02878; thresholds of facenet-pytorch."""

    name = "mtcnn"

    def __init__(
        self,
        plan: SearchPlan,
        *,
        stage_thresholds: tuple[float, float, float] = STAGE_THRESHOLDS,
        device: torch.device | None = None,
    ) -> None:
        """
        Args:
            plan: where faces are looked for; the network makes its own scales from the window's downwards.
            stage_thresholds: in [0, 1]; faces that a stage is less sure of are dropped.
            device: where it runs, the processor by default.
        """
        self._plan = plan
        self._thresholds = list(stage_thresholds)
        self._device = device or torch.device("cpu")
        # without the MTCNN class around them: that one keeps the smallest size as state
        self._networks = [network().to(self._device).eval() for network in (PNet, RNet, ONet)]

    def detect(self, images: Sequence[RGB]) -> list[list[Face]]:
        """Faces of each image, the largest first, in pixels of that image.

        Args:
            images: each (H, W, 3); sizes may differ.
        """
        seen: list[list[Sightings]] = [[np.zeros((0, 15), np.float32)] for _ in images]
        by_shape: dict[tuple[Window, tuple[int, int]], list[int]] = defaultdict(list)
        for index, image in enumerate(images):
            require_rgb(image)
            height, width = image.shape[:2]
            for window in self._plan.windows(width, height):
                by_shape[window, (width, height)].append(index)
        for (window, (width, height)), members in by_shape.items():
            for batch in _batches(members, window):
                for index, found in zip(batch, self._search([images[i] for i in batch], window), strict=True):
                    seen[index].append(inside(window.to_picture(found), window, width, height))
        smallest = self._plan.min_face_px
        return [[face for face in merge(np.concatenate(one)) if face.width_px >= smallest] for one in seen]

    @torch.inference_mode()
    def _search(self, images: Sequence[RGB], window: Window) -> list[Sightings]:
        """What is seen in one window of pictures of equal size, (K, 15) each, in pixels of the scaled window."""
        smallest = self._plan.min_face_px * window.scale
        if min(window.scaled_size) * (_CELL_PX / smallest) < _CELL_PX:  # it would fail on an empty list of scales
            return [np.zeros((0, 15), np.float32) for _ in images]
        pixels = np.stack([cut(image, window) for image in images])  # (N, H, W, 3)
        boxes, points = detect_face(pixels, smallest, *self._networks, self._thresholds, _PYRAMID_FACTOR, self._device)
        return [_sightings(*found) for found in zip(boxes, points, strict=True)]


def _batches(members: Sequence[int], window: Window) -> Iterator[Sequence[int]]:
    width, height = window.scaled_size
    size = max(1, _BATCH_PIXELS // (width * height))
    for start in range(0, len(members), size):
        yield members[start : start + size]


def _sightings(boxes: NDArray[np.generic], points: NDArray[np.generic]) -> Sightings:
    """(K, 5) left, top, right, bottom, score and (K, 5, 2) points -> (K, 15); K may be 0, and then in any shape."""
    box, point = boxes.astype(np.float32).reshape(-1, 5), points.astype(np.float32).reshape(-1, 10)
    return np.concatenate([box[:, :4], point, box[:, 4:]], axis=1)
