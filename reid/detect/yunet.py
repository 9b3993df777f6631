"""YuNet: the picture cut and scaled as the plan says, every window searched, the faces merged.

Knows no file formats and no identities.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

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

_AT_ONCE_PX = 1024 * 1024
"""Pixels of the windows that the network is given together; each takes it about 100 bytes. More gained no time."""

Find = Callable[[Sequence[NDArray[np.uint8]]], list[Sightings]]
"""(H, W, 3) each, blue first, of any sizes -> (K, 15) each, what every prior sees, the same face many times.

Safe to call from several threads.
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
        for image in images:
            require_rgb(image)
        places = [(at, window) for at, image in enumerate(images) for window in self._plan.windows(*_size(image))]
        seen = [[_NOTHING] for _ in images]
        for (at, window), sightings in zip(places, self._look(images, places), strict=True):
            seen[at].append(inside(sightings, window, *_size(images[at])))
        return [self._wanted(sure) for sure in self._sure(images, [np.concatenate(one) for one in seen])]

    def _wanted(self, sure: Sightings) -> list[Face]:
        return [
            face
            for face in merge(sure)
            if face.confidence >= self._score_threshold and face.width_px >= self._plan.min_face_px
        ]

    def _look(self, images: Sequence[RGB], places: Sequence[tuple[int, Window]]) -> list[Sightings]:
        """What is seen in windows of pictures, in those pictures' pixels; windows of equal size as one batch."""
        found = [_NOTHING] * len(places)
        for batch in _batches([window for _, window in places]):
            parts = [cut(images[at], window) for at, window in (places[i] for i in batch)]
            seen = self._find([np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2BGR), np.uint8) for part in parts])
            for i, sightings in zip(batch, seen, strict=True):
                found[i] = places[i][1].to_picture(sightings)
        return found

    def _sure(self, images: Sequence[RGB], seen: Sequence[Sightings]) -> list[Sightings]:
        """Of each picture all sightings of its faces, without those that are no face.

        A small one is looked at twice more, enlarged: that finds out most of what only resembled a face from afar,
        lets the rest in at a lower score than could be risked otherwise, and steadies the landmarks.
        """
        faces = [merge(one) for one in seen]
        closer = [
            (at, around(face, *how, *_size(image)))
            for at, image in enumerate(images)
            for face in faces[at]
            if face.width_px < _CLOSER_BELOW_PX
            for how in _CLOSER
        ]
        looks = iter(self._look(images, closer))
        sure = [[_NOTHING] for _ in images]
        for at, own in enumerate(faces):
            for face in own:
                few = near(face, seen[at], _SAME)
                if face.width_px < _CLOSER_BELOW_PX:
                    enlarged = near(face, np.concatenate([next(looks) for _ in _CLOSER]), _SAME)
                    believed = enlarged[:, 14].max(initial=0) >= self._score_threshold
                    few = np.concatenate([few, enlarged])
                else:
                    believed = face.confidence >= self._score_threshold
                if believed:
                    sure[at].append(few)
        return [np.concatenate(one) for one in sure]


def _size(image: RGB) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def _batches(windows: Sequence[Window]) -> Iterator[list[int]]:
    """Places of windows that are searched together, equal sizes one after the other.

    A network lays itself out anew whenever the size changes.
    """
    batch: list[int] = []
    pixels = 0
    for at in sorted(range(len(windows)), key=lambda i: windows[i].scaled_size):
        width, height = windows[at].scaled_size
        if batch and pixels + width * height > _AT_ONCE_PX:
            yield batch
            batch, pixels = [], 0
        batch.append(at)
        pixels += width * height
    if batch:
        yield batch


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

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Sightings]:
        """(H, W, 3) each, blue first -> (K, 15) each, what every prior sees; one picture after the other."""
        return [self._one(bgr) for bgr in pictures]

    def _one(self, bgr: NDArray[np.uint8]) -> Sightings:
        with self._lock:
            self._network.setInputSize((bgr.shape[1], bgr.shape[0]))
            _, rows = self._network.detect(bgr)
        if rows is None:
            return _NOTHING
        seen = np.array(rows, np.float32)
        seen[:, 2:4] += seen[:, :2]  # width and height -> right and bottom
        return seen
