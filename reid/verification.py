"""One person or two: a face against another face, or against everything enrolled of a person. Knows no page.

A search asks who of many it is; this asks about one pair. The threshold is the gallery's, chosen for searches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reid.errors import IdentityNotFoundError
from reid.gallery.base import Gallery
from reid.types import Identity, Photo, Template
from reid.verdicts import Remark, not_searched

Decision = Literal["candidate", "stranger", "unsearched"]

DECISION_WORDS: dict[Decision, str] = {
    "candidate": "Potential candidate",
    "stranger": "No candidate",
    "unsearched": "Not searched",
}


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """Two faces compared.

    Attributes:
        similarity: cosine in [-1, 1]; None where one of the faces is too poor to be compared.
        threshold: cosine at and above which the two may be one person.
        first_reason: why the first face cannot be compared; None where it can.
        second_reason: the same of the second.
    """

    first: Template
    second: Template
    similarity: float | None
    threshold: float
    first_reason: Remark | None
    second_reason: Remark | None

    @property
    def decision(self) -> Decision:
        return _decided(self.similarity, self.threshold)


@dataclass(frozen=True, slots=True, eq=False)
class PersonVerification:
    """A face compared with everything that is enrolled of one person.

    Attributes:
        similarity: cosine of the face and the person's template, as a search would find it; None where the face is
            too poor to be compared.
        photos: every photograph of the person with its own cosine, the most similar first; empty where the gallery
            keeps none.
        reason: why the face cannot be compared; None where it can.
    """

    probe: Template
    identity: Identity
    similarity: float | None
    photos: tuple[tuple[Photo, float], ...]
    threshold: float
    reason: Remark | None

    @property
    def decision(self) -> Decision:
        return _decided(self.similarity, self.threshold)


def verify_faces(first: Template, second: Template, threshold: float) -> Verification:
    """May two faces be one person's?

    Args:
        threshold: cosine in [-1, 1].
    """
    reasons = not_searched(first), not_searched(second)
    similarity = float(first.embedding @ second.embedding) if reasons == (None, None) else None
    return Verification(first, second, similarity, threshold, *reasons)


def verify_person(gallery: Gallery, probe: Template, identity_id: str, threshold: float) -> PersonVerification:
    """May a face be the person enrolled under that id?

    Args:
        threshold: cosine in [-1, 1].

    Raises:
        IdentityNotFoundError: the person is not enrolled.
    """
    identity = gallery.identity(identity_id)
    reason = not_searched(probe)
    if reason is not None:
        return PersonVerification(probe, identity, None, (), threshold, reason)
    photos = gallery.photos(identity_id)
    if photos:
        rows = np.stack([photo.embedding for photo in photos])  # (n, D)
        own = rows @ probe.embedding
        mean = rows.mean(0)
        similarity = float(mean @ probe.embedding / max(float(np.linalg.norm(mean)), 1e-9))
    else:
        own, similarity = np.zeros(0, np.float32), _template_similarity(gallery, probe, identity_id)
    ranked = sorted(zip(photos, map(float, own), strict=True), key=lambda pair: (-pair[1], pair[0].id))
    return PersonVerification(probe, identity, similarity, tuple(ranked), threshold, None)


def compared_facts(found: Verification | PersonVerification) -> dict[str, float | str | None]:
    """What a record says of a comparison: no name, no embedding."""
    similarity = None if found.similarity is None else round(found.similarity, 4)
    return {"decision": found.decision, "similarity": similarity, "threshold": round(found.threshold, 6)}


def _template_similarity(gallery: Gallery, probe: Template, identity_id: str) -> float:
    """Of a gallery without photographs: a search is the only way to its templates."""
    (candidates,) = gallery.search(probe.embedding[None], gallery.count())
    for candidate in candidates:
        if candidate.identity.id == identity_id:
            return candidate.similarity
    raise IdentityNotFoundError("This person is not in the gallery any more. Choose somebody else.")


def _decided(similarity: float | None, threshold: float) -> Decision:
    if similarity is None:
        return "unsearched"
    return "candidate" if similarity >= threshold else "stranger"
