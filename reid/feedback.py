"""What an operator's answers mean for later searches: a rejected face is not offered the same person again.

Knows similarities and rejections; nothing of where they are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reid.types import Candidate, Rejection, SearchResult


def without_rejected(
    result: SearchResult, rejections: Sequence[Rejection]
) -> tuple[SearchResult, tuple[tuple[Candidate, Rejection], ...]]:
    """Takes those candidates out whom somebody said this face is not.

    A rejection holds for a face that resembles the rejected one at least as the threshold asks, and more than it
    resembles the person: the person themself, who may look like the rejected face, is still found.

    Returns:
        the result without them, and each of them with the rejection that took it out.
    """
    by_identity: dict[str, list[Rejection]] = {}
    for rejection in rejections:
        by_identity.setdefault(rejection.identity_id, []).append(rejection)
    kept: list[Candidate] = []
    out: list[tuple[Candidate, Rejection]] = []
    for candidate in result.candidates:
        own = by_identity.get(candidate.identity.id, ())
        reason = rejection_against(result.template.embedding, candidate.similarity, result.threshold, own)
        if reason is None:
            kept.append(candidate)
        else:
            out.append((candidate, reason))
    return replace(result, candidates=tuple(kept)), tuple(out)


def rejection_against(
    embedding: NDArray[np.float32], similarity: float, threshold: float, rejections: Sequence[Rejection]
) -> Rejection | None:
    """What was said of a person that holds for this face too; None where the person may be named.

    Args:
        embedding: (D,) of the face.
        similarity: of the face and the person.
        rejections: of that person.
    """
    best: Rejection | None = None
    highest = max(threshold, similarity)
    for rejection in rejections:
        likeness = float(embedding @ rejection.embedding)
        if likeness >= highest:
            best, highest = rejection, likeness
    return best
