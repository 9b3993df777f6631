"""Describer: photographs -> templates, one at a time or thousands in a bounded stream. Knows no gallery."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reid.ahead import map_ahead
from reid.align import chip
from reid.detect.base import FaceDetector
from reid.errors import ImageDecodeError
from reid.faces import FaceChoice, chosen_face
from reid.images import read_photograph
from reid.quality import measure
from reid.settings import Settings
from reid.space import EmbeddingSpace
from reid.types import RGB, Face, Photograph, Quality, Template

_BATCH = 32
_READERS = 2
_AHEAD = 64  # photographs decoded but not yet embedded: bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """What became of one file of a batch.

    Attributes:
        path: as it was asked for.
        sha256: of the file's bytes; empty when it could not be read.
        faces: how many were found.
        templates: the chosen face, or all of them; empty unless status is `ok`.
        reason: one sentence for people; empty when status is `ok`.
    """

    path: Path
    name: str
    sha256: str
    faces: int
    templates: tuple[Template, ...]
    status: Literal["ok", "no_face", "unreadable"]
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A face before the network has seen it."""

    face: Face
    quality: Quality
    chip: RGB
    chip_landmarks_px: NDArray[np.float32]
    crops: tuple[RGB, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    path: Path
    name: str
    sha256: str
    faces: int
    cuts: tuple[_Cut, ...]
    reason: str


class Describer:
    """A detector and an embedding space that belong together. Safe to call from several threads."""

    def __init__(self, detector: FaceDetector, space: EmbeddingSpace) -> None:
        self.detector = detector
        self.space = space

    @classmethod
    def load(cls, settings: Settings, *, progress: bool = True) -> Describer:
        """The settings' detector and space, bringing weights that are missing.

        Raises:
            WeightsError: weights are missing and cannot be brought.
            EmbeddingSpaceError: no such space.
        """
        from reid.detect import load_detector  # OpenCV and torch, not before they are needed

        space = EmbeddingSpace.load(
            settings.space,
            settings.weights,
            settings.models_dir,
            device=settings.device,
            runtime=settings.runtime,
            precision=settings.precision,
            progress=progress,
        )
        detector = load_detector(
            settings.detector,
            models_dir=settings.models_dir,
            min_face_px=settings.min_face_px,
            device=settings.device,
            runtime=settings.runtime,
            precision=settings.precision,
        )
        return cls(detector, space)

    def detect(self, photograph: Photograph) -> list[Face]:
        """Every face, the largest first."""
        return self.detector.detect([photograph.pixels])[0]

    def describe(self, photograph: Photograph, faces: Sequence[Face]) -> list[Template]:
        """Faces made comparable, in their order."""
        return self._embed([self._cut(photograph, face) for face in faces])

    def describe_files(
        self, paths: Iterable[tuple[Path, str]], choice: FaceChoice | Literal["all"]
    ) -> Generator[Described, None, None]:
        """Describes files in their order; one that cannot be used is reported, never raised.

        Decoding, detection and alignment run in threads ahead of the embedding, which takes batches.

        Args:
            paths: file and the name that messages give it.
            choice: which face of each photograph.
        """

        def read(file: tuple[Path, str]) -> _Read:
            return self._read(*file, choice)

        pending: list[_Read] = []
        for one in map_ahead(read, paths, threads=_READERS, ahead=_AHEAD):
            pending.append(one)
            if sum(len(each.cuts) for each in pending) >= _BATCH or len(pending) >= _AHEAD:
                yield from self._finish(pending)
                pending = []
        yield from self._finish(pending)

    def _read(self, path: Path, name: str, choice: FaceChoice | Literal["all"]) -> _Read:
        try:
            photograph = read_photograph(path, name=name)
        except ImageDecodeError as error:
            return _Read(path, name, "", 0, (), str(error))
        faces = self.detect(photograph)
        if choice == "all":
            wanted = faces
        else:
            one = chosen_face(photograph, faces, choice)
            wanted = [one] if one else []
        cuts = tuple(self._cut(photograph, face) for face in wanted)
        return _Read(path, name, photograph.sha256, len(faces), cuts, "")

    def _cut(self, photograph: Photograph, face: Face) -> _Cut:
        image = photograph.pixels
        picture, landmarks_px = chip(image, face.landmarks_px)
        return _Cut(face, measure(image, face), picture, landmarks_px, self.space.crops(image, face.landmarks_px))

    def _embed(self, cuts: Sequence[_Cut]) -> list[Template]:
        embeddings = self.space.embed([cut.crops for cut in cuts])
        return [
            Template(cut.face, cut.quality, cut.chip, cut.chip_landmarks_px, embedding)
            for cut, embedding in zip(cuts, embeddings, strict=True)
        ]

    def _finish(self, reads: Sequence[_Read]) -> Iterator[Described]:
        templates = iter(self._embed([cut for read in reads for cut in read.cuts]))
        for read in reads:
            own = tuple(next(templates) for _ in read.cuts)
            if own:
                yield Described(read.path, read.name, read.sha256, read.faces, own, "ok", "")
            elif read.reason:
                yield Described(read.path, read.name, read.sha256, 0, (), "unreadable", read.reason)
            else:
                reason = f"{read.name}: no face found. Try a larger or sharper original."
                yield Described(read.path, read.name, read.sha256, 0, (), "no_face", reason)
