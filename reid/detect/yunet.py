"""YuNet: the picture cut and scaled as the plan says, every window searched, the faces merged.

Knows no file formats and no identities.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.detect.pyramid import SearchPlan, Sightings, cut, inside, merge, require_rgb
from reid.errors import WeightsError
from reid.types import RGB, Face
from reid.weights import WeightsFile

SCORE_THRESHOLD = 0.6
_KEEP_ALL = 1.0  # overlap from which OpenCV would drop a sighting: `merge` makes better use of them
_MOST_SIGHTINGS = 5000

Find = Callable[[NDArray[np.uint8]], Sightings]
"""(H, W, 3) blue first -> (K, 15), what every prior sees, the same face many times. Safe to call from several threads.
"""


def search_plan(min_face_px: int) -> SearchPlan:
    """From 24 px, up to 400 px wide it finds nearly every face; outside it misses some and places landmarks badly."""
    return SearchPlan(min_face_px, seen_from_px=24, seen_to_px=400)


class YuNet:
    """Face detector of OpenCV Zoo. Source: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023."""

    name = "yunet"

    def __init__(self, find: Find, plan: SearchPlan) -> None:
        """
        Args:
            find: what runs the network: `OpenCVYuNet`, or `reid.detect.yunet_graph.YuNetGraph`, which is faster.
            plan: where faces are looked for.
        """
        self._find = find
        self._plan = plan

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
        seen = [np.zeros((0, 15), np.float32)]
        for window in self._plan.windows(width, height):
            bgr = np.asarray(cv2.cvtColor(cut(image, window), cv2.COLOR_RGB2BGR), np.uint8)
            seen.append(inside(window.to_picture(self._find(bgr)), window, width, height))
        return [face for face in merge(np.concatenate(seen)) if face.width_px >= self._plan.min_face_px]


class OpenCVYuNet:
    """The network in OpenCV: the reference."""

    def __init__(self, weights: WeightsFile, score_threshold: float = SCORE_THRESHOLD) -> None:
        """
        Args:
            weights: its ONNX file.
            score_threshold: in [0, 1]; faces that the network is less sure of are dropped.

        Raises:
            WeightsError: OpenCV cannot read the file.
        """
        # It keeps the size of its last picture. One instance behind a lock: it uses all cores by itself, and a copy
        # for each thread would cost each a third of a gigabyte on large pictures.
        self._lock = threading.Lock()
        try:
            # from memory: OpenCV opens no paths with non-Latin letters on every system
            onnx = np.frombuffer(weights.path.read_bytes(), np.uint8)
            self._network = cv2.FaceDetectorYN.create(
                "onnx", onnx, np.empty(0, np.uint8), (320, 320), score_threshold, _KEEP_ALL, _MOST_SIGHTINGS
            )
        except (cv2.error, OSError) as problem:
            raise WeightsError(
                f"OpenCV {cv2.__version__} cannot read {weights.path}. Run `byteface weights get --force yunet`, "
                "and keep OpenCV below 5."
            ) from problem

    def __call__(self, bgr: NDArray[np.uint8]) -> Sightings:
        with self._lock:
            self._network.setInputSize((bgr.shape[1], bgr.shape[0]))
            _, rows = self._network.detect(bgr)
        if rows is None:
            return np.zeros((0, 15), np.float32)
        seen = np.array(rows, np.float32)
        seen[:, 2:4] += seen[:, :2]  # width and height -> right and bottom
        return seen
