"""One person is given to one face of a photograph: the best assignment. Knows similarities only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reid.types import STRANGER, Candidate, SearchResult

_A_LITTLE = 1e-6  # so that a candidate exactly at the threshold is still better than none


@dataclass(frozen=True, slots=True, eq=False)
class Assigned:
    """One face's decision once the other faces of its photograph were heard.

    Attributes:
        result: what the search found for this face alone.
        given: the candidate that it is given; None where nobody is left who reaches the threshold.
        elsewhere: candidates that reach the threshold with this face but fit another one better, with its index.
    """

    result: SearchResult
    given: Candidate | None
    elsewhere: tuple[tuple[Candidate, int], ...]

    @property
    def label(self) -> str:
        return self.given.identity.name if self.given else STRANGER

    @property
    def potentials(self) -> tuple[Candidate, ...]:
        """Candidates at or above the threshold that no other face has, the given one first."""
        taken = {candidate.identity.id for candidate, _ in self.elsewhere}
        rest = [
            candidate
            for candidate in self.result.candidates
            if candidate.similarity >= self.result.threshold
            and candidate.identity.id not in taken
            and candidate is not self.given
        ]
        return (self.given, *rest) if self.given else tuple(rest)


def assign(results: Sequence[SearchResult]) -> list[Assigned]:
    """Gives each identity to at most one face of one photograph, each face at most one identity.

    Chosen is the assignment whose similarities exceed the threshold by the greatest sum: the Hungarian method of
    `scipy.optimize.linear_sum_assignment`.

    Args:
        results: of all faces of one photograph; candidates below their threshold take no part.
    """
    columns: dict[str, int] = {}
    for result in results:
        for candidate in result.candidates:
            if candidate.similarity >= result.threshold:
                columns.setdefault(candidate.identity.id, len(columns))
    gain = np.zeros((len(results), len(columns)), np.float64)  # (faces, identities), 0: not a candidate
    for row, result in enumerate(results):
        for candidate in result.candidates:
            if candidate.similarity >= result.threshold:
                gain[row, columns[candidate.identity.id]] = candidate.similarity - result.threshold + _A_LITTLE
    owner: dict[str, int] = {}
    if gain.size:
        from scipy.optimize import linear_sum_assignment  # not before there is something to assign

        ids = list(columns)
        for row, column in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
            if gain[row, column] > 0:
                owner[ids[column]] = int(row)
    return [_assigned(row, result, owner) for row, result in enumerate(results)]


def _assigned(row: int, result: SearchResult, owner: dict[str, int]) -> Assigned:
    given: Candidate | None = None
    elsewhere: list[tuple[Candidate, int]] = []
    for candidate in result.candidates:
        if candidate.similarity < result.threshold:
            continue
        face = owner.get(candidate.identity.id)
        if face == row:
            given = candidate
        elif face is not None:
            elsewhere.append((candidate, face))
    return Assigned(result, given, tuple(elsewhere))
