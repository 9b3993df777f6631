#!/usr/bin/env python3
"""What a gallery in Milvus answers and how fast, beside the SQLite gallery in the same run.

usage: benchmarks/milvus.py [--size 100000] [--dim 256] [--photos 1] [--probes 200] [--repeat 5]
                            [--address milvus://host:19530/empty-database]

Synthetic people, as in benchmarks/search.py, and probes near some of them; everybody of a probe's ten nearest counts:
    recall@10   share of the ten nearest people, by the exact float32 product, that were answered
    first       share of probes whose nearest person was answered first
    ms          median of one probe alone, and of a probe in a batch of 32
Without --address the engine is Milvus Lite in this process, with a flat index and with a graph (HNSW): what a server
would take is not what it shows. With --address the database must be empty; ?index=hnsw chooses the graph.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from search import fill, unit

from reid.gallery import open_gallery
from reid.gallery.base import Gallery
from reid.types import Embeddings

K = 10


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--photos", type=int, default=1, help="photographs a person")
    parser.add_argument("--probes", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--address", help="an empty database of a Milvus server, instead of Milvus Lite")
    args = parser.parse_args()
    print(f"{args.size:,} people, {args.dim}-D, {args.photos} photographs each, {os.cpu_count()} cores")
    print(f"{'gallery':>12}{'enrolled/s':>12}{'recall@10':>11}{'first':>8}{'ms alone':>10}{'ms in 32':>10}")
    for name, address in _addresses(args.address):
        with address() as url:
            began = time.perf_counter()
            with closing(open_gallery(url, space_id="synthetic", dim=args.dim)) as gallery:
                people = fill(gallery, args.size, args.dim, args.photos)
            rate = args.size / (time.perf_counter() - began)
            # opened again, so that Milvus Lite searches its indexed files and not what it has yet to write there
            with closing(open_gallery(url, space_id="synthetic", dim=args.dim)) as gallery:
                probes, truth = _probes(gallery, people, args.probes)
                recall, first = _found(gallery, probes, truth)
                alone, batch = _time(gallery, probes[:1], args.repeat), _time(gallery, probes[:32], args.repeat)
            print(f"{name:>12}{rate:>12,.0f}{recall:>11.4f}{first:>8.3f}{alone:>10.1f}{batch / 32:>10.1f}", flush=True)


def _addresses(given: str | None) -> Iterator[tuple[str, Callable[[], object]]]:
    @contextmanager
    def fresh(pattern: str) -> Iterator[str]:
        with tempfile.TemporaryDirectory() as folder:
            yield pattern.format(Path(folder) / "gallery.db")

    @contextmanager
    def server() -> Iterator[str]:
        yield given or ""

    yield "sqlite", lambda: fresh("{}")
    if given:
        yield "server", server
    else:
        yield "milvus flat", lambda: fresh("milvus:{}")
        yield "milvus hnsw", lambda: fresh("milvus:{}?index=hnsw")


def _probes(gallery: Gallery, people: Embeddings, count: int) -> tuple[Embeddings, list[list[str]]]:
    """(count, D) another look of some people, and the ids of the ten nearest templates of each, the nearest first."""
    rng = np.random.default_rng(1)
    chosen = people[rng.choice(len(people), count)]
    probes = unit(chosen + 0.03 * rng.normal(size=chosen.shape))
    ids, templates = gallery.templates()
    order = np.argsort(-(probes @ templates.T), axis=1)[:, :K]
    return probes, [[ids[row] for row in best] for best in order]


def _found(gallery: Gallery, probes: Embeddings, truth: list[list[str]]) -> tuple[float, float]:
    answers = [[one.identity.id for one in found] for found in gallery.search(probes, K)]
    hits = sum(len(set(found) & set(best)) for found, best in zip(answers, truth, strict=True))
    first = sum(found[:1] == best[:1] for found, best in zip(answers, truth, strict=True))
    return hits / (K * len(probes)), first / len(probes)


def _time(gallery: Gallery, probes: Embeddings, repeat: int) -> float:
    """Median milliseconds of one search."""
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        gallery.search(probes, K)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken)) * 1e3


if __name__ == "__main__":
    main()
