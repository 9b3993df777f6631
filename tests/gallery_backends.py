"""Which backends the contract suite of the galleries runs on. A backend joins with one line in BACKENDS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gallery_records import DIM, SPACE, brute_force

from reid.gallery import Gallery, open_gallery
from reid.gallery.sqlite import SqliteGallery, open_url
from reid.types import Candidate, Embeddings, Photo


def _milvus(folder: Path) -> str:
    """A file of Milvus Lite, the real engine as far as one machine has it."""
    pytest.importorskip("pymilvus", reason="the extra [milvus] is not installed")
    return f"milvus:{folder / 'gallery.db'}"


BACKENDS: dict[str, Callable[[Path], str]] = {
    "milvus": _milvus,
    "sqlite": lambda folder: str(folder / "gallery.db"),
}

SLOW = {"milvus"}
"""Those that get fewer of the random examples: a request goes through a server."""


def opened(url: str) -> Gallery:
    """The gallery there, made where there is none."""
    return open_gallery(url, space_id=SPACE, dim=DIM)


def opened_sqlite(path: Path, *, read_only: bool = False) -> SqliteGallery:
    """The same of the one backend that can be opened for reading only."""
    return open_url(str(path), space_id=SPACE, dim=DIM, description="{}", create=not read_only, read_only=read_only)


def people_of(gallery: Gallery) -> dict[str, list[str]]:
    return {who.id: [one.id for one in gallery.photos(who.id)] for who in gallery.identities()}


def check_candidate(candidate: Candidate, photos: list[Photo], probe: Embeddings, similarity: float) -> None:
    assert candidate.similarity == pytest.approx(similarity, abs=1e-6)
    cosines = {one.id: float(one.embedding.astype(np.float64) @ probe) for one in photos}
    assert candidate.photo_similarity == pytest.approx(max(cosines.values()), abs=1e-6)
    assert candidate.photo_id is not None
    assert cosines[candidate.photo_id] == pytest.approx(max(cosines.values()), abs=1e-6)
    assert candidate.identity.photo_count == len(photos)


def check_search(gallery: Gallery, people: dict[str, list[Photo]], probes: Embeddings, k: int) -> None:
    """A search answers what the plain formula says."""
    embeddings = {who: [one.embedding for one in photos] for who, photos in people.items()}
    answers = gallery.search(probes, k)
    assert len(answers) == len(probes)
    for probe, candidates in zip(probes, answers, strict=True):
        expected = brute_force(embeddings, probe)
        similarities = dict(expected)
        assert [candidate.similarity for candidate in candidates] == pytest.approx(
            [similarity for _, similarity in expected[:k]], abs=1e-6
        )
        assert len({candidate.identity.id for candidate in candidates}) == len(candidates), "each identity once"
        for candidate in candidates:
            check_candidate(candidate, people[candidate.identity.id], probe, similarities[candidate.identity.id])
