"""YuNet in OpenCV: the picture cut and scaled as the plan says, every window searched, the faces merged.

Knows no file formats and no identities.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.detect.pyramid import SearchPlan, Window, cut, inside, merge, require_rgb
from reid.types import RGB, Face

SCORE_THRESHOLD = 0.6
_NMS_OVERLAP = 0.3
_MOST_CANDIDATES = 5000


class YuNet:
    """Face detector of OpenCV Zoo. Source: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023."""

    name = "yunet"

    def __init__(self, model: Path, plan: SearchPlan, *, score_threshold: float = SCORE_THRESHOLD) -> None:
        """
        Args:
            model: the ONNX file.
            plan: where faces are looked for.
            score_threshold: in [0, 1]; faces that the network is less sure of are dropped.
        """
        self._plan = plan
        # It keeps the size of its last picture. One instance behind a lock: it uses all cores by itself, and a copy
        # for each thread would cost each a third of a gigabyte on large pictures.
        self._lock = threading.Lock()
        self._network = cv2.FaceDetectorYN.create(
            str(model), "", (320, 320), score_threshold, _NMS_OVERLAP, _MOST_CANDIDATES
        )

    def detect(self, images: Sequence[RGB]) -> list[list[Face]]:
        """Faces of each image, the largest first, in pixels of that image.

        Args:
            images: each (H, W, 3); sizes may differ.
        """
        found: list[list[Face]] = [[] for _ in images]
        # equal sizes one after the other: the network is laid out anew whenever the size changes
        for index in sorted(range(len(images)), key=lambda i: images[i].shape):
            found[index] = self._detect_one(images[index])
        return found

    def _detect_one(self, image: RGB) -> list[Face]:
        require_rgb(image)
        height, width = image.shape[:2]
        faces: list[Face] = []
        for window in self._plan.windows(width, height):
            faces += inside(self._search(image, window), window, width, height)
        return [face for face in merge(faces, _NMS_OVERLAP) if face.width_px >= self._plan.min_face_px]

    def _search(self, image: RGB, window: Window) -> list[Face]:
        bgr = cv2.cvtColor(cut(image, window), cv2.COLOR_RGB2BGR)
        with self._lock:
            self._network.setInputSize(window.scaled_size)
            _, rows = self._network.detect(bgr)
        return [] if rows is None else [_face(row, window) for row in rows]


def _face(row: NDArray[np.float32], window: Window) -> Face:
    """(15,) left, top, width, height, five points, score, in pixels of what the network saw -> of the picture."""
    corners = np.array([row[:2], row[:2] + row[2:4]])
    left, top, right, bottom = (float(side) for side in window.to_picture(corners).ravel())
    return Face(
        box_px=(left, top, right, bottom),
        landmarks_px=window.to_picture(row[4:14].reshape(5, 2)).astype(np.float32),
        confidence=float(min(max(row[14], 0.0), 1.0)),
    )
