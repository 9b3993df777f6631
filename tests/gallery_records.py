"""For the gallery's tests: small photographs, a search's answer in a plain formula, the first version's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reid.gallery import open_gallery
from reid.types import KeptFace, Photo, Quality, Rejection

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


VERSION_1 = """
    PRAGMA application_id = 1113146945;
    CREATE TABLE _sqlite_migrations (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT);
    CREATE UNIQUE INDEX idx__sqlite_migrations_migration_set_name ON _sqlite_migrations (migration_set, name);
    INSERT INTO _sqlite_migrations VALUES (1, 'byteface-gallery', '0001_gallery', '2026-01-01 00:00:00+00:00');
    CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
    CREATE TABLE identities (
        id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL,
        photo_count INTEGER NOT NULL, cover_photo_id TEXT, revision INTEGER NOT NULL,
        metadata TEXT NOT NULL DEFAULT '{}', template BLOB NOT NULL);
    CREATE INDEX identities_revision ON identities (revision);
    CREATE TABLE photos (
        id TEXT PRIMARY KEY NOT NULL, identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
        quality REAL NOT NULL, source TEXT NOT NULL, added_at TEXT NOT NULL,
        landmarks BLOB NOT NULL, embedding BLOB NOT NULL, crop_jpeg BLOB NOT NULL);
    CREATE INDEX photos_identity_id ON photos (identity_id);
    INSERT INTO meta VALUES ('revision', '1'), ('space_id', 'toy:1'), ('space_dim', '16'), ('space', '{}');
"""


def make_version_1(path: Path) -> None:
    """As the first released version left it, written out: this test must not follow later changes of the code."""
    vector = unit(1).tobytes()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)
        who = ("ann", "Ann", "2026-01-01T00:00:00+00:00", 1, "p1", 1, '{"note": "VIP"}', vector)
        connection.execute("INSERT INTO identities VALUES (?, ?, ?, ?, ?, ?, ?, ?)", who)
        one = ("p1", "ann", 0.5, "a.jpg", "2026-01-01T00:00:00+00:00", bytes(40), vector, b"jpeg")
        connection.execute("INSERT INTO photos VALUES (?, ?, ?, ?, ?, ?, ?, ?)", one)
        connection.commit()


def make_full(file: Path) -> None:
    """A gallery with everything that one can hold."""
    with closing(open_gallery(str(file), space_id=SPACE, dim=DIM)) as gallery:
        gallery.add(
            [
                photo(f"p{n}", f"i{n % 4}", f"Per\u00e9 {n % 4}", quality=0.1 * n, crop=bytes([n]) * 900)
                for n in range(12)
            ]
        )
        gallery.edit("i1", metadata={"consent": "Agreement", "Staff no.": "7"}, cover_photo_id="p1")
        gallery.reject(Rejection("r1", "i2", "gate.jpg", "2026-02-03T00:00:00+00:00", unit(77)))
        gallery.set_meta("calibration", '{"value": 0.4}')
        gallery.set_meta("unknowns", '{"on": true, "days": 7}')
        gallery.unknowns.keep([kept("f1"), kept("f2", seen_days_ago=3)])
        gallery.unknowns.ignore(["f2"])
        gallery.set_apart("i1", "i3")
        gallery.remove_photos(["p11"])
