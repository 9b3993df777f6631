#!/usr/bin/env python3
"""May bfloat16 or int8 stand in for float32? Open-set search and verification in each, the same photographs and people.

usage: benchmarks/precision.py --surveillance DIR [--lfw-dev DIR] [--pairs N] [--write]

DIR of --surveillance holds probes of `probes_val.csv` with faces of 32 px: `images/` and `probes.csv`. Everything
float32 is the measure; then the networks compute in bfloat16, then the detector too, then the networks in int8
(quantised by NNCF on the demonstration photographs; `pip install -r requirements-int8.txt`). A network passes where
neither DIR at FPIR 1 % at full size and at 32 px nor verification is worse beyond the paired bootstrap interval over
people, alone and in the default space, and no threshold moves by more than MOST_SHIFT. --write keeps the verdict in
`reid/precision.json`, which the runtime's `auto` reads. Prints Markdown. Embeddings are kept in --cache.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from reid.detect import FaceDetector, load_detector
from reid.faces import FaceChoice, chosen_face
from reid.images import read_photograph
from reid.metrics import (
    Interval,
    Searches,
    draws_of_people,
    interval,
    number_people,
    paired_difference,
    score_at_rate,
    score_searches,
    searches_of_similarities,
)
from reid.quantising import quantise
from reid.runtime import VERDICT
from reid.settings import Settings
from reid.space import EmbeddingSpace, SpaceSpec
from reid.types import RGB, Photograph
from reid.weights import ensure

FPIR = 0.01
MOST_SHIFT = 0.005  # of a threshold; its own bootstrap interval over people is several times wider
SPACES = ("facenet", "sface", "auto")
VARIANTS = {  # name -> precision of the detector, of the networks
    "float32": ("float32", "float32"),
    "networks bfloat16": ("float32", "bfloat16"),
    "networks and detector bfloat16": ("bfloat16", "bfloat16"),
    "networks int8": ("float32", "int8"),
}
BOTH = ("float32", "bfloat16")
BATCH = 16
MIXED = {f"networks {precision}": f"probes {precision}, gallery float32" for precision in ("bfloat16", "int8")}


@dataclass(frozen=True)
class Embedded:
    """Photographs as both networks see them: (N, 128) each, NaN where no face was found, and the face's box."""

    facenet: NDArray[np.float32]
    sface: NDArray[np.float32]
    boxes: NDArray[np.float32]  # (N, 4)

    def joined(self, space: str) -> NDArray[np.float32]:
        """(N, D) unit vectors in that space."""
        spec = SpaceSpec.parse(space)
        parts = [getattr(self, name) * np.sqrt(share) for name, share in zip(spec.networks, spec.shares, strict=True)]
        return np.concatenate(parts, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Sets:
    """One variant's embeddings of everything."""

    gallery: Embedded
    full: Embedded
    small: Embedded
    pairs: Embedded


@dataclass(frozen=True)
class Row:
    """What one variant is worth in one space, and what it lost against float32."""

    variant: str
    space: str
    full: Interval
    full_loss: Interval
    small: Interval
    small_loss: Interval
    verified: float
    verified_loss: Interval
    threshold: float
    shift: float

    @property
    def passes(self) -> bool:
        losses = (self.full_loss, self.small_loss, self.verified_loss)
        return all(loss.high >= 0 for loss in losses) and abs(self.shift) <= MOST_SHIFT


def main() -> None:
    """Prints the table as Markdown; with --write keeps the verdict."""
    args = _arguments()
    enrolled = pd.read_csv(args.lfw_dev / "trainset.csv")
    tables = {
        "gallery": enrolled[enrolled.groupby("gt").cumcount() < args.per_person].reset_index(drop=True),
        "full": pd.read_csv(args.lfw_dev / "probes_val.csv"),
        "small": pd.read_csv(args.surveillance / "probes.csv"),
        "pairs": pd.read_csv(args.lfw_dev / "pairs.csv").sample(args.pairs, random_state=0),
    }
    embedded = _embed_all(tables, args)
    exact = embedded["float32"]
    rows = [_row(name, space, tables, sets, sets, exact) for name, sets in embedded.items() for space in SPACES]
    rows += [
        _row(mixed, space, tables, embedded[name], exact, exact) for name, mixed in MIXED.items() for space in SPACES
    ]
    _print_table(rows)
    _print_similarity(embedded)
    verdict = _verdict(rows)
    print(json.dumps(verdict))
    if args.write:
        VERDICT.write_text(json.dumps(verdict, indent=1) + "\n", encoding="utf-8")


def _embed_all(tables: dict[str, pd.DataFrame], args: argparse.Namespace) -> dict[str, Sets]:
    """Every set in every variant; each photograph is read once, searched in both precisions, cut, embedded in both."""
    tools = _Tools.load()
    images, small = args.lfw_dev / "images", args.surveillance / "images"
    pairs = [*tables["pairs"]["image_path_a"], *tables["pairs"]["image_path_b"]]
    wanted: dict[str, tuple[Path, list[str], FaceChoice]] = {
        "gallery": (images, list(tables["gallery"]["image_path"]), "central"),
        "full": (images, list(tables["full"]["image_path"]), "central"),
        "small": (small, list(tables["small"]["image_path"]), "largest"),
        "pairs": (images, pairs, "central"),
    }
    found = {name: tools.embed(*one, args.cache) for name, one in wanted.items()}
    return {variant: Sets(**{name: one[variant] for name, one in found.items()}) for variant in VARIANTS}


@dataclass(frozen=True)
class _Tools:
    """The detector in two precisions, the two networks in three."""

    detectors: dict[str, FaceDetector]
    spaces: dict[str, EmbeddingSpace]

    @classmethod
    def load(cls) -> _Tools:
        settings = Settings.from_env()
        models, smallest = settings.models_dir, settings.min_face_px
        load = {"runtime": "openvino", "device": "cpu"}
        detectors = {
            p: load_detector("yunet", models_dir=models, min_face_px=smallest, precision=p, **load) for p in BOTH
        }
        spaces = {p: EmbeddingSpace.load("facenet+sface@0.5", "ms1m", models, precision=p, **load) for p in BOTH}
        quantise(replace(settings, space="facenet+sface@0.5", weights="ms1m"))
        spaces["int8"] = EmbeddingSpace.load("facenet+sface@0.5", "ms1m", models, precision="int8", **load)
        return cls(detectors, spaces)

    def embed(self, root: Path, names: Sequence[str], choice: FaceChoice, cache: Path) -> dict[str, Embedded]:
        unique = list(dict.fromkeys(names))
        key = hashlib.sha256("\n".join([self.spaces["float32"].id, choice, str(root), *unique]).encode()).hexdigest()[
            :16
        ]
        kept = cache / f"{key}.npz"
        if not kept.exists():
            arrays = self._compute(root, unique, choice)
            cache.mkdir(parents=True, exist_ok=True)
            np.savez(kept, **arrays)
        loaded = np.load(kept)
        order = [unique.index(name) for name in names]
        found = {}
        for variant in VARIANTS:
            # the space weighs both networks by one half
            facenet, sface = np.split(loaded[f"{variant} rows"][order] * np.sqrt(np.float32(2)), 2, axis=1)
            found[variant] = Embedded(facenet, sface, loaded[f"{variant} boxes"][order])
        return found

    def _compute(self, root: Path, names: Sequence[str], choice: FaceChoice) -> dict[str, NDArray[np.float32]]:
        dim = self.spaces["float32"].dim
        arrays = {f"{variant} rows": np.full((len(names), dim), np.nan, np.float32) for variant in VARIANTS}
        arrays |= {f"{variant} boxes": np.full((len(names), 4), np.nan, np.float32) for variant in VARIANTS}
        for start in tqdm(range(0, len(names), BATCH), unit="batch"):
            photographs = [read_photograph(root / name) for name in names[start : start + BATCH]]
            cuts = {precision: self._cut(photographs, precision, choice) for precision in BOTH}
            for variant, (detected_in, embedded_in) in VARIANTS.items():
                if cuts[detected_in]:
                    rows = [start + index for index in cuts[detected_in]]
                    boxes, crops = zip(*cuts[detected_in].values(), strict=True)
                    arrays[f"{variant} boxes"][rows] = boxes
                    arrays[f"{variant} rows"][rows] = self.spaces[embedded_in].embed(crops)
        return arrays

    def _cut(
        self, photographs: Sequence[Photograph], precision: str, choice: FaceChoice
    ) -> dict[int, tuple[tuple[float, ...], tuple[RGB, ...]]]:
        """Index -> box and both networks' crops of the chosen face, of the photographs that have one."""
        found = {}
        for index, photograph in enumerate(photographs):
            face = chosen_face(photograph, self.detectors[precision].detect([photograph.pixels])[0], choice)
            if face:
                found[index] = face.box_px, self.spaces["float32"].crops(photograph.pixels, face.landmarks_px)
        return found


def _searches(
    probes: pd.DataFrame, embedded: Embedded, enrolled: pd.DataFrame, gallery: Embedded, space: str
) -> Searches:
    vectors = gallery.joined(space)
    labels = list(dict.fromkeys(enrolled["gt"]))
    means = np.stack([np.nanmean(vectors[enrolled["gt"] == label], axis=0) for label in labels])
    templates = means / np.linalg.norm(means, axis=1, keepdims=True)
    truth = np.array([labels.index(label) if label in labels else -1 for label in probes["gt"]])
    people = number_people(list(probes["image_path"]), list(probes["gt"]))
    return searches_of_similarities(embedded.joined(space) @ templates.T, truth, people)


def _row(variant: str, space: str, tables: dict[str, pd.DataFrame], probes: Sets, gallery: Sets, exact: Sets) -> Row:
    def pair(what: str) -> tuple[Searches, Searches]:
        table, enrolled = tables[what], tables["gallery"]
        before = _searches(table, getattr(exact, what), enrolled, exact.gallery, space)
        return before, _searches(table, getattr(probes, what), enrolled, gallery.gallery, space)

    full, small = pair("full"), pair("small")
    threshold = score_at_rate(full[1].nonmated, FPIR)
    verified, loss = _verification(tables["pairs"], exact.pairs.joined(space), probes.pairs.joined(space))
    return Row(
        variant=variant,
        space=space,
        full=score_searches(full[1], [FPIR]).rates[0].dir,
        full_loss=paired_difference(*full, FPIR),
        small=score_searches(small[1], [FPIR]).rates[0].dir,
        small_loss=paired_difference(*small, FPIR),
        verified=verified,
        verified_loss=loss,
        threshold=threshold,
        shift=threshold - score_at_rate(full[0].nonmated, FPIR),
    )


def _verification(
    pairs: pd.DataFrame, exact: NDArray[np.float32], other: NDArray[np.float32]
) -> tuple[float, Interval]:
    """Share of the pairs told rightly at the best threshold, and the difference to float32 over the same people."""
    same = pairs["same"].to_numpy() == 1
    before, after = (np.nan_to_num(np.einsum("nd,nd->n", *np.split(rows, 2)), nan=-1.0) for rows in (exact, other))
    samples = draws_of_people(number_people(list(pairs["image_path_a"]), ["doesn't_exist"] * len(pairs)))
    differences = [
        _best_accuracy(after[part], same[part]) - _best_accuracy(before[part], same[part]) for part in samples
    ]
    value = _best_accuracy(after, same)
    return value, Interval(value - _best_accuracy(before, same), *interval(differences))


def _best_accuracy(scores: NDArray[np.float32], same: NDArray[np.bool_]) -> float:
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(np.where(same[order], 1, -1))  # accepting one more pair each time
    return float((max(int(right.max()), 0) + int((~same).sum())) / len(same))


def _print_table(rows: Sequence[Row]) -> None:
    print(
        "| computed in | space | DIR at FPIR 1 %, full size | against float32 | at 32 px | against float32 | "
        "verification | against float32 | threshold at FPIR 1 % | shift |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        exact = row.variant == "float32"
        losses = ["" if exact else _signed(loss) for loss in (row.full_loss, row.small_loss, row.verified_loss)]
        print(
            f"| {row.variant} | {row.space} | {row.full.text()} | {losses[0]} | {row.small.text()} | {losses[1]} | "
            f"{row.verified:.4f} | {losses[2]} | {row.threshold:.4f} | {'' if exact else f'{row.shift:+.4f}'} |"
        )


def _signed(loss: Interval) -> str:
    return f"{loss.value:+.4f} [{loss.low:+.4f}, {loss.high:+.4f}]"


def _print_similarity(embedded: dict[str, Sets]) -> None:
    """How near each photograph's embedding stays to its float32 one."""
    print("\n| computed in | network | cosine to float32: mean | lowest 1 % | least | faces lost at 32 px |")
    print("|---|---|---|---|---|---|")
    exact = embedded["float32"]
    for name, sets in list(embedded.items())[1:]:
        for network in ("facenet", "sface"):
            cosines = np.concatenate(
                [np.einsum("nd,nd->n", getattr(getattr(exact, part), network), getattr(getattr(sets, part), network))
                 for part in ("gallery", "full", "small")]
            )  # fmt: skip
            cosines = cosines[~np.isnan(cosines)]
            lost = int(np.isnan(sets.small.boxes[:, 0]).sum() - np.isnan(exact.small.boxes[:, 0]).sum())
            print(
                f"| {name} | {network} | {cosines.mean():.5f} | {np.quantile(cosines, 0.01):.5f} | "
                f"{cosines.min():.5f} | {lost} |"
            )
    print()


def _verdict(rows: Sequence[Row]) -> dict[str, object]:
    """Which parts may compute in what, each with the hash of the weights that it was measured with."""
    passed = {(row.variant, row.space): row.passes for row in rows}

    def networks(precision: str) -> dict[str, bool]:
        name = f"networks {precision}"
        return {
            source: all(passed[variant, space] for variant in (name, MIXED[name]) for space in (network, "auto"))
            for source, network in (("ms1m", "facenet"), ("sface", "sface"))
        }

    bfloat16 = networks("bfloat16") | {
        "yunet": all(passed["networks and detector bfloat16", space] for space in SPACES)
    }
    models = Settings.from_env().models_dir
    verdicts = {"bfloat16": bfloat16, "int8": networks("int8")}
    return {"measured_with": "benchmarks/precision.py"} | {
        precision: {ensure(part, models).sha256: passes for part, passes in parts.items()}
        for precision, parts in verdicts.items()
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lfw-dev", type=Path, default=os.environ.get("BYTEFACE_LFW_DEV", "../shared/data/lfw-dev"))
    parser.add_argument("--surveillance", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=1000, help="verification pairs, drawn once")
    parser.add_argument("--per-person", type=int, default=100, help="photographs of each person in the gallery")
    parser.add_argument("--cache", type=Path, default=Path("data/bench/precision"))
    parser.add_argument("--write", action="store_true", help="keep the verdict in reid/precision.json")
    args = parser.parse_args()
    args.lfw_dev = Path(args.lfw_dev)
    return args


if __name__ == "__main__":
    main()
