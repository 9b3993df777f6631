#!/usr/bin/env python3
"""Which embedding space and which detector is best on strangers, at full size and on small surveillance faces.

usage: benchmarks/accuracy.py --lfw-dev DIR --surveillance DIR [--split val|test] [--detector yunet mtcnn]

DIR of --surveillance holds one folder a set, `val-32` for probes of `probes_val.csv` with faces of 32 px, each with
`images/` and `probes.csv` (`image_path, gt, left, top, scale`: where the clean photograph lies in the frame). Every
photograph is embedded once by each network; the spaces differ only in how the two cosines are weighted. Embeddings are
kept in --cache, so that a second look costs seconds. Choose on val, report test once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reid.describe import Describer
from reid.faces import FaceChoice
from reid.metrics import Searches, number_people, paired_difference, score_searches, searches_of_similarities
from reid.settings import Settings
from reid.types import STRANGER

SHARES = (1.0, 0.5, 0.3, 0.25, 0.2, 0.15, 0.1, 0.0)  # facenet's share of the cosine


People = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Label -> unit vectors (n, 128) of its photographs, by facenet and by sface."""


@dataclass(frozen=True)
class Embedded:
    """A set of photographs as both networks see it: (N, 128) each, NaN where no face was found."""

    facenet: NDArray[np.float32]
    sface: NDArray[np.float32]
    boxes: NDArray[np.float32]  # (N, 4)

    @property
    def found(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.boxes[:, 0])


def main() -> None:
    """Prints the tables as Markdown."""
    args = _arguments()
    for detector in args.detector:
        describer = Describer.load(_settings(detector, args.weights))
        gallery = pd.read_csv(args.lfw_dev / "trainset.csv")
        enrolled = embed(describer, args.lfw_dev / "images", gallery["image_path"], "central", args.cache)
        templates = _templates(enrolled, gallery["gt"])
        print(f"\n### {detector}, {args.split}\n")
        print(
            "| faces | found | space | rank-1 | DIR at FPIR 10 % | DIR at FPIR 1 % | less or more than sface at 1 % |"
        )
        print("|---|---|---|---|---|---|---|")
        probes = pd.read_csv(args.lfw_dev / f"probes_{args.split}.csv", nrows=args.limit)
        embedded = embed(describer, args.lfw_dev / "images", probes["image_path"], "central", args.cache)
        _print_rows("full size", probes, embedded, f"{embedded.found.mean():.3f}", templates, args.shares)
        for size in args.sizes:
            folder = args.surveillance / f"{args.split}-{size}"
            probes = pd.read_csv(folder / "probes.csv", nrows=args.limit)
            embedded = embed(describer, folder / "images", probes["image_path"], "largest", args.cache)
            _print_rows(f"{size} px", probes, embedded, f"{_hit(probes, embedded):.3f}", templates, args.shares)


def embed(describer: Describer, root: Path, names: Sequence[str], choice: FaceChoice, cache: Path) -> Embedded:
    """Both networks' unit vectors of the chosen face of every photograph."""
    key = hashlib.sha256("\n".join([describer.space.id, describer.detector.name, choice, str(root), *names]).encode())
    kept = cache / f"{key.hexdigest()[:16]}.npz"
    if not kept.exists():
        from tqdm import tqdm

        files = [(root / name, name) for name in names]
        rows, boxes = [], []
        for one in tqdm(describer.describe_files(files, choice), total=len(files), unit="photo"):
            template = one.templates[0] if one.templates else None
            rows.append(template.embedding if template else np.full(describer.space.dim, np.nan, np.float32))
            boxes.append(template.face.box_px if template else (np.nan,) * 4)
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, rows=np.stack(rows), boxes=np.array(boxes, np.float32))
    loaded = np.load(kept)
    half = describer.space.networks[0].dim
    unit = np.sqrt(np.float32(2))  # the space weighs both networks by one half
    return Embedded(loaded["rows"][:, :half] * unit, loaded["rows"][:, half:] * unit, loaded["boxes"])


def _templates(enrolled: Embedded, labels: Sequence[str]) -> People:
    """Each label's photographs; their mean depends on the share."""
    rows = {label: (np.array(labels) == label) & enrolled.found for label in dict.fromkeys(labels)}
    return {label: (enrolled.facenet[own], enrolled.sface[own]) for label, own in rows.items()}


def _searches(
    probes: pd.DataFrame,
    embedded: Embedded,
    templates: People,
    share: float,
) -> Searches:
    def joined(facenet: NDArray[np.float32], sface: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.concatenate([facenet * np.sqrt(share), sface * np.sqrt(1 - share)], axis=1).astype(np.float32)

    means = np.stack([joined(*own).mean(0) for own in templates.values()])
    gallery = means / np.linalg.norm(means, axis=1, keepdims=True)
    columns = {label: column for column, label in enumerate(templates)}
    truth = np.array([columns.get(label, -1) for label in probes["gt"]])
    assert ((truth >= 0) == (probes["gt"] != STRANGER)).all()
    people = number_people(list(probes["image_path"]), list(probes["gt"]))
    return searches_of_similarities(joined(embedded.facenet, embedded.sface) @ gallery.T, truth, people)


def _print_rows(
    name: str,
    probes: pd.DataFrame,
    embedded: Embedded,
    found: str,
    templates: People,
    shares: Sequence[float],
) -> None:
    alone = _searches(probes, embedded, templates, 0.0)
    for share in shares:
        searches = _searches(probes, embedded, templates, share)
        score = score_searches(searches, (0.1, 0.01))
        rates = [rate.dir.text() + ("" if rate.support == "claim" else " (hint)") for rate in score.rates]
        space = {1.0: "facenet", 0.0: "sface"}.get(share, f"facenet+sface@{share:g}")
        difference = "" if share == 0 else paired_difference(alone, searches, 0.01).text()
        print(f"| {name} | {found} | {space} | {score.rank1:.3f} | {' | '.join(rates)} | {difference} |")


def _hit(probes: pd.DataFrame, embedded: Embedded) -> float:
    """Share of the probes whose chosen box holds the middle of the clean photograph, where its person's face is."""
    middle = 125 * probes["scale"].to_numpy()  # LFW's photographs are 250 px wide
    x, y = probes["left"].to_numpy() + middle, probes["top"].to_numpy() + middle
    left, top, right, bottom = embedded.boxes.T
    return float(((left < x) & (x < right) & (top < y) & (y < bottom)).mean())


def _settings(detector: str, weights: str) -> Settings:
    from dataclasses import replace

    return replace(Settings.from_env(), space="facenet+sface@0.5", detector=detector, weights=weights)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lfw-dev", type=Path, default=os.environ.get("BYTEFACE_LFW_DEV", "../shared/data/lfw-dev"))
    parser.add_argument("--surveillance", type=Path, required=True)
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--detector", nargs="+", default=["yunet", "mtcnn"])
    parser.add_argument("--weights", default="ms1m")
    parser.add_argument("--sizes", nargs="+", type=int, default=[48, 32, 24, 16])
    parser.add_argument("--limit", type=int, help="the first so many probes of each set: MTCNN takes its time")
    parser.add_argument("--shares", nargs="+", type=float, default=list(SHARES))
    parser.add_argument("--cache", type=Path, default=Path("data/bench"))
    args = parser.parse_args()
    args.lfw_dev = Path(args.lfw_dev)
    return args


if __name__ == "__main__":
    main()
