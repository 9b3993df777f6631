"""Faces that may be one person, found among strangers by their similarity alone. Knows vectors, nothing of where from.

Average linkage: two groups become one where their pairs are alike at the threshold on average. On strangers it keeps
people together without mixing them; single linkage mixes, complete linkage takes people apart (`benchmarks/groups.py`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reid.types import Embeddings

_ROWS_AT_ONCE = 1024


def groups_of(embeddings: Embeddings, threshold: float) -> list[list[int]]:
    """Rows that belong together, the largest group first, then by the first row; each row is in one group.

    A merge at the threshold needs one pair at the threshold, so the parts that no such pair connects are clustered on
    their own: the same answer, with the memory of the largest part squared instead of everything squared.

    Args:
        embeddings: (N, D) unit rows; N may be 0.
        threshold: mean cosine in [-1, 1] at and above which groups become one.
    """
    if len(embeddings) == 0:
        return []
    parts = _connected(embeddings, threshold)
    groups: list[list[int]] = []
    for part in range(int(parts.max()) + 1):
        rows = np.flatnonzero(parts == part)
        labels = _clustered(embeddings[rows], threshold) if len(rows) > 1 else np.zeros(1, np.intp)
        groups += [rows[labels == label].tolist() for label in range(int(labels.max()) + 1)]
    return sorted(groups, key=lambda group: (-len(group), group[0]))


def connected_to(embeddings: Embeddings, wanted: NDArray[np.bool_], threshold: float) -> NDArray[np.intp]:
    """Rows whose group may hold one of the wanted ones, ascending: `groups_of` finds the same groups among them alone.

    Args:
        embeddings: (N, D) unit rows.
        wanted: (N,).
        threshold: as of `groups_of`.
    """
    if not wanted.any():
        return np.empty(0, np.intp)
    parts = _connected(embeddings, threshold)
    return np.flatnonzero(np.isin(parts, parts[wanted]))


def _connected(embeddings: Embeddings, threshold: float) -> NDArray[np.intp]:
    """(N,) number of the part that each row is in: parts are joined by pairs at or above the threshold."""
    from scipy.sparse import coo_array  # a second of the start, which only grouping needs
    from scipy.sparse.csgraph import connected_components

    firsts, seconds = [], []
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        # a little below it: float32 sums differ in their last digits
        first, second = np.nonzero(embeddings[start : start + _ROWS_AT_ONCE] @ embeddings.T >= threshold - 1e-5)
        firsts.append(first + start)
        seconds.append(second)
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(len(embeddings),) * 2)
    _, parts = connected_components(graph.tocsr(), directed=False)
    return np.asarray(parts, np.intp)


def _clustered(embeddings: Embeddings, threshold: float) -> NDArray[np.intp]:
    """(n,) number of the group of each row, from 0."""
    from scipy.cluster.hierarchy import fcluster, linkage

    rows = embeddings.astype(np.float64)
    distances = 1 - (rows @ rows.T)[np.triu_indices(len(rows), 1)]  # condensed, as SciPy wants them
    tree = linkage(np.maximum(distances, 0), "average")
    return np.asarray(fcluster(tree, 1 - threshold, "distance"), np.intp) - 1
