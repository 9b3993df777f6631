"""How alike one person's photographs are: each against the template of the others. Knows a gallery, no page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.audit.writing import within
from reid.gallery.base import Gallery

_ENOUGH = 4000


def mated_similarities(gallery: Gallery, enough: int = _ENOUGH) -> NDArray[np.float32]:
    """Cosine of each enrolled photograph and the template of the same person's other photographs.

    People with a single photograph say nothing. Of a large gallery people are taken at even steps through the list
    until about `enough` photographs are counted.

    Returns:
        (N,) in [-1, 1]; N may be 0.
    """
    people = [identity for identity in gallery.identities() if identity.photo_count > 1]
    total = sum(identity.photo_count for identity in people)
    step = max(1, round(total / enough))
    found = [_of_one(rows) for _, rows in gallery.embeddings([one.id for one in people[::step]]).values()]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class OwnSearches:
    """Searches of a gallery by its own photographs, each with its own person's template made without it.

    Attributes:
        right: (K,) similarity to the own person, of the searches in which that person came first.
        right_people: (K,) id of the person.
        wrong: (M,) best similarity to anybody else.
        wrong_people: (M,) id of the person.
        first: share of the searches of people with several photographs in which their own template came first; 1
            without any.
    """

    right: NDArray[np.float32]
    right_people: tuple[str, ...]
    wrong: NDArray[np.float32]
    wrong_people: tuple[str, ...]
    first: float


def own_searches(gallery: Gallery, enough: int = _ENOUGH) -> OwnSearches:
    """Searches the gallery with about `enough` of its own photographs, of people at even steps through the list."""
    people = gallery.identities()
    step = max(1, round(sum(identity.photo_count for identity in people) / enough))
    right: list[float] = []
    wrong: list[float] = []
    right_people: list[str] = []
    wrong_people: list[str] = []
    mated = 0
    for identity in people[::step]:
        held = gallery.embeddings([identity.id]).get(identity.id)
        if held is None:  # this gallery keeps none
            continue
        _, embeddings = held
        with within():  # nobody is looked for: the gallery is measured
            found = gallery.search(embeddings, 2)
        others = [next((one.similarity for one in two if one.identity.id != identity.id), None) for two in found]
        own = _of_one(embeddings) if len(embeddings) > 1 else np.full(1, np.nan, np.float32)
        for to_own, to_other in zip(own.tolist(), others, strict=True):
            if to_other is not None:
                wrong.append(to_other)
                wrong_people.append(identity.id)
            if len(embeddings) > 1:
                mated += 1
                if to_other is None or to_own > to_other:
                    right.append(to_own)
                    right_people.append(identity.id)
    return OwnSearches(
        np.asarray(right, np.float32),
        tuple(right_people),
        np.asarray(wrong, np.float32),
        tuple(wrong_people),
        len(right) / mated if mated else 1.0,
    )


def _of_one(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, D) photographs of one person -> (n,): e_i . (S - e_i) / |S - e_i| with S the sum of all."""
    rest = embeddings.sum(0) - embeddings
    norms = np.maximum(np.linalg.norm(rest, axis=1), 1e-9)
    return np.asarray((embeddings * rest).sum(1) / norms, np.float32)
