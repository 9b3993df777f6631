"""Strangers seen in probes: kept where somebody chose so, grouped, enrolled, and known again once somebody is enrolled.

Knows the gallery and its threshold, no page. What is kept has an end; nothing is kept unless it was switched on.
"""

from __future__ import annotations

import contextlib
import json
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from reid.audit.writing import within
from reid.errors import GalleryError, IdentityNotFoundError
from reid.feedback import rejection_against, without_rejected
from reid.gallery.base import Gallery
from reid.gallery.checks import template_of
from reid.gallery.unknowns import expiry
from reid.grouping import connected_to, groups_of
from reid.images import decode_jpeg, encode_jpeg
from reid.recognizer import Enrolment, Recognizer, Sample, face_id, photo_id
from reid.types import Embeddings, Face, Identity, KeptFace, Rejection, SearchResult, Template
from reid.verdicts import enrolment_verdict, not_searched

MOST_DAYS = 3650
GROUPED = 2000
"""Faces that are looked through together, the newest: bounds time and memory."""

_ENOUGH = 10  # candidates among whom one may be left after rejections
_ROWS_AT_ONCE = 256
_ROUNDING = 1e-4
_META = "unknowns"


@dataclass(frozen=True, slots=True)
class Keeping:
    """Whether faces that found no candidate are kept, and for how many days."""

    on: bool = False
    days: int = 30


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one photograph's strangers: ids of the faces that are kept now, and how many are ignored."""

    ids: tuple[str, ...] = ()
    ignored: int = 0


@dataclass(frozen=True, slots=True)
class Sighting:
    """Kept faces that may be somebody who is enrolled by now.

    Attributes:
        faces: each with its similarity to the person, the most alike first. One that does not reach the threshold by
            itself belongs to a group that does.
    """

    identity: Identity
    faces: tuple[tuple[KeptFace, float], ...]


@dataclass(frozen=True, slots=True)
class Strangers:
    """Everything that is kept, as somebody looks at it.

    Attributes:
        sightings: by the most alike face.
        groups: of two or more faces, each the newest first.
        once: faces that are like no other.
        left_out: how many older ones were not looked through.
    """

    sightings: tuple[Sighting, ...]
    groups: tuple[tuple[KeptFace, ...], ...]
    once: tuple[KeptFace, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Adopted:
    """Kept faces that became somebody's photographs.

    Attributes:
        faces: those, as they were kept.
        left: how many were too poor to enrol and are kept as before.
    """

    enrolment: Enrolment
    faces: tuple[KeptFace, ...]
    left: int


def keeping_of(gallery: Gallery) -> Keeping:
    """What was chosen for this gallery; off where nobody chose."""
    text = gallery.get_meta(_META)
    return Keeping(**json.loads(text)) if text else Keeping()


def choose_keeping(gallery: Gallery, keeping: Keeping) -> None:
    """Keeps strangers from now on, or no longer. A shorter time holds for those that are kept too, a longer one not.

    Raises:
        GalleryError: the number of days is unusable, or this gallery cannot keep any.
    """
    if not 1 <= keeping.days <= MOST_DAYS:
        raise GalleryError(f"Faces cannot be kept for {keeping.days} days. Choose between 1 and {MOST_DAYS}.")
    gallery.unknowns.shorten(keeping.days)
    gallery.set_meta(_META, json.dumps({"on": keeping.on, "days": keeping.days}))


def keep_strangers(recognizer: Recognizer, source: str, sha256: str, templates: Sequence[Template]) -> Kept:
    """Keeps the faces of one photograph that nobody enrolled reaches the threshold with, where that is switched on.

    It is the gallery's own threshold that decides, whatever an operator looks at. Faces that are not searched are not
    kept, and neither is one that looks like a face that is ignored.

    Args:
        source: what the photograph is called.
        sha256: of its bytes.
        templates: all its faces.

    Raises:
        GalleryError: the gallery cannot be written.
    """
    gallery = recognizer.gallery
    keeping = keeping_of(gallery)
    strangers = _strangers(recognizer, templates) if keeping.on else []
    if not strangers:
        return Kept()
    seen = datetime.now(UTC).isoformat(timespec="seconds")
    ignored = [face.embedding for face in gallery.unknowns.faces(ignored=True)]
    new: list[KeptFace] = []
    refused = 0
    for result in strangers:
        if any(float(result.template.embedding @ one) >= result.threshold for one in ignored):
            refused += 1
            continue
        face = _kept_face(result.template, source, sha256, seen, keeping.days)
        if gallery.unknowns.face(face.id) is None:
            new.append(face)
    if new:
        gallery.unknowns.keep(new)
    return Kept(tuple(face.id for face in new), refused)


def _strangers(recognizer: Recognizer, templates: Sequence[Template]) -> list[SearchResult]:
    """Faces whose every candidate is below the threshold or was rejected."""
    with within():  # of the search that brought the photograph
        results = recognizer.decide([one for one in templates if not_searched(one) is None], k=_ENOUGH)
    people = {candidate.identity.id for result in results for candidate in result.candidates}
    said = recognizer.gallery.rejections(sorted(people))
    heard = (without_rejected(result, said)[0] for result in results)
    return [result for result in heard if result.potential is None]


def _kept_face(template: Template, source: str, sha256: str, seen: str, days: int) -> KeptFace:
    return KeptFace(
        id=face_id(sha256, template.face.box_px),
        crop_jpeg=encode_jpeg(template.chip),
        landmarks_px=template.chip_landmarks_px,
        embedding=template.embedding,
        quality=template.quality,
        box_px=template.face.box_px,
        source=source,
        sha256=sha256,
        seen_at=seen,
        expires_at=expiry(seen, days),
    )


def strangers_of(gallery: Gallery, threshold: float) -> Strangers:
    """Groups what is kept, and compares it with everybody enrolled. A face is in one place, a sighting first.

    Args:
        threshold: cosine at and above which faces are grouped and people named.
    """
    everything = gallery.unknowns.faces()
    faces = everything[:GROUPED]
    if not faces:
        return Strangers((), (), ())
    embeddings = np.stack([face.embedding for face in faces])
    groups = groups_of(embeddings, threshold)
    sightings, enrolled = _without_enrolled(gallery, _sightings(gallery, faces, embeddings, groups, threshold))
    found = {face.id for sighting in sightings for face, _ in sighting.faces} | enrolled
    left = [tuple(faces[row] for row in group if faces[row].id not in found) for group in groups]
    return Strangers(
        tuple(sightings),
        tuple(group for group in left if len(group) > 1),
        tuple(group[0] for group in left if len(group) == 1),
        len(everything) - len(faces),
    )


def sightings_of(gallery: Gallery, identity_id: str, threshold: float) -> Sighting | None:
    """The kept faces that may be one person; None where there are none, or this gallery keeps none."""
    if not keeping_of(gallery).on and not gallery.get_meta(_META):
        return None  # nobody ever chose to keep any
    faces = gallery.unknowns.faces()[:GROUPED]
    _, own = gallery.embeddings([identity_id]).get(identity_id, ([], None))
    if not faces or own is None:
        return None
    embeddings = np.stack([face.embedding for face in faces])
    rows = connected_to(embeddings, embeddings @ template_of(own) >= _least_of_a_group(threshold), threshold)
    faces, embeddings = [faces[row] for row in rows], embeddings[rows]
    seen = _sightings(gallery, faces, embeddings, groups_of(embeddings, threshold), threshold) if faces else []
    left, _ = _without_enrolled(gallery, [one for one in seen if one.identity.id == identity_id])
    return next(iter(left), None)


def _least_of_a_group(threshold: float) -> float:
    """What one face of a group has where the group reaches the threshold, as the mean of its faces.

    They are alike at the threshold on average, so their mean is no shorter than its root.
    """
    return threshold * math.sqrt(threshold) - _ROUNDING if threshold > 0 else -np.inf


def _sightings(
    gallery: Gallery, faces: Sequence[KeptFace], embeddings: Embeddings, groups: list[list[int]], threshold: float
) -> list[Sighting]:
    """Gives each face to the person it is most like, each person to one face of a photograph; what was rejected not."""
    ids, templates = gallery.templates()
    pairs = _reaching(embeddings, groups, templates, threshold)
    said: dict[str, list[Rejection]] = {}
    for rejection in gallery.rejections(sorted({ids[person] for _, _, person in pairs})):
        said.setdefault(rejection.identity_id, []).append(rejection)
    given: dict[str, list[tuple[KeptFace, float]]] = {}
    settled: set[object] = set()
    for _, row, person in pairs:
        face, identity_id = faces[row], ids[person]
        similarity = float(embeddings[row] @ templates[person])
        places = {row, (face.sha256, person)}
        if places & settled or rejection_against(face.embedding, similarity, threshold, said.get(identity_id, ())):
            continue
        settled |= places
        given.setdefault(identity_id, []).append((face, similarity))
    found = []
    for identity_id, own in given.items():
        with contextlib.suppress(IdentityNotFoundError):  # erased since the templates were read
            found.append(Sighting(gallery.identity(identity_id), tuple(sorted(own, key=lambda one: -one[1]))))
    return sorted(found, key=lambda one: -one.faces[0][1])


def _without_enrolled(gallery: Gallery, sightings: Sequence[Sighting]) -> tuple[list[Sighting], set[str]]:
    """A kept face that became a photograph of the person, on another tab say, is nothing to ask about.

    Returns:
        what is left, and the ids of those faces. They stay kept: the enrolment may be taken back.
    """
    left: list[Sighting] = []
    enrolled: set[str] = set()
    for one in sightings:
        held = set(gallery.embeddings([one.identity.id]).get(one.identity.id, ([], None))[0])
        own = {face.id for face, _ in one.faces if photo_id(face.sha256, face.box_px, one.identity.id) in held}
        enrolled |= own
        if faces := tuple(pair for pair in one.faces if pair[0].id not in own):
            left.append(Sighting(one.identity, faces))
    return left, enrolled


def _reaching(
    embeddings: Embeddings, groups: list[list[int]], templates: Embeddings, threshold: float
) -> list[tuple[float, int, int]]:
    """Likeness, face and person of all that reach the threshold, the most alike first.

    A face counts by itself or by its whole group: several views of a person say more than each of them.
    """
    of_group = embeddings.copy()
    for group in groups:
        mean = embeddings[group].mean(0)
        of_group[group] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    pairs: list[tuple[float, int, int]] = []
    for start in range(0, len(embeddings) if len(templates) else 0, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        likeness = np.maximum(embeddings[rows] @ templates.T, of_group[rows] @ templates.T)
        found = np.nonzero(likeness >= threshold)
        pairs += [
            (float(likeness[row, person]), int(row) + start, int(person)) for row, person in zip(*found, strict=True)
        ]
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))


def adopt(recognizer: Recognizer, face_ids: Sequence[str], name: str, *, insist: bool = False) -> Adopted:
    """Makes kept faces photographs of the person of that name, new or enrolled; they are not kept any longer.

    Args:
        insist: whether faces too small, blurred or turned away are enrolled beside better ones.

    Raises:
        GalleryError: none of them is kept any more, or the name cannot be used.
    """
    faces = faces_of(recognizer.gallery, face_ids)
    worthy = [face for face in faces if enrolment_verdict(_template(face)).level != "poor"]
    chosen = faces if insist or not worthy else worthy
    samples = [Sample(face.source, face.sha256, _template(face), face.crop_jpeg) for face in chosen]
    done = recognizer.enrol(name, samples)
    recognizer.gallery.unknowns.remove([face.id for face in chosen])
    return Adopted(done, tuple(chosen), len(faces) - len(chosen))


def release(gallery: Gallery, adopted: Adopted) -> None:
    """Takes an adoption back: the photographs are strangers' faces again until they expire."""
    gallery.remove_photos(adopted.enrolment.photo_ids)
    gallery.unknowns.keep(adopted.faces)


def faces_of(gallery: Gallery, face_ids: Sequence[str]) -> list[KeptFace]:
    """Those that are still kept. Raises: GalleryError where none is."""
    found = [face for face in map(gallery.unknowns.face, dict.fromkeys(face_ids)) if face]
    if not found:
        raise GalleryError("These faces are not kept any more. Load the list again.")
    return found


def dismiss(gallery: Gallery, face_ids: Sequence[str], identity_id: str) -> list[str]:
    """Remembers that kept faces are not this person; they stay kept. Returns the rejections' ids, to withdraw them."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = [
        Rejection(uuid.uuid4().hex, identity_id, face.source, now, face.embedding)
        for face in faces_of(gallery, face_ids)
    ]
    for rejection in made:
        gallery.reject(rejection)
    return [rejection.id for rejection in made]


def _template(face: KeptFace) -> Template:
    """As it was described; where its landmarks lay in the photograph is not known any more."""
    seen = Face(face.box_px, face.landmarks_px, 1.0)
    return Template(seen, face.quality, decode_jpeg(face.crop_jpeg), face.landmarks_px, face.embedding)
