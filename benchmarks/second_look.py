#!/usr/bin/env python3
"""How long it takes to look through a whole gallery for pairs that may be one person and for odd photographs.

usage: benchmarks/second_look.py [--people 10000] [--photos 5] [--dim 256]

Synthetic unit vectors in a SQLite gallery, fifty people enrolled twice; seconds, the best of three, and the most memory
that NumPy and Python held beside the gallery. `product` is the bare float32 matrix product of all pairs, unbounded.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from reid.duplicates import outliers_of, pairs_of
from reid.gallery import open_gallery
from reid.types import Embeddings, Photo

TWICE = 50
THRESHOLD = 0.467


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--photos", type=int, default=5)
    parser.add_argument("--dim", type=int, default=256)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    people = _unit(rng.normal(size=(args.people, args.dim)))
    people[-TWICE:] = people[:TWICE]
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(open_gallery(str(Path(folder) / "g.db"), space_id="synthetic", dim=args.dim)) as gallery,
    ):
        for start in range(0, args.people, 1000):
            gallery.add([
                _photo(who, number, vector)
                for who in range(start, min(start + 1000, args.people))
                for number, vector in enumerate(_near(rng, people[who], args.photos))
            ])  # fmt: skip
        _, rows = gallery.templates()
        print(f"{args.people:,} people, {args.photos} photographs each, {args.dim}-D, {os.cpu_count()} cores")
        seconds, memory, _ = _measured(lambda: rows @ rows.T)
        print(f"product    {seconds:6.2f} s  {memory:6.0f} MB")
        seconds, memory, pairs = _measured(lambda: pairs_of(gallery, THRESHOLD))
        print(f"duplicates {seconds:6.2f} s  {memory:6.0f} MB  {pairs.total} pairs")
        seconds, memory, odd = _measured(lambda: outliers_of(gallery, THRESHOLD))
        print(f"outliers   {seconds:6.2f} s  {memory:6.0f} MB  {len(odd)} photographs")


def _measured(work: Callable[[], object]) -> tuple[float, float, object]:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return min(times), most, found


def _unit(rows: Embeddings) -> Embeddings:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def _near(rng: np.random.Generator, vector: Embeddings, count: int) -> Embeddings:
    """Photographs of one person: 0.7 alike, as LFW's are in the default space."""
    return _unit(vector + rng.normal(scale=0.65 / np.sqrt(len(vector)), size=(count, len(vector))))


def _photo(who: int, number: int, vector: Embeddings) -> Photo:
    return Photo(
        id=f"{who}-{number}",
        identity_id=str(who),
        identity_name=f"Person {who}",
        crop_jpeg=bytes(8000),
        landmarks_px=np.zeros((5, 2), np.float32),
        embedding=vector,
        quality=0.5,
        source="synthetic",
        added_at="2026-01-01T00:00:00+00:00",
    )


if __name__ == "__main__":
    main()
