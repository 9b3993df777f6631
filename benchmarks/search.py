#!/usr/bin/env python3
"""How long an exact search takes, beside what the memory and the bare matrix product allow.

usage: benchmarks/search.py [--sizes 1000 100000] [--dim 256] [--photos 3] [--repeat 15]

The peers are in requirements-bench.txt. Synthetic unit vectors; medians of interleaved repetitions in milliseconds:
    memory    reading the templates once, on all cores: no search that looks at every template is faster
    product   the bare float32 matrix product of NumPy, without ranking
    argsort   product and a full sort: what a plain script does
    faiss     IndexFlatIP, exact, float32
    usearch   its exact search, float32
    nearest   ours without storage
    gallery   ours as used: the SQLite gallery with names and the best photograph of each of the 5 candidates
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
from results import keep
from usearch.index import MetricKind
from usearch.index import search as usearch

from reid.gallery import open_gallery
from reid.gallery.base import Gallery
from reid.gallery.matrix import Templates, nearest
from reid.types import Embeddings, Photo

K = 5


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--photos", type=int, default=3, help="photographs a person")
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--gallery-up-to", type=int, default=100_000, help="templates; a file of more takes gigabytes")
    args = parser.parse_args()
    names = ("memory", "product", "argsort", "faiss", "usearch", "nearest", "gallery")
    print(f"{args.dim}-D, {args.photos} photographs a person, {os.cpu_count()} cores, k = {K}, milliseconds")
    print(f"{'templates':>10}{'probes':>8}" + "".join(f"{name:>10}" for name in names))
    rows = []
    for size in args.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "gallery.db")
            with closing(open_gallery(path, space_id="synthetic", dim=args.dim)) as gallery:
                if stored := size <= args.gallery_up_to:
                    people = fill(gallery, size, args.dim, args.photos)
                else:
                    people = unit(np.random.default_rng(0).normal(size=(size, args.dim)))
                for count in (1, 32):
                    medians = measure(contenders(gallery if stored else None, people, count), args.repeat)
                    shown = (f"{medians[name] * 1e3:.2f}" if name in medians else "-" for name in names)
                    print(f"{size:>10,}{count:>8}" + "".join(f"{one:>10}" for one in shown))
                    rows.append({"templates": size, "probes": count, "ms": {k: v * 1e3 for k, v in medians.items()}})
    keep("search", rows)


def fill(gallery: Gallery, size: int, dim: int, photos: int) -> Embeddings:
    """Enrols `size` people and returns their (size, dim) directions; each photograph lies near its person's."""
    rng = np.random.default_rng(0)
    people = unit(rng.normal(size=(size, dim)))
    for start in range(0, size, 5_000):
        batch = []
        for n in range(start, min(size, start + 5_000)):
            for m, row in enumerate(unit(people[n] + 0.02 * rng.normal(size=(photos, dim)))):
                landmarks = np.zeros((5, 2), np.float32)
                batch.append(Photo(f"{n}-{m}", f"{n:07}", f"Person {n}", b"jpeg" * 1500, landmarks, row, 1.0, "", ""))
        gallery.add(batch)
    return people


def unit(rows: np.ndarray) -> Embeddings:
    """(N, D) rows of length 1."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def contenders(gallery: Gallery | None, people: Embeddings, count: int) -> dict[str, Callable[[], object]]:
    """What is compared, by name."""
    probes = people[:: max(1, len(people) // count)][:count].copy()
    templates = Templates([f"{n:07}" for n in range(len(people))], people)
    parts = np.array_split(people, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(len(parts))
    flat = faiss.IndexFlatIP(people.shape[1])
    flat.add(people)
    return {
        "memory": lambda: list(pool.map(np.max, parts)),
        "product": lambda: probes @ people.T,
        "argsort": lambda: np.argsort(-(probes @ people.T), axis=1)[:, :K],
        "faiss": lambda: flat.search(probes, K),
        "usearch": lambda: usearch(people, probes, K, MetricKind.IP, exact=True),
        "nearest": lambda: nearest(probes, templates, K),
    } | ({"gallery": lambda: gallery.search(probes, K)} if gallery else {})


def measure(contenders: dict[str, Callable[[], object]], repeat: int) -> dict[str, float]:
    """Median seconds of each, interleaved so that a busy moment of the machine meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run()  # warm: caches, the gallery's matrix
    for _ in range(repeat):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(taken)) for name, taken in times.items()}


if __name__ == "__main__":
    main()
