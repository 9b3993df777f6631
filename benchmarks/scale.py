#!/usr/bin/env python3
"""What a gallery of up to 100 million people would take: measured here on little, the rest arithmetic from it.

usage: benchmarks/scale.py --lfw-dev DIR [--space auto] [--size 200000] [--repeat 5]

Prints Markdown, the tables of docs/scale.md. Measured in this run: faces described a second, bytes of a photograph in a
gallery's file, templates compared a second, the share of strangers' comparisons above each similarity, and the share
of searches by enrolled people whose similarity to themselves reaches it. Strangers are one photograph each of the
people of unknown_val.csv and unlabelled.csv, against the templates of trainset.csv and against each other; enrolled
people's searches are those of probes_val.csv. What lies beyond the measured shares is marked.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from search import unit

from reid.describe import Describer
from reid.gallery import open_gallery
from reid.gallery.checks import template_of
from reid.gallery.matrix import Templates, nearest
from reid.images import encode_jpeg
from reid.recognizer import Recognizer, Sample
from reid.settings import Settings
from reid.types import STRANGER, Template

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
FPIR = 0.01
RATES = (1e-2, 1e-3, 1e-4, 1e-5)
FEWEST = 10
"""Comparisons above a similarity that a measured share must rest on; below, the tail's slope is continued."""


@dataclass(frozen=True)
class Faces:
    """Described photographs of one table, in order, and how long that took."""

    labels: list[str]
    templates: list[Template]
    seconds: float


@dataclass(frozen=True)
class Speed:
    """Templates compared a second: one probe alone, and a probe of a batch of 32; and the bytes read a second."""

    alone: float
    batch: float
    bytes_read: float


def main() -> None:
    """Prints the tables."""
    args = _arguments()
    settings = Settings.from_env({"BYTEFACE_SPACE": args.space, **os.environ})
    describer = Describer.load(settings)
    enrolled = describe(describer, args.lfw_dev, "trainset.csv")
    probes = describe(describer, args.lfw_dev, "probes_val.csv")
    strangers = describe(describer, args.lfw_dev, "unknown_val.csv", "unlabelled.csv")
    impostors, genuine, comparisons = scores(enrolled, strangers, probes)
    bytes_a_photo = stored(describer, enrolled)
    speed = compare(args.size, describer.space.dim, args.repeat)
    total = sum(len(one.templates) for one in (enrolled, probes, strangers))
    seconds = sum(one.seconds for one in (enrolled, probes, strangers))
    print(f"{describer.space.name}, {describer.space.dim} numbers a template, {os.cpu_count()} cores\n")
    print_inputs(total / seconds, bytes_a_photo, speed, args.size, describer.space.dim)
    print_thresholds(impostors, genuine, comparisons)
    print_sizes(describer.space.dim, total / seconds, bytes_a_photo, speed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lfw-dev", type=Path, required=True)
    parser.add_argument("--space", default="auto")
    parser.add_argument("--size", type=int, default=200_000, help="templates of the speed's measurement")
    parser.add_argument("--repeat", type=int, default=5)
    return parser.parse_args()


def describe(describer: Describer, folder: Path, *tables: str) -> Faces:
    """The middle face of every photograph; of strangers one photograph a person."""
    rows = pd.concat([pd.read_csv(folder / table) for table in tables])
    if "unknown_val.csv" in tables:
        rows["gt"] = rows["image_path"].str.split("/").str[0]
        rows = rows.drop_duplicates("gt")
    elif "probes_val.csv" in tables:
        rows = rows[rows["gt"] != STRANGER]
    began = time.perf_counter()
    found = list(describer.describe_files(((folder / "images" / one, one) for one in rows["image_path"]), "central"))
    usable = [(label, one.templates[0]) for label, one in zip(rows["gt"], found, strict=True) if one.templates]
    return Faces([label for label, _ in usable], [one for _, one in usable], time.perf_counter() - began)


def scores(enrolled: Faces, strangers: Faces, probes: Faces) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """Strangers' highest similarities, descending; probes' similarities to their own person; comparisons made."""
    people: dict[str, list[NDArray[np.float32]]] = {}
    for label, one in zip(enrolled.labels, enrolled.templates, strict=True):
        people.setdefault(label, []).append(one.embedding)
    known = {label: template_of(np.stack(rows)) for label, rows in people.items()}
    rows = np.stack([one.embedding for one in strangers.templates])
    against = rows @ np.stack(list(known.values())).T
    among = rows @ rows.T
    impostors = np.concatenate([against.ravel(), among[np.triu_indices(len(rows), 1)]])
    genuine = [one.embedding @ known[label] for label, one in zip(probes.labels, probes.templates, strict=True)]
    return np.sort(impostors)[::-1], np.asarray(genuine), impostors.size


def stored(describer: Describer, faces: Faces) -> float:
    """Bytes that a photograph takes in a gallery's file, crop included."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "gallery.db"
        space = describer.space
        gallery = open_gallery(str(path), space_id=space.id, dim=space.dim)
        recognizer = Recognizer(describer.detector, space, gallery)
        people: dict[str, list[Sample]] = {}
        for number, (label, one) in enumerate(zip(faces.labels, faces.templates, strict=True)):
            people.setdefault(label, []).append(Sample(f"{number}.jpg", f"{number:064}", one, encode_jpeg(one.chip)))
        with closing(recognizer):
            recognizer.enrol_many(people)
        return path.stat().st_size / len(faces.templates)


def compare(size: int, dim: int, repeat: int) -> Speed:
    """Medians of exact searches among `size` synthetic templates, and of reading them."""
    rows = unit(np.random.default_rng(0).normal(size=(size, dim)))
    templates = Templates([f"{n:09}" for n in range(size)], rows)
    probes = rows[:: size // 32][:32].copy()

    def seconds(work: object) -> float:
        taken = []
        for _ in range(repeat):
            began = time.perf_counter()
            work()  # type: ignore[operator]
            taken.append(time.perf_counter() - began)
        return float(np.median(taken))

    alone = seconds(lambda: nearest(probes[:1], templates, 10))
    batch = seconds(lambda: nearest(probes, templates, 10))
    read = seconds(lambda: rows.max())
    return Speed(size / alone, 32 * size / batch, rows.nbytes / read)


def threshold_at(impostors: NDArray[np.float32], rate: float) -> tuple[float, bool]:
    """Lowest similarity with at most that share of strangers' comparisons above it, and whether it was measured.

    Beyond what `FEWEST` comparisons carry, the similarity is continued in a straight line over the logarithm of the
    share, through its last two powers of ten.
    """
    last = FEWEST / impostors.size
    if rate >= last:
        return float(impostors[int(rate * impostors.size)]), True
    here, before = (float(impostors[int(share * impostors.size)]) for share in (last, 100 * last))
    return here + (here - before) / 2 * float(np.log10(last / rate)), False


def print_inputs(faces: float, bytes_a_photo: float, speed: Speed, size: int, dim: int) -> None:
    """What was measured."""
    print("| measured | |\n|---|---|")
    print(f"| faces described a second (found, cut, embedded), all cores | {faces:.1f} |")
    print(f"| a photograph in a gallery's file, crop included | {bytes_a_photo / 1e3:.1f} kB |")
    print(f"| a template in memory: {dim} x 4 bytes | {4 * dim} bytes |")
    print(f"| templates compared a second, one probe alone, among {size:,} | {speed.alone / 1e6:.1f} million |")
    print(f"| the same in a batch of 32 probes, for each probe together | {speed.batch / 1e6:.0f} million |")
    print(f"| templates read from memory a second, one core | {speed.bytes_read / 1e9:.1f} GB |\n")


def print_thresholds(impostors: NDArray[np.float32], genuine: NDArray[np.float32], comparisons: int) -> None:
    """Shares of strangers' comparisons, and what they mean for galleries."""
    print(f"{comparisons:,} comparisons of strangers, {len(genuine):,} searches by enrolled people\n")
    print("| strangers' comparisons above it | similarity | enrolled people found |\n|---|---|---|")
    for rate in RATES:
        value, measured = threshold_at(impostors, rate)
        mark = "" if measured else " (continued)"
        print(f"| {rate:g} | {value:.3f}{mark} | {(genuine >= value).mean():.3f} |")
    fixed, _ = threshold_at(impostors, 1e-4)
    print(f"\n| people | at {fixed:.3f}: searches by strangers that name somebody | threshold for 1 in 100 | "
          "enrolled people found at it |\n|---|---|---|---|")  # fmt: skip
    share = float((impostors >= fixed).mean())
    for size in (100, *SIZES):
        value, measured = threshold_at(impostors, 1 - (1 - FPIR) ** (1 / size))
        mark = "" if measured else " (continued)"
        print(f"| {size:,} | {1 - (1 - share) ** size:.3f} | {value:.3f}{mark} | {(genuine >= value).mean():.3f} |")
    print()


def print_sizes(dim: int, faces: float, bytes_a_photo: float, speed: Speed) -> None:
    """The arithmetic."""
    print("| people, one template each | templates, GB | crops and all, 3 photographs each, GB | one exact search, s | "
          "searches a second, in batches | core-hours to describe them |\n|---|---|---|---|---|---|")  # fmt: skip
    cores = os.cpu_count() or 1
    for size in SIZES:
        hours = 3 * size / faces * cores / 3600
        print(
            f"| {size:,} | {size * dim * 4 / 1e9:.3g} | {3 * size * bytes_a_photo / 1e9:.3g} | "
            f"{size / speed.alone:.2g} | {speed.batch / size:.2g} | {hours:,.3g} |"
        )


if __name__ == "__main__":
    main()
