"""Recognizer: enrol, search, verify. The one facade that the page, the API and the command line use.

It joins a detector, an embedding space, a gallery and a threshold; it knows no page and no files but photographs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from reid import threshold as thresholds
from reid.audit import AuditLog, log_path
from reid.audit.recording import RecordingGallery, recorded
from reid.describe import Describer
from reid.detect.base import FaceDetector
from reid.errors import EmbeddingSpaceError, IdentityExistsError, MultipleFacesError, NoFaceError
from reid.faces import FaceChoice, meant_face
from reid.fitting import fitted
from reid.gallery.base import Gallery
from reid.gallery.names import valid_name
from reid.gallery.shelf import Shelf
from reid.images import encode_jpeg
from reid.rights.expiry import purge
from reid.rights.traces import Traces
from reid.settings import Settings
from reid.space import EmbeddingSpace
from reid.types import Embeddings, Face, Identity, Photo, Photograph, SearchResult, Template, Threshold
from reid.weights.choice import BestRun

log = logging.getLogger(__name__)

_CALIBRATION = "calibration"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One face to enrol and the photograph it is from.

    Attributes:
        source: what a person calls the photograph.
        sha256: of its bytes.
        crop_jpeg: the template's chip where it is stored already; made from it where empty.
    """

    source: str
    sha256: str
    template: Template
    crop_jpeg: bytes = b""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What `enrol` did: the identity as it is now and the ids of the photographs it was given."""

    identity: Identity
    photo_ids: tuple[str, ...]
    created: bool


class Recognizer:
    """Finds who of a gallery is on a photograph. Safe to call from several threads."""

    def __init__(
        self,
        detector: FaceDetector,
        space: EmbeddingSpace,
        gallery: Gallery,
        *,
        better: BestRun | None = None,
        audit: AuditLog | None = None,
        traces: Traces | None = None,
        backup_days: int = 90,
    ) -> None:
        """Joins the parts. What is done to the gallery from now on is recorded.

        Args:
            better: a run that would serve this gallery better, for whoever shows it.
            audit: where it is recorded; None for the log beside the gallery.
            traces: what training keeps of photographs, and goes with whoever is erased.
            backup_days: how long copies of galleries are kept beside them; 0 for ever.

        Raises:
            EmbeddingSpaceError: the gallery belongs to another space.
        """
        if gallery.space_id != space.id:
            raise EmbeddingSpaceError(
                f"The gallery {gallery.url} was made with {gallery.space_id}, this is {space.id}. "
                f"Open it with --space {gallery.space_id.split(':')[0]} and the weights of then, or bring it to this "
                "space with `byteface reembed`."
            )
        self.describer = Describer(detector, space)
        self.forget = traces.forget if traces else None
        self.backup_days = backup_days
        self.audit = audit or AuditLog(log_path(gallery.url))
        self.shelf = Shelf(gallery, dim=space.dim, description=json.dumps(space.description), opened=self._recorded)
        self.better = better

    @classmethod
    def open(cls, settings: Settings, *, progress: bool = True) -> Recognizer:
        """Everything that the settings name, bringing weights that are missing.

        A gallery that is there decides what was left open: its space, and the weights that it was made with.

        Raises:
            WeightsError: weights are missing and cannot be brought.
            EmbeddingSpaceError: the gallery belongs to another space.
            GalleryError: the gallery cannot be opened.
        """
        from reid.gallery import open_gallery

        fit = fitted(settings)
        parts = Describer.load(fit.settings, progress=progress)
        gallery = open_gallery(
            settings.gallery,
            space_id=parts.space.id,
            dim=parts.space.dim,
            description=json.dumps(parts.space.description),
        )
        audit = AuditLog(log_path(settings.gallery, settings.audit, settings.data_dir), asking=settings.purpose)
        return cls(
            parts.detector, parts.space, gallery, better=fit.better, audit=audit, traces=Traces(settings.models_dir),
            backup_days=settings.backup_days,
        )  # fmt: skip

    def _recorded(self, gallery: Gallery, made: bool) -> Gallery:
        found = recorded(gallery, self.audit, self.forget)
        if made:
            self.audit.append(found.pen.entry("create_gallery"), durable=True)
        purge(found)
        return found

    @property
    def gallery(self) -> RecordingGallery:
        """The gallery that the work at hand means: the one that was given, unless another beside it was chosen."""
        return recorded(self.shelf.current(), self.audit, self.forget)

    @property
    def space(self) -> EmbeddingSpace:
        """Where probes and templates are compared."""
        return self.describer.space

    @property
    def threshold(self) -> Threshold:
        """The gallery's own calibration, otherwise the measured default of its space."""
        return threshold_of(self.gallery, self.space)

    @threshold.setter
    def threshold(self, value: Threshold) -> None:
        self.gallery.set_meta(_CALIBRATION, thresholds.to_json(value))

    def detect(self, photograph: Photograph) -> list[Face]:
        """Every face, the largest first."""
        return self.describer.detect(photograph)

    def describe(self, photograph: Photograph, faces: Sequence[Face]) -> list[Template]:
        """Faces made comparable, in their order: `decide` takes them as often as wanted."""
        return self.describer.describe(photograph, faces)

    def search(
        self, photograph: Photograph, *, k: int = 5, threshold: float | None = None, purpose: str = ""
    ) -> list[SearchResult]:
        """Who of the gallery is on a photograph: one result a face, the largest face first; none without a face.

        Args:
            purpose: what the search is for, for the audit log; the actor's own where empty.
        """
        pen = self.gallery.pen
        with pen.use("search", inputs=[photograph.sha256], purpose=purpose) as use:
            results = self.decide(self.describe(photograph, self.detect(photograph)), k=k, threshold=threshold)
            limit = self.threshold.value if threshold is None else threshold
            pen.note(use, [(result.potential, result.candidates) for result in results], limit)
        log.info("searched %d faces among %d identities", len(results), self.gallery.count())
        return results

    def decide(
        self, templates: Sequence[Template], *, k: int = 5, threshold: float | None = None
    ) -> list[SearchResult]:
        """Results of faces that were described before: compares and decides without touching a network.

        Args:
            templates: what `describe` returned, or the templates of earlier results.
            k: candidates a face.
            threshold: cosine in [-1, 1]; None uses the gallery's.
        """
        if not templates:
            return []
        limit = self.threshold.value if threshold is None else threshold
        found = self.gallery.search(stack(templates), k)
        return [
            SearchResult(template, tuple(candidates), limit)
            for template, candidates in zip(templates, found, strict=True)
        ]

    def verify(self, first: Template, second: Template) -> float:
        """Cosine similarity of two faces in [-1, 1]."""
        return float(first.embedding @ second.embedding)

    def sample(self, photograph: Photograph, choice: FaceChoice | int | None = None) -> Sample:
        """The one face of a photograph that somebody is enrolled with.

        Args:
            choice: `largest`, `central`, the index of one of `detect`'s faces, or None where there must be just one.

        Raises:
            NoFaceError: there is none.
            MultipleFacesError: there are several and nobody said which.
        """
        faces = self.detect(photograph)
        if choice is None and len(faces) > 1:
            raise MultipleFacesError(
                f"{photograph.name}: {len(faces)} faces found. Say which one is meant, or crop it."
            )
        face = meant_face(photograph, faces, "largest" if choice is None else choice)
        return Sample(photograph.name, photograph.sha256, self.describe(photograph, [face])[0])

    def enrol(self, name: str, samples: Iterable[Sample]) -> Enrolment:
        """Adds photographs to the identity of that name, creating it where it is new. All or nothing.

        Enrolling the same face of the same photograph again replaces it.

        Raises:
            GalleryError: the name cannot be used, or the gallery cannot be written.
            IdentityExistsError: somebody's name differs only by capital letters.
            NoFaceError: there are no samples.
        """
        return self.enrol_many({name: samples})[0]

    def enrol_many(self, people: Mapping[str, Iterable[Sample]], *, other_case: bool = False) -> list[Enrolment]:
        """Several identities in one transaction, as `enrol`.

        Args:
            other_case: whether names that differ from others only by capital letters are people of their own, as
                labels of a data set are.
        """
        photos: list[Photo] = []
        planned: list[tuple[str, bool, list[Photo]]] = []
        for raw, samples in people.items():
            name = valid_name(raw)
            known = self.gallery.find(name)
            if known is None and not other_case:
                self._refuse_other_case(name)
            identity_id = known.id if known else uuid.uuid4().hex
            own = [_photo(sample, identity_id, name) for sample in samples]
            if not own:
                raise NoFaceError("There is no face to enrol. Add at least one photograph with a face.")
            photos += own
            planned.append((identity_id, known is None, own))
        self.gallery.add(photos)
        log.info("enrolled %d photographs of %d identities", len(photos), len(planned))
        return [
            Enrolment(self.gallery.identity(identity_id), tuple(photo.id for photo in own), created)
            for identity_id, created, own in planned
        ]

    def _refuse_other_case(self, name: str) -> None:
        for enrolled in self.gallery.spellings(name):
            raise IdentityExistsError(
                f"{name!r} differs from the enrolled {enrolled!r} only in capital letters. "
                "Use that spelling to add to them, or a name that can be told apart."
            )

    def close(self) -> None:
        """Lets go of the gallery, and of those beside it that were used."""
        self.shelf.close()
        self.audit.close()


def threshold_of(gallery: Gallery, space: EmbeddingSpace) -> Threshold:
    """What a gallery was calibrated to, otherwise what its weights bring along, otherwise what ships for its space."""
    own = gallery.get_meta(_CALIBRATION)
    return thresholds.from_json(own) if own else space.threshold or thresholds.measured_default(space.id)


def stack(templates: Sequence[Template]) -> Embeddings:
    """(N, D) embeddings of described faces."""
    return np.stack([template.embedding for template in templates])


def face_id(sha256: str, box_px: Sequence[float], *whose: str) -> str:
    """What a face of a photograph is called: the same face again has the same one."""
    box = ",".join(f"{value:.0f}" for value in box_px)
    return hashlib.sha256("|".join([sha256, box, *whose]).encode()).hexdigest()[:32]


def photo_id(sha256: str, box_px: Sequence[float], identity_id: str) -> str:
    """The same once it is enrolled as somebody."""
    return face_id(sha256, box_px, identity_id)


def _photo(sample: Sample, identity_id: str, name: str) -> Photo:
    template = sample.template
    return Photo(
        id=photo_id(sample.sha256, template.face.box_px, identity_id),
        identity_id=identity_id,
        identity_name=name,
        crop_jpeg=sample.crop_jpeg or encode_jpeg(template.chip),
        landmarks_px=template.chip_landmarks_px,
        embedding=template.embedding,
        quality=template.quality.score,
        source=sample.source,
        added_at=datetime.now(UTC).isoformat(timespec="seconds"),
        sha256=sample.sha256,
    )
