"""Import: the photographs of a source into a gallery, in batches that are kept whatever happens next.

It knows which photographs are enrolled already, leaves out what cannot be used with the reason, and names people who
look enrolled under another name. It knows no page and writes no report.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reid.audit.writing import Pen, within
from reid.describe import Described
from reid.errors import ArchiveError, IdentityExistsError
from reid.faces import FaceChoice
from reid.images import printable
from reid.intake.sources import Item, Source
from reid.recognizer import Enrolment, Recognizer, Sample
from reid.types import Photo, Template
from reid.verdicts import enrolment_verdict
from reid.weights.files import sha256_of

log = logging.getLogger(__name__)

_BATCH = 128  # photographs a transaction; also what a zip has unpacked on the disk at once

Status = Literal["enrolled", "ready", "known", "repeated", "poor", "no_face", "unreadable", "refused"]
"""What became of a photograph: `ready` would be enrolled, `known` was before, `repeated` stands twice in the source."""


@dataclass(frozen=True, slots=True)
class Line:
    """One photograph of the report.

    Attributes:
        reason: one sentence for people; may be empty where it was enrolled.
        faces: how many were found; 0 where nobody looked.
    """

    path: str
    label: str
    status: Status
    reason: str = ""
    faces: int = 0


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Somebody who was imported looks like somebody enrolled under another name.

    Attributes:
        similarity: cosine of the mean of the imported photographs and the other one's template.
    """

    identity_id: str
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class _Waiting:
    item: Item
    file: Path
    sha256: str


class Import:
    """One import. Go through `run` to do it; leave it early to stop: whole batches stay enrolled.

    Attributes:
        lines: photographs that are settled, in the order of the source.
        photo_ids: of the photographs that were added, which is what takes the import back.
        resemblances: by label.
        identity_ids: of everybody who was found or made, by label.
        created: labels of people who were not enrolled before.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        source: Source,
        *,
        face: FaceChoice = "largest",
        keep_poor: bool = False,
        dry_run: bool = False,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Prepares it; nothing is read yet.

        Args:
            face: which face of several is meant.
            keep_poor: whether photographs that find people less often are enrolled too.
            dry_run: report only.
            fields: consent, expires and notes of new people whose row says nothing.
        """
        self.source = source
        self.lines: list[Line] = []
        self.photo_ids: list[str] = []
        self.resemblances: dict[str, Resemblance] = {}
        self.identity_ids: dict[str, str] = {}
        self.created: set[str] = set()
        self.dry_run = dry_run
        self._recognizer = recognizer
        self._face: FaceChoice = face
        self._keep_poor = keep_poor
        self._fields = dict(fields or {})
        self._known: dict[str, tuple[set[str], set[str]]] = {}  # label -> digests and ids of enrolled photographs
        self._seen: set[tuple[str, str]] = set()
        self._sums: dict[str, NDArray[np.float64]] = {}

    def run(self) -> Generator[int, None, None]:
        """Does it.

        Yields:
            how many photographs were looked at, after each; what was enrolled is so at the end of its batch.

        Raises:
            GalleryError: the gallery cannot be written; what was committed stays.
        """
        items, pen = self.source.items, self._recognizer.gallery.pen
        try:
            for start in range(0, len(items), _BATCH):
                yield from self._batch(items[start : start + _BATCH], start)
        finally:  # also where it was stopped
            self._on_record(pen)
        log.info("imported %d of %d photographs", len(self.photo_ids), len(items))

    def _on_record(self, pen: Pen) -> None:
        facts = {
            "photographs": len(self.source.items), "enrolled": len(self.photo_ids), "dry_run": self.dry_run,
            "created": len(self.created),
        }  # fmt: skip
        pen.log.append(pen.entry("import", details=facts))

    def _batch(self, items: Sequence[Item], start: int) -> Iterator[int]:
        lines: list[Line | None] = [None] * len(items)
        waiting: list[tuple[int, _Waiting]] = []
        samples: dict[str, list[tuple[int, Sample, Described]]] = {}
        try:
            for at, item in enumerate(items):
                found = self._settle(item)
                if isinstance(found, Line):
                    lines[at] = found
                else:
                    waiting.append((at, found))
            settled = start + len(items) - len(waiting)
            yield settled
            files = [(one.file, one.item.path) for _, one in waiting]
            with closing(self._recognizer.describer.describe_files(files, self._face)) as described:
                for done, ((at, one), result) in enumerate(zip(waiting, described, strict=True), 1):
                    left_out = self._left_out(one, result)
                    if left_out:
                        lines[at] = left_out
                    else:
                        sample = Sample(Path(one.item.path).name, result.sha256, result.templates[0])
                        samples.setdefault(one.item.label, []).append((at, sample, result))
                    yield settled + done
        finally:
            for _, one in waiting:
                self.source.release(one.file)
        for at, line in self._enrol(items, samples):
            lines[at] = line
        self.lines += [line for line in lines if line is not None]

    def _settle(self, item: Item) -> Line | _Waiting:
        """What can be said of a photograph before its face is looked for."""
        shown = printable(item.path)
        if item.refused:
            return Line(shown, printable(item.label), "refused", item.refused)
        try:
            file = self.source.fetch(item)
        except ArchiveError as error:
            return Line(shown, item.label, "refused", str(error))
        digest = _digest(file)
        status: Status | None = None
        if digest and digest in self._known_of(item.label)[0]:
            status, reason = "known", "It is enrolled already."
        elif digest and (item.label, digest) in self._seen:
            status, reason = "repeated", "The same photograph stands more than once for this person. It counts once."
        if status:
            self.source.release(file)
            return Line(shown, item.label, status, reason)
        self._seen.add((item.label, digest))
        return _Waiting(item, file, digest)

    def _known_of(self, label: str) -> tuple[set[str], set[str]]:
        """Digests and ids of the photographs that somebody had before this import."""
        if label not in self._known:
            gallery = self._recognizer.gallery
            identity = gallery.find(label)
            photos: list[Photo] = gallery.photos(identity.id) if identity else []
            if identity:
                self.identity_ids[label] = identity.id
            self._known[label] = {photo.sha256 for photo in photos} - {""}, {photo.id for photo in photos}
        return self._known[label]

    def _left_out(self, one: _Waiting, found: Described) -> Line | None:
        item, shown = one.item, printable(one.item.path)
        if found.status != "ok":
            return Line(shown, item.label, found.status, _without_name(found.reason, found.name))
        verdict = enrolment_verdict(found.templates[0])
        if verdict.level == "poor" and not self._keep_poor:
            words = [remark.text for remark in verdict.remarks if remark.bad]
            return Line(
                shown, item.label, "poor", f"{', '.join(words)}. It would find the person less often.", found.faces
            )
        return None

    def _enrol(
        self, items: Sequence[Item], samples: Mapping[str, Sequence[tuple[int, Sample, Described]]]
    ) -> Iterator[tuple[int, Line]]:
        """Commits a batch, then says what became of each of its photographs."""
        done = (
            {}
            if self.dry_run or not samples
            else self._commit({label: [one for _, one, _ in samples[label]] for label in samples})
        )
        for label, given in samples.items():
            enrolment = done.get(label)
            known = self._known_of(label)[1]
            if enrolment:
                self.identity_ids[label] = enrolment.identity.id
                self._note_person(enrolment, label, items[given[0][0]].fields)
            for index, (at, sample, described) in enumerate(given):
                photo_id = enrolment.photo_ids[index] if enrolment else ""
                status: Status = "ready" if not enrolment else "known" if photo_id in known else "enrolled"
                if status == "enrolled":
                    self.photo_ids.append(photo_id)
                reason = "It is enrolled already." if status == "known" else _group(described.faces, self._face)
                self._count(label, sample.template)
                yield at, Line(printable(items[at].path), label, status, reason, described.faces)
        self._look_alike(list(samples))

    def _commit(self, people: Mapping[str, Sequence[Sample]]) -> dict[str, Enrolment]:
        try:
            enrolled = self._recognizer.enrol_many(people, other_case=True)
        except IdentityExistsError:  # another import made the same person meanwhile: now they are found
            enrolled = self._recognizer.enrol_many(people, other_case=True)
        return dict(zip(people, enrolled, strict=True))

    def _note_person(self, enrolment: Enrolment, label: str, fields: Mapping[str, str]) -> None:
        """What a new person's record says; one who was there keeps theirs."""
        if not enrolment.created:
            return
        self.created.add(label)
        record = {key: value for key, value in {**self._fields, **fields}.items() if value}
        if record:
            # a day that the gallery gave by itself stays where the record names none
            metadata = {**enrolment.identity.metadata, **record}
            self._recognizer.gallery.edit(enrolment.identity.id, metadata=metadata)

    def _count(self, label: str, template: Template) -> None:
        embedding = template.embedding.astype(np.float64)
        self._sums[label] = self._sums[label] + embedding if label in self._sums else embedding

    def _look_alike(self, labels: Sequence[str]) -> None:
        """Who of a batch reaches the threshold with somebody of another name."""
        if not labels:
            return
        sums = np.stack([self._sums[label] for label in labels])
        probes = (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).astype(np.float32)
        threshold = self._recognizer.threshold.value
        with within():  # the import is recorded, with everybody whom it enrols
            nearest = self._recognizer.gallery.search(probes, 2)
        for label, found in zip(labels, nearest, strict=True):
            own = self.identity_ids.get(label)
            other = next((one for one in found if one.identity.id != own), None)
            self.resemblances.pop(label, None)
            if other is None or other.similarity < threshold:
                continue
            mirrored = self.resemblances.get(other.identity.name)
            if mirrored is None or mirrored.identity_id != own:  # one question for two people is enough
                self.resemblances[label] = Resemblance(other.identity.id, other.identity.name, other.similarity)


def _digest(file: Path) -> str:
    """Hex SHA-256; empty where the file cannot be read, which whoever decodes it says in words."""
    try:
        return sha256_of(file) if file.is_file() else ""
    except OSError:
        return ""


def _without_name(reason: str, name: str) -> str:
    """A reason for a line that names the photograph already."""
    shown = printable(name)
    reason = reason.removeprefix(f"{shown}: ").replace(f"{shown} cannot", "It cannot", 1)
    return reason[:1].upper() + reason[1:]


def _group(faces: int, face: FaceChoice) -> str:
    if faces < 2:
        return ""
    return f"{faces} faces found; the {'largest' if face == 'largest' else 'most central'} was taken."
