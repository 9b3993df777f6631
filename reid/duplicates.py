"""What in a gallery deserves a second look: pairs that may be one person, photographs that may be another's.

Knows vectors and the gallery that holds them, no page. Exact, in bounded memory, and asked once for each state of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from reid.gallery.base import Gallery
from reid.gallery.vouching import vouched
from reid.types import Embeddings

MOST_PAIRS = 1000
"""Pairs that are named, the most alike; the others are counted."""
ALIKE = 0.4
"""Cosine below which two photographs are taken for two people, where the threshold is not lower still: two photographs
differ more than a photograph and the mean of several."""

_SIMILARITIES_AT_ONCE = 8 * 2**20
_PEOPLE_AT_ONCE = 512
_FEW = 3  # of two photographs neither can be called the odd one


@dataclass(frozen=True, slots=True)
class Pair:
    """Two identities that are alike at the threshold, the lower id first."""

    first_id: str
    second_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs at or above a threshold: how many, and the most alike of them, descending."""

    total: int
    nearest: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Outlier:
    """A photograph that resembles none of the others of its person.

    Attributes:
        similarity: cosine to the nearest of the others.
    """

    identity_id: str
    photo_id: str
    similarity: float


def pairs_of(gallery: Gallery, threshold: float) -> Pairs:
    """Pairs of people whose templates reach the threshold, those that are said to be two people among them.

    In a large gallery many pairs reach by chance a threshold that was chosen for one search: the nearest come first.
    """
    return _alike(*gallery.templates(), threshold)


def unanswered(pairs: Pairs, gallery: Gallery) -> Pairs:
    """Without those of whom somebody said that they are two people."""
    apart = gallery.apart()
    kept = tuple(pair for pair in pairs.nearest if (pair.first_id, pair.second_id) not in apart)
    return Pairs(pairs.total - len(pairs.nearest) + len(kept), kept)


def _alike(ids: Sequence[str], rows: Embeddings, threshold: float) -> Pairs:
    """Every pair of rows at or above the threshold, a block of the matrix product at a time.

    A float32 product finds who can be among them; those are compared again in float64, as a search does.
    """
    slack = 2 * rows.shape[1] * 2.0**-24 if len(rows) else 0.0
    total, best = 0, list[Pair]()
    start = 0
    while start < len(rows):
        end = min(len(rows), start + max(1, _SIMILARITIES_AT_ONCE // (len(rows) - start)))
        coarse = rows[start:end] @ rows[start:].T  # (end - start, N - start)
        first, second = np.nonzero(np.triu(coarse >= threshold - slack, 1))
        if len(first):
            exact = _exact(rows, first + start, second + start)
            reach = np.flatnonzero(exact >= np.float32(threshold))
            total += len(reach)
            top = reach[np.argsort(-exact[reach], kind="stable")[:MOST_PAIRS]]
            best += [_pair(ids[first[i] + start], ids[second[i] + start], float(exact[i])) for i in top]
            best = sorted(best, key=lambda pair: (-pair.similarity, pair.first_id, pair.second_id))[:MOST_PAIRS]
        start = end
    return Pairs(total, tuple(best))


def _exact(rows: Embeddings, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float32]:
    """(M,) cosines of M pairs of rows, summed in float64; a part at a time, as M may be large."""
    step = max(1, _SIMILARITIES_AT_ONCE // rows.shape[1])
    parts = [
        np.einsum("md,md->m", rows[first[i : i + step]].astype(np.float64), rows[second[i : i + step]])
        for i in range(0, len(first), step)
    ]
    return np.asarray(np.clip(np.concatenate(parts), -1, 1), np.float32)


def _pair(one: str, other: str, similarity: float) -> Pair:
    first_id, second_id = sorted((one, other))
    return Pair(first_id, second_id, similarity)


def odd_ones(photo_ids: Sequence[str], embeddings: Embeddings, threshold: float) -> dict[str, float]:
    """Photographs of one person that resemble none of the others, of three or more, with their nearest similarity."""
    if len(photo_ids) < _FEW:
        return {}
    similarities = embeddings @ embeddings.T
    np.fill_diagonal(similarities, -2)  # nobody is their own evidence
    best = similarities.max(1)
    limit = min(threshold, ALIKE)
    return {photo: float(value) for photo, value in zip(photo_ids, best, strict=True) if value < limit}


def outliers_of(gallery: Gallery, threshold: float) -> tuple[Outlier, ...]:
    """The odd photographs of everybody, the least alike first; some hundred people at a time are in memory."""
    people = [one.id for one in gallery.identities() if one.photo_count >= _FEW]
    found: list[Outlier] = []
    for start in range(0, len(people), _PEOPLE_AT_ONCE):
        for identity_id, (ids, rows) in gallery.embeddings(people[start : start + _PEOPLE_AT_ONCE]).items():
            odd = odd_ones(ids, rows, threshold)
            found += [Outlier(identity_id, photo_id, value) for photo_id, value in odd.items()]
    return tuple(sorted(found, key=lambda one: (one.similarity, one.photo_id)))


def unvouched(odd: Sequence[Outlier], gallery: Gallery) -> tuple[Outlier, ...]:
    """Without those of whom somebody said that they show their person after all."""
    said = vouched(gallery)
    return tuple(one for one in odd if (one.photo_id, one.identity_id) not in said)


Found = TypeVar("Found")


class Remembered(Generic[Found]):
    """An answer about a gallery, asked again when its vectors or the threshold changed. Safe for several threads."""

    def __init__(self, ask: Callable[[Gallery, float], Found]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._key: object = None
        self._found: Found | None = None

    def get(self, gallery: Gallery, threshold: float) -> Found:
        """The answer, which may take a while."""
        with self._lock:
            key = self._state(gallery, threshold)
            if self._found is None or key != self._key:
                self._key, self._found = key, self._ask(gallery, threshold)
            return self._found

    def known(self, gallery: Gallery, threshold: float) -> Found | None:
        """The answer where it is there; None where somebody must ask."""
        return self._found if self._key == self._state(gallery, threshold) else None

    @staticmethod
    def _state(gallery: Gallery, threshold: float) -> object:
        return gallery.url, gallery.revision(), threshold
