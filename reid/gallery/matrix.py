"""Exact nearest templates of a batch of probes, in NumPy. Knows neither where they are stored nor whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.types import Embeddings

_SIMILARITIES_AT_ONCE = 16 * 2**20
"""Similarities held in memory together, 64 MiB of float32; a batch of probes is cut to stay below."""


_BLOCK = 64
"""Similarities of which only the largest is looked at first."""


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """One state of a gallery's templates.

    Attributes:
        ids: identity id of each row.
        rows: (N, D) unit vectors.
    """

    ids: Sequence[str]
    rows: Embeddings

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def probes_at_once(self) -> int:
        return max(1, _SIMILARITIES_AT_ONCE // max(1, len(self)))


def nearest(probes: Embeddings, templates: Templates, k: int) -> list[list[tuple[int, float]]]:
    """Row and cosine of the `k` nearest templates of each probe, descending, ties by identity id.

    A float32 matrix product finds who can be among them; those few are compared again in float64, rounded to float32.
    So the answer depends neither on the size of the batch nor on how the matrix product sums, and equal templates tie.

    Args:
        probes: (Q, D) unit rows; Q at most `templates.probes_at_once` keeps the memory bounded.
    """
    k = min(k, len(templates))
    if k < 1:
        return [[] for _ in probes]
    coarse = probes @ templates.rows.T  # (Q, N)
    if k < len(templates):
        # a float32 dot product of unit vectors is within D * 2^-24 of the true one: twice that, as both sides err
        slack = np.float32(2 * probes.shape[1] * 2.0**-24)
        floor = _reached_by(coarse, k) - slack
    else:
        floor = np.full(len(probes), -np.inf, np.float32)
    return [
        _ranked(probe, templates, np.flatnonzero(row >= low), k)
        for probe, row, low in zip(probes, coarse, floor, strict=True)
    ]


def _reached_by(similarities: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """(Q,) what at least `k` of each row's (Q, N) reach: no more than the k-th largest, and hardly less.

    The k-th largest of the blocks' maxima, which are k different similarities: finding those reads each row once, which
    is less work than partitioning all of it.
    """
    count, blocks = similarities.shape[1], similarities.shape[1] // _BLOCK
    if blocks > k:
        similarities = similarities[:, : blocks * _BLOCK].reshape(-1, blocks, _BLOCK).max(axis=2)
        count = blocks
    return np.asarray(np.partition(similarities, count - k, axis=1)[:, count - k], np.float32)


def _ranked(
    probe: NDArray[np.float32], templates: Templates, rows: NDArray[np.intp], k: int
) -> list[tuple[int, float]]:
    similarities = cosines(templates.rows[rows], probe)
    ids = [templates.ids[int(row)] for row in rows]
    order = sorted(range(len(rows)), key=lambda i: (-similarities[i], ids[i]))[:k]
    return [(int(rows[i]), float(similarities[i])) for i in order]


def cosines(rows: Embeddings, probe: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) cosines of (N, D) unit rows and a (D,) unit vector, summed in float64, rounded to float32 in [-1, 1]."""
    return np.clip(rows.astype(np.float64) @ probe.astype(np.float64), -1, 1).astype(np.float32)
