"""Describer: photographs -> templates, one at a time or thousands in a bounded stream. Knows no gallery."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reid.ahead import map_ahead
from reid.align import chip
from reid.detect.base import FaceDetector
from reid.detect.together import search_together
from reid.errors import ImageDecodeError
from reid.faces import FaceChoice, chosen_face
from reid.images import read_photograph
from reid.quality import measure
from reid.runtime.sharing import one_core_each, threads_beside
from reid.settings import Settings
from reid.space import EmbeddingSpace
from reid.types import RGB, Face, Photograph, Quality, Template

_CHUNK = 8  # photographs that a thread takes at once
_BATCH = 8  # faces that are embedded at once; more are no faster, and each takes a network some 10 MB
_FEW = 8  # below this, one photograph after the other has all cores


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
class _Opened:
    """A file as a photograph, or why it is none."""

    path: Path
    name: str
    photograph: Photograph | None
    reason: str = ""


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

        Every core takes photographs of its own from the file to the embedding, some at a time.

        Args:
            paths: file and the name that messages give it.
            choice: which face of each photograph.
        """
        files = iter(paths)
        first = list(islice(files, _FEW))
        how = one_core_each if len(first) == _FEW else nullcontext
        threads = threads_beside()
        stopped = threading.Event()
        asking = contextvars.copy_context()  # who asks decides whose share of a lent GPU it is

        def work(chunk: Sequence[tuple[Path, str]]) -> list[Described]:
            with how(), suppress(_StoppedError):
                return self._finish(list(self._read(chunk, choice, stopped)))
            return []

        try:
            for done in map_ahead(
                lambda chunk: asking.copy().run(work, chunk),
                _chunks(chain(first, files), threads), threads=threads, ahead=2 * threads,
            ):  # fmt: skip
                yield from done
        finally:
            stopped.set()

    def _read(
        self, files: Sequence[tuple[Path, str]], choice: FaceChoice | Literal["all"], stopped: threading.Event
    ) -> Iterator[_Read]:
        """What was read of files, in their order. Raises: _StoppedError."""
        opened = (_opened(path, name, stopped) for path, name in files)
        for one, faces in search_together(self.detector, opened, _picture_of):
            if one.photograph is None or faces is None:
                yield _Read(one.path, one.name, "", 0, (), one.reason)
                continue
            if choice == "all":
                wanted = faces
            else:
                chosen = chosen_face(one.photograph, faces, choice)
                wanted = [chosen] if chosen else []
            cuts = tuple(self._cut(one.photograph, face) for face in wanted)
            yield _Read(one.path, one.name, one.photograph.sha256, len(faces), cuts, "")

    def _cut(self, photograph: Photograph, face: Face) -> _Cut:
        image = photograph.pixels
        picture, landmarks_px = chip(image, face.landmarks_px)
        return _Cut(face, measure(image, face), picture, landmarks_px, self.space.crops(image, face.landmarks_px))

    def _embed(self, cuts: Sequence[_Cut]) -> list[Template]:
        templates = []
        for start in range(0, len(cuts), _BATCH):
            batch = cuts[start : start + _BATCH]
            embeddings = self.space.embed([cut.crops for cut in batch])
            templates += [
                Template(cut.face, cut.quality, cut.chip, cut.chip_landmarks_px, embedding)
                for cut, embedding in zip(batch, embeddings, strict=True)
            ]
        return templates

    def _finish(self, reads: Sequence[_Read]) -> list[Described]:
        templates = iter(self._embed([cut for read in reads for cut in read.cuts]))
        done = []
        for read in reads:
            own = tuple(next(templates) for _ in read.cuts)
            if own:
                done.append(Described(read.path, read.name, read.sha256, read.faces, own, "ok", ""))
            elif read.reason:
                done.append(Described(read.path, read.name, read.sha256, 0, (), "unreadable", read.reason))
            else:
                reason = f"{read.name}: no face found. Try a larger or sharper original."
                done.append(Described(read.path, read.name, read.sha256, 0, (), "no_face", reason))
        return done


class _StoppedError(Exception):
    """Nobody waits for the rest."""


def _opened(path: Path, name: str, stopped: threading.Event) -> _Opened:
    if stopped.is_set():
        raise _StoppedError
    try:
        return _Opened(path, name, read_photograph(path, name=name))
    except ImageDecodeError as error:
        return _Opened(path, name, None, str(error))


def _picture_of(one: _Opened) -> RGB | None:
    return one.photograph.pixels if one.photograph else None


def _chunks(files: Iterable[tuple[Path, str]], threads: int) -> Iterator[list[tuple[Path, str]]]:
    """Files in parcels that grow from one to `_CHUNK`: answers come soon, and a few keep all threads busy."""
    left = iter(files)
    size = 1
    while True:
        for _ in range(threads):
            chunk = list(islice(left, size))
            if not chunk:
                return
            yield chunk
        size = min(2 * size, _CHUNK)
