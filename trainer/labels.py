"""Which of the user's own labels are probably wrong: one face under two names, or a stranger in a person's folder.

Knows embeddings and labels. LFW itself has such photographs, and a single one can decide a comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reid.types import Embeddings
from trainer.templates import leave_one_out, templates_of


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One photograph to look at.

    Attributes:
        kind: `two-names`: it is nearer to a photograph of somebody else than people ever are; `other-face`: it is
            nearer to somebody else's template than to its own person's.
        image_path: the photograph, and whom it is listed under.
        other_path: the photograph that it is nearest to among those of `other_label`.
        similarity: cosine to that other photograph (`two-names`) or template (`other-face`).
        own_similarity: cosine to the mean of its own person's other photographs; NaN for a single one.
    """

    kind: Literal["two-names", "other-face"]
    image_path: str
    label: str
    other_path: str
    other_label: str
    similarity: float
    own_similarity: float


def suspicious_labels(
    embeddings: Embeddings,
    classes: NDArray[np.integer],
    image_paths: Sequence[str],
    labels: Sequence[str],
    most: int = 20,
) -> list[Suspicion]:
    """The likeliest errors, worst first, at most `most` of each kind.

    Args:
        embeddings: (N, D) unit rows of the photographs.
        classes: (N,) number of the person each is listed under.
        labels: name of each person, by number.
    """
    if len(labels) < 2:
        return []
    own = np.full(len(embeddings), np.nan, np.float32)
    for number in range(len(labels)):
        rows = np.flatnonzero(classes == number)
        own[rows] = leave_one_out(embeddings[rows])
    return [
        *_other_faces(embeddings, classes, image_paths, labels, own)[:most],
        *_two_names(embeddings, classes, image_paths, labels, own)[:most],
    ]


def _other_faces(
    embeddings: Embeddings, classes: NDArray[np.integer], paths: Sequence[str], labels: Sequence[str],
    own: NDArray[np.float32],
) -> list[Suspicion]:  # fmt: skip
    cosines = embeddings @ templates_of(embeddings, classes, len(labels)).T
    cosines[np.arange(len(embeddings)), classes] = -2
    best = cosines.argmax(axis=1)
    nearest = cosines.max(axis=1)
    wrong = [i for i in np.flatnonzero(nearest > own) if not np.isnan(own[i])]
    found = []
    for i in sorted(wrong, key=lambda i: float(own[i] - nearest[i])):
        rows = np.flatnonzero(classes == best[i])
        other = int(rows[np.argmax(embeddings[rows] @ embeddings[i])])
        own_label, other_label = labels[int(classes[i])], labels[int(best[i])]
        similarities = float(nearest[i]), float(own[i])
        found.append(Suspicion("other-face", paths[int(i)], own_label, paths[other], other_label, *similarities))
    return found


def _two_names(
    embeddings: Embeddings, classes: NDArray[np.integer], paths: Sequence[str], labels: Sequence[str],
    own: NDArray[np.float32],
) -> list[Suspicion]:  # fmt: skip
    """Pairs across people that are as alike as the middle one of the pairs within people."""
    cosines = embeddings @ embeddings.T
    same = classes[:, None] == classes[None]
    upper = np.triu(np.ones_like(same), 1).astype(bool)
    within = cosines[same & upper]
    limit = float(np.median(within)) if len(within) else 0.9
    rows, columns = np.nonzero(~same & upper & (cosines >= limit))
    order = np.argsort(-cosines[rows, columns], kind="stable")
    found = []
    for i, j in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        own_label, other_label = labels[int(classes[i])], labels[int(classes[j])]
        similarities = float(cosines[i, j]), float(own[i])
        found.append(Suspicion("two-names", paths[i], own_label, paths[j], other_label, *similarities))
    return found
