"""CSV or folder -> aligned faces on disk, cut by the same detector and alignment as the app and kept by content.

Knows photographs and labels; no network, no loss and no split.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from tqdm import tqdm

import reid.align
import reid.detect
from reid.ahead import map_ahead
from reid.align import align
from reid.detect.base import FaceDetector
from reid.detect.together import search_together
from reid.errors import ImageDecodeError, TableError
from reid.faces import FaceChoice, chosen_face
from reid.images import read_photograph
from reid.quality import measure
from reid.runtime.sharing import one_core_each, threads_beside
from reid.tables import inside, read_rows
from reid.types import RGB, Face, Photograph
from reid.weights.files import make_private, storage_errors, write_together

log = logging.getLogger(__name__)

_TOGETHER = 8  # photographs that a thread takes at once
_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".avif"}


@dataclass(frozen=True, slots=True)
class Photo:
    """One line of a table, before anybody looked at the photograph.

    Attributes:
        path: the file; None where the table's path would leave the root directory.
        label: whom it shows; None where nobody says.
    """

    image_path: str
    path: Path | None
    label: str | None


@dataclass(frozen=True, slots=True)
class FoundFace:
    """The one face of a photograph that is meant, or why there is none.

    Attributes:
        image_path: as the table has it.
        sha256: of the photograph's bytes; empty when it could not be read.
        faces: how many were found.
        width_px: of the face's box in the photograph.
        eyes_px: distance between the eyes, corrected for the turn of the head.
        quality: in [0, 1].
        crops: side in pixels -> file of the aligned crop; empty unless status is `ok`.
    """

    image_path: str
    label: str | None
    sha256: str
    status: Literal["ok", "no_face", "unreadable"]
    reason: str
    faces: int = 0
    width_px: float = 0.0
    eyes_px: float = 0.0
    quality: float = 0.0
    crops: tuple[tuple[int, Path], ...] = ()

    @property
    def key(self) -> str:
        """Of the crop: the photograph's content and the store that says how it was cut."""
        return f"{self.crops[0][1].parent.parent.name}:{self.sha256}" if self.crops else self.sha256

    def read_crop(self, side_px: int) -> RGB:
        """(side_px, side_px, 3). Raises: TableError when the cache was emptied meanwhile."""
        path = dict(self.crops)[side_px]
        try:
            data = np.frombuffer(path.read_bytes(), np.uint8)
        except OSError as error:
            raise TableError(f"The cached crop {path.name} is gone. Run the command again to cut it anew.") from error
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert picture is not None
        return np.ascontiguousarray(np.asarray(picture, np.uint8)[..., ::-1])


def read_photos(table: Path, root: Path, *, labelled: bool) -> list[Photo]:
    """The photographs of a CSV, or of a folder: one sub-folder a person where labels are wanted.

    Raises:
        TableError: no such file, no photographs in it, or no labels.
    """
    if not table.is_dir():
        rows = read_rows(table, labelled=labelled)
        return [Photo(row.image_path, inside(root, row.image_path), row.label or None) for row in rows]
    files = sorted(path for path in table.rglob("*") if path.suffix.lower() in _PICTURES)
    if not files:
        raise TableError(f"{table} holds no photographs. Name a folder with pictures in it, or a CSV.")
    names = [path.relative_to(table).as_posix() for path in files]
    if labelled and any("/" not in name for name in names):
        raise TableError(f"{table} has photographs outside of people's folders. Give each person one folder.")
    return [Photo(name, path, name.split("/")[0]) for name, path in zip(names, files, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A decoded photograph whose face nobody has looked for, and where its crops will be."""

    photo: Photo
    photograph: Photograph
    record: Path
    crops: tuple[tuple[int, Path], ...]


class FaceStore:
    """Finds the face of each photograph once and keeps its crops: a second run reads them.

    A crop is found again by the photograph's content and by everything that it depends on: detector, its settings,
    which face is meant, the alignment's own code. When one of them changes, another folder is used.
    """

    def __init__(
        self, cache: Path, detector: FaceDetector, choice: FaceChoice, sizes_px: Sequence[int], *, min_face_px: int
    ) -> None:
        """Names the folder.

        Args:
            cache: folder that all stores share.
            sizes_px: sides of the crops that are wanted, as the networks take them.
        """
        self.detector, self.choice, self.sizes_px = detector, choice, tuple(sizes_px)
        made_by = f"{detector.name} {min_face_px} {choice} {_code_of(detector)}"
        self.id = hashlib.sha256(made_by.encode()).hexdigest()[:16]
        self.folder = cache / self.id

    def find(self, photos: Sequence[Photo], what: str) -> list[FoundFace]:
        """Faces in the order of the photographs; one without a face is reported, never raised.

        Args:
            what: of the progress bar.

        Raises:
            WeightsError: the disk of the cache is full or read-only.
        """
        make_private(self.folder)
        parts = [photos[start : start + _TOGETHER] for start in range(0, len(photos), _TOGETHER)]
        threads = threads_beside()
        found: list[FoundFace] = []
        with tqdm(total=len(photos), desc=what, unit="photo", leave=False) as bar:
            for some in map_ahead(self._some, parts, threads=threads, ahead=2 * threads):
                found += some
                bar.update(len(some))
        return found

    def _some(self, photos: Sequence[Photo]) -> list[FoundFace]:
        """A thread's part: what is not cached is searched together."""
        with one_core_each():
            return [
                self._cut(one, faces or []) if isinstance(one, _Waiting) else one
                for one, faces in search_together(self.detector, map(self._known, photos), _picture_of)
            ]

    def _known(self, photo: Photo) -> FoundFace | _Waiting:
        if photo.path is None:
            reason = f"{photo.image_path}: the path leaves the root directory. Correct it in the CSV."
            return FoundFace(photo.image_path, photo.label, "", "unreadable", reason)
        try:
            data = photo.path.read_bytes()
        except OSError as error:
            reason = f"{photo.image_path}: {error.strerror}. Correct the path in the CSV or leave the photograph out."
            return FoundFace(photo.image_path, photo.label, "", "unreadable", reason)
        sha256 = hashlib.sha256(data).hexdigest()
        stem = self.folder / sha256[:2] / sha256
        crops = tuple((side, stem.with_name(f"{sha256}-{side}.png")) for side in self.sizes_px)
        record = stem.with_suffix(".json")
        known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {"status": "unknown"}
        if known["status"] == "no_face":
            known["reason"] = f"{photo.image_path}: {known['reason']}"
            return FoundFace(photo.image_path, photo.label, sha256, **known)
        if known["status"] == "ok" and all(path.exists() for _, path in crops):
            return FoundFace(photo.image_path, photo.label, sha256, crops=crops, **known)
        try:
            return _Waiting(photo, read_photograph(data, name=photo.image_path), record, crops)
        except ImageDecodeError as error:
            return FoundFace(photo.image_path, photo.label, sha256, "unreadable", str(error))

    def _cut(self, waiting: _Waiting, faces: Sequence[Face]) -> FoundFace:
        photo, photograph, record, crops = waiting.photo, waiting.photograph, waiting.record, waiting.crops
        sha256 = photograph.sha256
        face = chosen_face(photograph, faces, self.choice)
        if face is None:
            reason = "no face found. Try a larger or sharper original."
            self._keep(record, FoundFace("", None, sha256, "no_face", reason))
            return FoundFace(photo.image_path, photo.label, sha256, "no_face", f"{photo.image_path}: {reason}")
        quality = measure(photograph.pixels, face)
        with storage_errors(self.folder):
            for side, path in crops:
                crop = align(photograph.pixels, face.landmarks_px, side)
                done, png = cv2.imencode(".png", crop[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
                assert done
                write_together(path.parent, {path.name: png.tobytes()})
        found = FoundFace(
            photo.image_path, photo.label, sha256, "ok", "", len(faces), face.width_px, quality.size_px,
            quality.score, crops,
        )  # fmt: skip
        self._keep(record, found)
        return found

    def _keep(self, record: Path, found: FoundFace) -> None:
        fields = {key: value for key, value in asdict(found).items() if key in _KEPT}
        with storage_errors(self.folder):
            write_together(record.parent, {record.name: json.dumps(fields).encode()})


def _picture_of(one: FoundFace | _Waiting) -> RGB | None:
    return one.photograph.pixels if isinstance(one, _Waiting) else None


def _code_of(detector: FaceDetector) -> str:
    """Digest of everything that decides where a crop is cut: all detectors' modules share their search."""
    files = {Path(reid.align.__file__), Path(inspect.getfile(type(detector)))}
    files |= set(Path(reid.detect.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files))).hexdigest()


_KEPT = ("status", "reason", "faces", "width_px", "eyes_px", "quality")


def usable(found: Sequence[FoundFace]) -> list[FoundFace]:
    """Those with a face."""
    return [face for face in found if face.status == "ok"]


def summarise(found: Sequence[FoundFace], what: str) -> str:
    """`1,462 photographs for training: 1,460 with a face, 2 without, 0 unreadable`."""
    counts = {status: sum(face.status == status for face in found) for status in ("ok", "no_face", "unreadable")}
    return (
        f"{len(found):,} photographs {what}: {counts['ok']:,} with a face, {counts['no_face']:,} without, "
        f"{counts['unreadable']:,} unreadable"
    )
