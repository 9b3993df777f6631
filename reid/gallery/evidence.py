"""The nearest rows of templates as people of a SQLite gallery, each with the photograph that speaks for them.

Knows the gallery's tables, not how the nearest were found.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from sqlite_utils import Database

from reid.gallery import rows
from reid.gallery.matrix import Templates, cosines
from reid.types import Candidate, Embeddings


def with_evidence(
    db: Database, probes: Embeddings, templates: Templates, best: list[list[tuple[int, float]]]
) -> list[list[Candidate]]:
    """Names the nearest rows of each probe; one chosen identity's photographs at a time are in memory.

    Args:
        probes: (Q, D) unit rows.
        best: of each probe, rows of `templates` and their cosines, descending.
    """
    chosen_by: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for probe, ranked in enumerate(best):
        for row, similarity in ranked:
            chosen_by[row].append((probe, similarity))
    candidates: dict[tuple[int, int], Candidate] = {}
    for row, searches in chosen_by.items():
        identity = rows.identity_of(db, templates.ids[row])
        photo_ids, embeddings = rows.embeddings_of(db, identity.id, probes.shape[1])
        for probe, similarity in searches:
            similarities = cosines(embeddings, probes[probe])
            nearest_photo = int(np.argmax(similarities))  # the lower id where two tie
            candidates[probe, row] = Candidate(
                identity, similarity, photo_ids[nearest_photo], float(similarities[nearest_photo])
            )
    return [[candidates[probe, row] for row, _ in ranked] for probe, ranked in enumerate(best)]
