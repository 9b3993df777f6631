#!/usr/bin/env python3
"""What a face's size, sharpness, turn and light say about its search, and what a limit on each costs and saves.

usage: benchmarks/quality.py --gallery g.npy --lfw-dev DIR --surveillance DIR [--limit 400]

--gallery is what `byteface build-gallery` made of trainset.csv with `--face central`. Probes are those of
`probes_val.csv` and of the surveillance sets `val-48` and so on, --limit of each. Every mated probe is also a
search without its own template, so that each face has both a chance to be named rightly and to raise a false alarm, at
the threshold that its space ships with. Limits are those of `reid.verdicts`: choose them here, on validation only.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from reid import threshold as thresholds
from reid import verdicts
from reid.describe import Describer
from reid.faces import FaceChoice
from reid.gallery import open_gallery
from reid.gallery.base import Gallery
from reid.settings import Settings
from reid.types import Identity, Template

SIZES = (48, 32, 24, 16)


@dataclass(frozen=True)
class Searched:
    """One face, how it is, and what its search said.

    Attributes:
        right: cosine to the right person's template; NaN for strangers.
        named: whether the right person came first and reached the threshold.
        alarm: whether anybody else reached the threshold.
    """

    template: Template
    right: float
    named: bool
    alarm: bool


Measure = Callable[[Template], float]

ASPECTS: dict[str, tuple[Measure, Sequence[float]]] = {
    "width of the box, px": (lambda t: t.face.width_px, (0, 10, 12, 14, 16, 20, 24, 32, 40, 60, 80, 1e9)),
    "sharpness": (lambda t: t.quality.sharpness, (0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 1.01)),
    "turn, degrees": (lambda t: abs(t.quality.yaw_deg), (0, 10, 20, 30, 40, 50, 60, 91)),
    "light": (lambda t: t.quality.exposure, (0, 0.45, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)),
}


def main() -> None:
    """Prints the tables as Markdown."""
    args = _arguments()
    settings = replace(Settings.from_env(), gallery=str(args.gallery))
    describer = Describer.load(settings)
    gallery = open_gallery(
        settings.gallery, space_id=describer.space.id, dim=describer.space.dim, create=False, read_only=True
    )
    limit = thresholds.measured_default(describer.space.id).value
    people = gallery.identities()
    sets = {"full size": _search(describer, gallery, people, args.lfw_dev / "probes_val.csv",
                                 args.lfw_dev / "images", "central", limit, args.limit)}  # fmt: skip
    for size in SIZES:
        folder = args.surveillance / f"val-{size}"
        sets[f"{size} px"] = _search(
            describer, gallery, people, folder / "probes.csv", folder / "images", "largest", limit, args.limit
        )
    for title, faces in (("as photographed", sets["full size"]), ("all sizes", list(itertools.chain(*sets.values())))):
        print(f"\n### {title}: {len(faces)} faces\n")
        for name, (measure, edges) in ASPECTS.items():
            _print_bins(name, measure, edges, faces)
    _print_limits(sets)


def _search(
    describer: Describer,
    gallery: Gallery,
    people: Sequence[Identity],
    table: Path,
    root: Path,
    choice: FaceChoice,
    limit: float,
    count: int,
) -> list[Searched]:
    probes = pd.read_csv(table)
    probes = probes.iloc[:: max(1, len(probes) // count)]
    files = [(root / name, name) for name in probes["image_path"]]
    found = tqdm(describer.describe_files(files, choice), total=len(files), unit="photo", desc=str(table.parent.name))
    rows = []
    for label, one in zip(probes["gt"], found, strict=True):
        if not one.templates:
            continue
        template = one.templates[0]
        (candidates,) = gallery.search(template.embedding[None], len(people))
        similarity = {candidate.identity.name: candidate.similarity for candidate in candidates}
        right = similarity.pop(label, float("nan"))
        other = max(similarity.values())
        rows.append(Searched(template, right, right >= limit and right > other, other >= limit))
    return rows


def _print_bins(name: str, measure: Measure, edges: Sequence[float], faces: list[Searched]) -> None:
    values = np.array([measure(face.template) for face in faces])
    print(f"| {name} | faces | similarity to the right person: median, lower quarter | named rightly | false alarms |")
    print("|---|---|---|---|---|")
    for low, high in itertools.pairwise(edges):
        own = [face for face, value in zip(faces, values, strict=True) if low <= value < high]
        mated = [face for face in own if not np.isnan(face.right)]
        if not mated:
            continue
        right = np.array([face.right for face in mated])
        print(
            f"| {low:g} to {'' if high > 1e6 else f'{high:g}'} | {len(own)} | {np.median(right):.2f}, "
            f"{np.quantile(right, 0.25):.2f} | {_share([f.named for f in mated])} | {_share([f.alarm for f in own])} |"
        )
    print()


def _print_limits(sets: dict[str, list[Searched]]) -> None:
    rules: dict[str, Callable[[Template], bool]] = {
        "not searched": lambda t: verdicts.not_searched(t) is not None,
        "poor: left out at enrolment": lambda t: verdicts.enrolment_verdict(t).level == "poor",
        "usable": lambda t: verdicts.enrolment_verdict(t).level == "usable",
        "good": lambda t: verdicts.enrolment_verdict(t).level == "good",
    }
    print("\n### What the limits cost and save\n")
    print("| faces | verdict | of them | named rightly among these | false alarms among these |")
    print("|---|---|---|---|---|")
    for title, faces in sets.items():
        for name, rule in rules.items():
            own = [face for face in faces if rule(face.template)]
            mated = [face.named for face in own if not np.isnan(face.right)]
            print(f"| {title} | {name} | {len(own) / len(faces):.3f} | {_share(mated)} | "
                  f"{_share([face.alarm for face in own])} |")  # fmt: skip


def _share(flags: Sequence[bool]) -> str:
    values: NDArray[np.bool_] = np.array(flags, bool)
    return f"{values.mean():.3f} ({values.sum()} of {len(values)})" if len(values) else "-"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gallery", type=Path, required=True)
    parser.add_argument("--lfw-dev", type=Path, default=Path(os.environ.get("BYTEFACE_LFW_DEV", "lfw-dev")))
    parser.add_argument("--surveillance", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=400, help="probes of each set, evenly taken")
    return parser.parse_args()


if __name__ == "__main__":
    main()
