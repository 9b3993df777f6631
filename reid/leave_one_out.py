"""How alike one person's photographs are: each against the template of the others. Knows a gallery, no page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    found = [_of_one(np.stack([photo.embedding for photo in gallery.photos(one.id)])) for one in people[::step]]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def _of_one(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, D) photographs of one person -> (n,): e_i . (S - e_i) / |S - e_i| with S the sum of all."""
    rest = embeddings.sum(0) - embeddings
    norms = np.maximum(np.linalg.norm(rest, axis=1), 1e-9)
    return np.asarray((embeddings * rest).sum(1) / norms, np.float32)
