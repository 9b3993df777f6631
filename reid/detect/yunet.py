"""YuNet: the picture cut and scaled as the plan says, every window searched, the faces merged.

Knows no file formats and no identities.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.detect.pyramid import SearchPlan, Sightings, Window, around, cut, inside, merge, near, require_rgb
from reid.errors import WeightsError
from reid.types import RGB, Face
from reid.weights import WeightsFile

SCORE_THRESHOLD = 0.7
"""Of a face; below it most are paintings, hair and collars, above it nearly none."""

SIGHTING_THRESHOLD = 0.4
"""Of what is worth a closer look."""

_CLOSER_BELOW_PX = 48
_CLOSER = ((48, 160), (72, 224))  # width of the face and side of the window, as the network sees them
_SAME = 0.4  # overlap from which the closer look saw the face that it was for
_KEEP_ALL = 1.0  # overlap from which OpenCV would drop a sighting: `merge` makes better use of them
_MOST_SIGHTINGS = 5000
_NOTHING = np.zeros((0, 15), np.float32)

Find = Callable[[NDArray[np.uint8]], Sightings]
"""(H, W, 3) blue first -> (K, 15), what every prior sees, the same face many times. Safe to call from several threads.
"""


def search_plan(min_face_px: int) -> SearchPlan:
    """From 24 px, up to 400 px wide it finds nearly every face; outside it misses some and places landmarks badly."""
    return SearchPlan(min_face_px, seen_from_px=24, seen_to_px=400)


class YuNet:
    """Face detector of OpenCV Zoo. Source: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023."""

    name = "yunet"

    def __init__(self, find: Find, plan: SearchPlan, *, score_threshold: float = SCORE_THRESHOLD) -> None:
        """
        Args:
            find: what runs the network: `OpenCVYuNet`, or `reid.detect.yunet_graph.YuNetGraph`, which is faster.
            plan: where faces are looked for.
            score_threshold: in [0, 1]; faces that the network is less sure of are dropped.
        """
        self._find = find
        self._plan = plan
        self._score_threshold = score_threshold

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
        sightings = [
            inside(self._look(image, window), window, width, height) for window in self._plan.windows(width, height)
        ]
        seen = np.concatenate([_NOTHING, *sightings])
        sure = np.concatenate([_NOTHING, *(self._sure(image, face, seen) for face in merge(seen))])
        return [
            face
            for face in merge(sure)
            if face.confidence >= self._score_threshold and face.width_px >= self._plan.min_face_px
        ]

    def _look(self, image: RGB, window: Window) -> Sightings:
        bgr = np.asarray(cv2.cvtColor(cut(image, window), cv2.COLOR_RGB2BGR), np.uint8)
        return window.to_picture(self._find(bgr))

    def _sure(self, image: RGB, face: Face, seen: Sightings) -> Sightings:
        """All sightings of a face, none where it is no face.

        A small one is looked at twice more, enlarged: that finds out most of what only resembled a face from afar,
        lets the rest in at a lower score than could be risked otherwise, and steadies the landmarks.
        """
        own = near(face, seen, _SAME)
        if face.width_px >= _CLOSER_BELOW_PX:
            return own if face.confidence >= self._score_threshold else _NOTHING
        height, width = image.shape[:2]
        closer = near(
            face, np.concatenate([self._look(image, around(face, *at, width, height)) for at in _CLOSER]), _SAME
        )
        if closer[:, 14].max(initial=0) < self._score_threshold:
            return _NOTHING
        return np.concatenate([own, closer])


class OpenCVYuNet:
    """The network in OpenCV: the reference."""

    def __init__(self, weights: WeightsFile, sighting_threshold: float = SIGHTING_THRESHOLD) -> None:
        """
        Args:
            weights: its ONNX file.
            sighting_threshold: in [0, 1]; what the network is less sure of is not even a sighting.

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
                "onnx", onnx, np.empty(0, np.uint8), (320, 320), sighting_threshold, _KEEP_ALL, _MOST_SIGHTINGS
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
            return _NOTHING
        seen = np.array(rows, np.float32)
        seen[:, 2:4] += seen[:, :2]  # width and height -> right and bottom
        return seen
