"""One template per identity out of its photographs' embeddings: the plain mean, trimmed, or weighed by quality.

Knows vectors; the app's gallery uses the plain mean, the others are here to be measured against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reid.types import Embeddings

TemplateRule = Literal["mean", "trimmed", "quality", "trimmed-quality"]
TEMPLATE_RULES: tuple[TemplateRule, ...] = ("mean", "trimmed", "quality", "trimmed-quality")

_OUTLIER = 0.30  # cosine to the mean of the person's other photographs
_KEEP = 0.70


def templates_of(
    embeddings: Embeddings,
    classes: NDArray[np.integer],
    count: int,
    quality: Sequence[float] | None = None,
    rule: TemplateRule = "mean",
) -> Embeddings:
    """(count, D) unit templates.

    Args:
        embeddings: (N, D) unit rows.
        classes: (N,) identity of each, every one of 0..count-1 at least once.
        quality: (N,) in [0, 1], for the rules that weigh by it.
        rule: `trimmed` leaves out photographs whose cosine to the person's others is below 0.30, keeping 70 %.
    """
    weights = np.ones(len(embeddings), np.float32)
    if "quality" in rule and quality is not None:
        weights = np.maximum(np.asarray(quality, np.float32), 0.05)
    rows = []
    for number in range(count):
        own = np.flatnonzero(classes == number)
        if "trimmed" in rule:
            own = own[_kept(embeddings[own])]
        rows.append((embeddings[own] * weights[own, None]).sum(axis=0))
    sums = np.stack(rows)
    return np.asarray(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12), np.float32)


def leave_one_out(embeddings: Embeddings) -> NDArray[np.float32]:
    """(n,) cosine of each of a person's n embeddings to the mean of the others; NaN for a single one."""
    if len(embeddings) < 2:
        return np.full(len(embeddings), np.nan, np.float32)
    others = embeddings.sum(axis=0) - embeddings
    norms = np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    return np.asarray((embeddings * others).sum(axis=1) / norms, np.float32)


def _kept(own: Embeddings) -> NDArray[np.int64]:
    if len(own) < 3:
        return np.arange(len(own))
    cosines = leave_one_out(own)
    order = np.argsort(-cosines, kind="stable")
    least = int(np.ceil(_KEEP * len(own)))
    good = int((cosines >= _OUTLIER).sum())
    return np.sort(order[: max(least, good)])
