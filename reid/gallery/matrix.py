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

_AGAIN_AT_ONCE = 4096
"""Pairs of a probe and a template that are compared again in float64 together, some 20 MB."""


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
    at, rows = _within_reach(probes @ templates.rows.T, k, probes.shape[1])
    found: list[list[tuple[float, str, int]]] = [[] for _ in probes]
    for start in range(0, len(rows), _AGAIN_AT_ONCE):  # more than a few only where templates are equal
        some = slice(start, start + _AGAIN_AT_ONCE)
        again = cosines(templates.rows[rows[some]], probes[at[some]])
        for probe, row, cosine in zip(at[some].tolist(), rows[some].tolist(), again.tolist(), strict=True):
            found[probe].append((-cosine, templates.ids[row], row))
    return [[(row, -negative) for negative, _, row in sorted(one)[:k]] for one in found]


def _within_reach(similarities: NDArray[np.float32], k: int, dim: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Probe and row, (P,) each, of all that may be among a probe's `k` nearest; of (Q, N) float32 products.

    At least `k` of a probe's similarities reach the k-th largest of its blocks' maxima: reading each similarity once
    finds that, and only the blocks that reach it are looked into.
    """
    count, blocks = similarities.shape[1], similarities.shape[1] // _BLOCK
    if k >= count:
        at, rows = np.indices(similarities.shape).reshape(2, -1)
        return at, rows
    # a float32 dot product of unit vectors is within D * 2^-24 of the true one: twice that, as both sides err
    slack = np.float32(2 * dim * 2.0**-24)
    if blocks <= k:
        at, rows = np.nonzero(similarities >= _largest(similarities, k) - slack)
        return at, rows
    whole = similarities[:, : blocks * _BLOCK].reshape(-1, blocks, _BLOCK)
    most = whole.max(axis=2)  # (Q, blocks)
    floor = _largest(most, k) - slack  # (Q, 1)
    probe, block = np.nonzero(most >= floor)
    which, place = np.nonzero(whole[probe, block] >= floor[probe])
    probe_left, left = np.nonzero(similarities[:, blocks * _BLOCK :] >= floor)
    return (
        np.concatenate([probe[which], probe_left]),
        np.concatenate([block[which] * _BLOCK + place, left + blocks * _BLOCK]),
    )


def _largest(values: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """(Q, 1) the k-th largest of each row."""
    at = values.shape[1] - k
    return np.partition(values, at, axis=1)[:, at : at + 1]


def cosines(rows: Embeddings, probes: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) cosines of (N, D) unit rows and a (D,) or (N, D) unit vector, in float64, rounded to float32 in [-1, 1]."""
    exact = np.einsum("nd,nd->n", rows.astype(np.float64), np.broadcast_to(probes, rows.shape).astype(np.float64))
    return np.asarray(np.clip(exact, -1, 1), np.float32)
