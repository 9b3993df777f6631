"""What an operator's answers mean for later searches: a rejected face is not offered the same person again.

Knows similarities and rejections; nothing of where they are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
        reason = _reason(result, candidate, by_identity.get(candidate.identity.id, ()))
        if reason is None:
            kept.append(candidate)
        else:
            out.append((candidate, reason))
    return replace(result, candidates=tuple(kept)), tuple(out)


def _reason(result: SearchResult, candidate: Candidate, rejections: Sequence[Rejection]) -> Rejection | None:
    best: Rejection | None = None
    highest = max(result.threshold, candidate.similarity)
    for rejection in rejections:
        similarity = float(result.template.embedding @ rejection.embedding)
        if similarity >= highest:
            best, highest = rejection, similarity
    return best
