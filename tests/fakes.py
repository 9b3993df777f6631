"""A world in which detection and recognition are trivial: a person is a patch of one colour on grey.

`drawn([0, 3])` is a photograph of two people, `FakeDetector` finds their patches, `FakeNetwork` embeds the colour: the
same person at cosine about 1, two people at 0. A `doubt` mixes a patch with another person's colour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.gallery import open_gallery
from reid.images import encode_jpeg
from reid.recognizer import Recognizer
from reid.space import EmbeddingSpace
from reid.types import RGB, Embeddings, Face, Photograph

BACKGROUND = 128
PATCH_PX = 100
COLOURS = np.array(
    [[230, 40, 40], [40, 200, 40], [40, 40, 230], [220, 220, 40], [40, 210, 210], [210, 40, 210]], np.float32
)
"""(6, 3): the people of this world."""


def drawn(people: Sequence[int], *, patch_px: int = PATCH_PX, doubts: Sequence[float] = ()) -> RGB:
    """(H, W, 3): the people beside each other, the first the largest by a hair.

    Args:
        people: indices into `COLOURS`.
        doubts: for each person, the share of the next person's colour in the patch.
    """
    step = patch_px + 60
    image = np.full((patch_px + 80, 60 + step * max(len(people), 1), 3), BACKGROUND, np.uint8)
    texture = (np.indices((patch_px, patch_px)).sum(0) // 4 % 2 * 24 - 12)[..., None]
    for place, person in enumerate(people):
        side = patch_px - place
        doubt = doubts[place] if place < len(doubts) else 0.0
        colour = COLOURS[person] * (1 - doubt) + COLOURS[(person + 1) % len(COLOURS)] * doubt
        left = 40 + place * step
        image[40 : 40 + side, left : left + side] = np.clip(colour + texture[:side, :side], 0, 255)
    return image


def photograph(people: Sequence[int], name: str = "group.png", **how: object) -> Photograph:
    """A photograph of some people."""
    pixels = drawn(people, **how)  # type: ignore[arg-type]
    return Photograph(pixels, name, hashlib.sha256(pixels.tobytes()).hexdigest())


def save(path: Path, people: Sequence[int], **how: object) -> Path:
    """The same as a file."""
    path.write_bytes(encode_jpeg(drawn(people, **how)))  # type: ignore[arg-type]
    return path


def crowd(path: Path, across: int = 20, down: int = 10, first: int = 0) -> Path:
    """A file with many people of 40 px in rows; one of them is the person `first`, the others are not among 0, 1, 2."""
    image = np.full((down * 60, across * 60, 3), BACKGROUND, np.uint8)
    for place in range(across * down):
        top, left = place // across * 60 + 10, place % across * 60 + 10
        image[top : top + 40, left : left + 40] = COLOURS[3 + place % 3 if place else first]
    path.write_bytes(encode_jpeg(image))
    return path


class FakeDetector:
    """Finds the patches."""

    name = "fake"

    def __init__(self) -> None:
        self.calls = 0

    def detect(self, images: Sequence[RGB]) -> list[list[Face]]:
        self.calls += 1
        return [self._one(image) for image in images]

    def _one(self, image: RGB) -> list[Face]:
        coloured = (image.max(2).astype(int) - image.min(2) > 60).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(coloured)
        faces = []
        for left, top, width, height, area in stats[1:count]:
            if area > 50:
                shape = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.35, 0.75], [0.65, 0.75]], np.float32)
                landmarks = shape * np.float32([width, height]) + np.float32([left, top])
                box = (float(left), float(top), float(left + width), float(top + height))
                faces.append(Face(box, landmarks, 0.99))
        return sorted(faces, key=lambda face: -face.area_px)


class FakeNetwork:
    """Embeds the mean colour of a crop: (6,) weights of the people's colours, made a unit vector."""

    name = "fake"
    dim = len(COLOURS)
    crop_px = 112
    weights_sha256 = "0" * 64
    preprocessing = "mean colour"
    source = "tests/fakes.py"

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        means = crops[:, 40:72, 40:72].reshape(len(crops), -1, 3).mean(1) - BACKGROUND
        toward = COLOURS - BACKGROUND
        toward = toward / np.linalg.norm(toward, axis=1, keepdims=True)
        weights = np.maximum(means @ toward.T, 1e-3) ** 6
        return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


def fake_recognizer(folder: Path) -> Recognizer:
    """An empty SQLite gallery in a folder, searched by the fakes."""
    space = EmbeddingSpace([FakeNetwork()], [1.0])
    return Recognizer(FakeDetector(), space, open_gallery(str(folder / "people.db"), space_id=space.id, dim=space.dim))


def enrolled(folder: Path, *names: str) -> Iterator[Recognizer]:
    """A recognizer with these people, two photographs each; for a fixture to `yield from`."""
    made = fake_recognizer(folder)
    made.enrol_many(
        {
            name: [made.sample(photograph([person], f"{name}-{n}.png", patch_px=100 + n)) for n in range(2)]
            for person, name in enumerate(names)
        }
    )
    yield made
    made.close()


NASTY = "<img src=x onerror=window.hacked=1> ${window.hacked=2} {{value}} `x`"


@contextmanager
def people_of_all_kinds(folder: Path) -> Iterator[Recognizer]:
    """Three people with three photographs each; their names are harmless, made to do harm, and of another script."""
    made = fake_recognizer(folder)
    for person, name in enumerate(("Ann Sørensen", NASTY, "ليلى حداد")):
        made.enrol(name, [made.sample(photograph([person], f"{person}-{n}.png", patch_px=100 + n)) for n in range(3)])
    yield made
    made.close()
