"""Small photographs for the gallery's tests, and what a search must answer in one plain formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from reid.types import KeptFace, Photo, Quality

SPACE = "toy:1"
NOW = datetime.now(UTC).replace(microsecond=0)
DIM = 16


def unit(seed: int, dim: int = DIM) -> NDArray[np.float32]:
    """(dim,) the same random direction for the same seed."""
    vector = np.random.default_rng(seed).normal(size=dim)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def photo(
    photo_id: str,
    identity_id: str,
    name: str | None = None,
    *,
    embedding: NDArray[np.float32] | None = None,
    quality: float = 0.5,
    crop: bytes = b"jpeg",
    source: str = "holiday.jpg",
    added_at: str = "2026-01-02T03:04:05+00:00",
) -> Photo:
    """A photograph whose embedding, unless given, is a direction of its own."""
    return Photo(
        id=photo_id,
        identity_id=identity_id,
        identity_name=name or f"Name of {identity_id}",
        crop_jpeg=crop,
        landmarks_px=np.arange(10, dtype=np.float32).reshape(5, 2),
        embedding=unit(int.from_bytes(photo_id.encode(), "big") % 2**32) if embedding is None else embedding,
        quality=quality,
        source=source,
        added_at=added_at,
    )


def brute_force(
    people: Mapping[str, Sequence[NDArray[np.float32]]], probe: NDArray[np.float32]
) -> list[tuple[str, float]]:
    """Every identity and its cosine, nearest first, ties by id: cos(probe, sum of the photographs' vectors)."""
    answers = []
    for identity_id, embeddings in people.items():
        total = np.sum(np.asarray(embeddings, np.float64), axis=0)
        answers.append((identity_id, float(total @ probe.astype(np.float64) / np.sqrt(total @ total))))
    return sorted(answers, key=lambda answer: (-np.float32(answer[1]), answer[0]))


def kept(face_id: str, *, seen_days_ago: float = 0, days: int = 30, crop: bytes = b"jpeg") -> KeptFace:
    """A stranger's face that was seen some days ago and is kept for some days from then."""
    seen = NOW - timedelta(days=seen_days_ago)
    return KeptFace(
        id=face_id,
        crop_jpeg=crop,
        landmarks_px=np.arange(10, dtype=np.float32).reshape(5, 2),
        embedding=unit(int.from_bytes(face_id.encode(), "big") % 2**32),
        quality=Quality(40.5, 0.25, -12.0, 0.75, 0.5),
        box_px=(10.0, 20.0, 110.5, 140.0),
        source="gate.jpg",
        sha256="ab" * 32,
        seen_at=seen.isoformat(timespec="seconds"),
        expires_at=(seen + timedelta(days=days)).isoformat(timespec="seconds"),
    )
