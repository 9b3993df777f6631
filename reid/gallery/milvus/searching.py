"""The nearest people of a batch of probes, and the photograph of each that speaks for it. Knows no changes.

The server finds who can be among them; those few are compared again here, in float64, so that the answer depends
neither on the batch nor on how the server sums, and equal templates tie by id. With a `flat` index it is exact.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reid.gallery.matrix import Templates, cosines, nearest
from reid.gallery.milvus.link import MOST_ROWS, Link, Row, quoted
from reid.gallery.milvus.rows import identity_of, vector_of
from reid.gallery.milvus.schema import IDENTITIES, PHOTOS, SCALARS
from reid.types import Candidate, Embeddings

_SPARE = 8
"""Rows asked for beyond the k nearest: to see where the ties end."""
_ROWS_AT_ONCE = 8192
_PEOPLE_AT_ONCE = 200

_Hit = tuple[Row, float]


def candidates_of(link: Link, probes: Embeddings, k: int) -> list[list[Candidate]]:
    """As `Gallery.search`, for checked probes."""
    if k < 1 or not len(probes):
        return [[] for _ in probes]
    ranked: list[list[_Hit]] = []
    while len(ranked) < len(probes):
        part = probes[len(ranked) :][: max(1, _ROWS_AT_ONCE // (k + _SPARE))]
        ranked += _ranked(link, part, k)
    return _with_evidence(link, probes, ranked)


def _ranked(link: Link, probes: Embeddings, k: int) -> list[list[_Hit]]:
    """Rows of the k nearest people of each probe and their cosine."""
    limit = k + _SPARE
    open_probes = list(range(len(probes)))
    ranked: list[list[_Hit]] = [[] for _ in probes]
    while open_probes and limit <= MOST_ROWS:
        found = link.nearest(IDENTITIES, probes[open_probes], limit, [*SCALARS[IDENTITIES], "template"])
        left = []
        for probe, hits in zip(open_probes, found, strict=True):
            ranked[probe] = _compared([hit["entity"] for hit in hits], probes[probe], k)
            if len(hits) == limit and not _is_certain(ranked[probe], float(hits[-1]["distance"]), k, probes.shape[1]):
                left.append(probe)
        open_probes, limit = left, 4 * limit
    for probe in open_probes:  # more ties, or more people asked for, than one answer holds
        ranked[probe] = _among_all(link, probes[probe], k)
    return ranked


def _compared(rows: list[Row], probe: NDArray[np.float32], k: int) -> list[_Hit]:
    if not rows:
        return []
    similarities = cosines(np.stack([vector_of(row["template"]) for row in rows]), probe)
    order = sorted(range(len(rows)), key=lambda i: (-similarities[i], rows[i]["id"]))[:k]
    return [(rows[i], float(similarities[i])) for i in order]


def _is_certain(best: list[_Hit], last: float, k: int, dim: int) -> bool:
    """Whether nobody beyond the last answer can be of the k nearest: float32 sums err by D * 2^-24, on both sides."""
    return len(best) == k and best[-1][1] > last + 2 * dim * 2.0**-24


def _among_all(link: Link, probe: NDArray[np.float32], k: int) -> list[_Hit]:
    ids, rows = all_templates(link, len(probe))
    (best,) = nearest(probe[None], Templates(ids, rows), k)
    known = link.get(IDENTITIES, [ids[row] for row, _ in best])
    return [(known[ids[row]], similarity) for row, similarity in best]


def all_templates(link: Link, dim: int) -> tuple[list[str], Embeddings]:
    """Ids of all people and their (N, dim) templates."""
    ids: list[str] = []
    rows: list[NDArray[np.float32]] = []
    for row in link.each(IDENTITIES, 'id != ""', vector=True, fields=["id"]):
        ids.append(row["id"])
        rows.append(vector_of(row["template"]))
    return ids, np.stack(rows) if rows else np.empty((0, dim), np.float32)


def embeddings_of(link: Link, identity_ids: list[str]) -> Iterator[tuple[str, tuple[list[str], Embeddings]]]:
    """Ids, ascending, and (n, D) embeddings of each person's photographs; those without any are left out."""
    for start in range(0, len(identity_ids), _PEOPLE_AT_ONCE):
        some = identity_ids[start : start + _PEOPLE_AT_ONCE]
        own: dict[str, list[tuple[str, NDArray[np.float32]]]] = defaultdict(list)
        for row in link.each(PHOTOS, f"identity_id in {quoted(some)}", vector=True, fields=["id", "identity_id"]):
            own[row["identity_id"]].append((row["id"], vector_of(row["embedding"])))
        for identity_id in some:
            if photos := sorted(own.get(identity_id, []), key=lambda one: one[0]):
                yield identity_id, ([one[0] for one in photos], np.stack([one[1] for one in photos]))


def _with_evidence(link: Link, probes: Embeddings, ranked: list[list[_Hit]]) -> list[list[Candidate]]:
    chosen_by: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for probe, hits in enumerate(ranked):
        for place, (row, _) in enumerate(hits):
            chosen_by[row["id"]].append((probe, place))
    candidates: dict[tuple[int, int], Candidate] = {}
    for identity_id, (photo_ids, embeddings) in embeddings_of(link, list(chosen_by)):
        for probe, place in chosen_by[identity_id]:
            row, similarity = ranked[probe][place]
            similarities = cosines(embeddings, probes[probe])
            nearest_photo = int(np.argmax(similarities))  # the lower id where two tie
            candidates[probe, place] = Candidate(
                identity_of(row), similarity, photo_ids[nearest_photo], float(similarities[nearest_photo])
            )
    return [[candidates[probe, place] for place in range(len(hits))] for probe, hits in enumerate(ranked)]
