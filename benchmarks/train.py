#!/usr/bin/env python3
"""What fine-tuning is worth on people whom nobody trained on, and which ingredient of the recipe earns its place.

usage: benchmarks/train.py recipes   --lfw-dev DIR [--surveillance DIR] [--recipe open-set reference] [--split val]
       benchmarks/train.py strangers --lfw-dev DIR [--surveillance DIR] [--split val]
       benchmarks/train.py ablation  --lfw-dev DIR --surveillance DIR [--epochs 1] [--only "no ArcFace" "AdaFace"]
       benchmarks/train.py templates --lfw-dev DIR [--run models/best_model]

`recipes` trains each recipe on trainset.csv and unlabelled.csv, chooses on probes_val.csv and scores probes_test.csv,
alone against the frozen weights and beside SFace against SFace alone, with --split val before. `strangers` trains on
85 of the 125 people and enrols the other 40. `ablation` leaves out one ingredient at a time, or adds one, and sets each
beside the recipe on the validation probes.
`templates` scores ways to make a template. --surveillance holds folders `test-32`, `val-32` and so on, each with
images/ and probes.csv. Runs lie in --runs and are resumed.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reid.cli import main as byteface
from reid.tables import read_rows
from reid.types import STRANGER
from trainer import recipes
from trainer.templates import TEMPLATE_RULES

TRAINED_PEOPLE = 85

ABLATIONS: dict[str, dict[str, Any]] = {
    "the recipe": {},
    "without its first part": {},
    "no ArcFace": {"label_loss": 0.0},
    "no distillation": {"distil_loss": 0.0},
    "own embedding as the target": {"own_template": 0.0},
    "no surveillance augmentation": {"degraded": 0.0},
    "head at random": {"imprint": False},
    "margin from the start": {"margin_ramp": 0.0},
    "everything learns": {"stages": (recipes.Stage(0.0, ("*",)),)},
    "only the last blocks learn": {"stages": (recipes.Stage(0.0, ("repeat_3", "block8", "last_")),)},
    "with L2-SP": {"l2sp": 1e-2},
    "batch statistics move": {"train_batchnorm": True},
    "half the learning rate": {"lr_backbone": recipes.OPEN_SET.lr_backbone / 2},
    "AdaFace": {"adaface": True, "margin_rad": 0.4},
    "three sub-centres": {"sub_centres": 3},
}


def main() -> None:
    """Runs one question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=("recipes", "strangers", "ablation", "templates"))
    parser.add_argument("--lfw-dev", type=Path, default=os.environ.get("BYTEFACE_LFW_DEV"), help="[BYTEFACE_LFW_DEV]")
    parser.add_argument("--surveillance", type=Path, help="folder of test-48, test-32, test-24, test-16")
    parser.add_argument("--split", choices=("val", "test"), default="test", help="which probes are scored [test]")
    parser.add_argument("--shares", nargs="*", type=float, default=[0.3], help="of facenet beside sface [0.3]")
    parser.add_argument("--runs", type=Path, default=Path("models/bench"), help="[models/bench]")
    parser.add_argument("--run", type=Path, default=Path("models/best_model"), help="of `templates`")
    parser.add_argument("--recipe", nargs="+", choices=tuple(recipes.RECIPES), default=list(recipes.RECIPES))
    parser.add_argument("--epochs", type=int, help="[the recipe's]")
    parser.add_argument("--only", nargs="+", choices=tuple(ABLATIONS), default=list(ABLATIONS), help="of `ablation`")
    args = parser.parse_args()
    if not args.lfw_dev or not Path(args.lfw_dev).is_dir():
        print("train.py: no photographs: name their folder with --lfw-dev or BYTEFACE_LFW_DEV", file=sys.stderr)
        return
    args.lfw_dev = Path(args.lfw_dev)
    {"recipes": bench_recipes, "strangers": bench_strangers, "ablation": bench_ablation, "templates": bench_templates}[
        args.question
    ](args)


def bench_recipes(args: argparse.Namespace) -> None:
    """Trains and scores each recipe."""
    for recipe in args.recipe:
        run = args.runs / recipe
        _train(args, run, args.lfw_dev / "trainset.csv", recipe)
        pairs = ["--pairs-csv", str(args.lfw_dev / "pairs.csv")] if args.split == "test" else []
        for table, root, extra in _probe_sets(args):
            _score(args, run, args.lfw_dev / "trainset.csv", table, root, [*extra, *pairs])
            pairs = []  # once is enough


def bench_strangers(args: argparse.Namespace) -> None:
    """The last 40 people, in the order of the table, are unknown to the network and enrolled."""
    rows = read_rows(args.lfw_dev / "trainset.csv", labelled=True)
    people = list(dict.fromkeys(str(row.label) for row in rows))
    seen, unseen = set(people[:TRAINED_PEOPLE]), set(people[TRAINED_PEOPLE:])
    args.runs.mkdir(parents=True, exist_ok=True)
    train, gallery = args.runs / "train-85.csv", args.runs / "gallery-40.csv"
    _write(train, [(row.image_path, row.label) for row in rows if row.label in seen])
    _write(gallery, [(row.image_path, row.label) for row in rows if row.label in unseen])
    run = args.runs / "open-set-85"
    _train(args, run, train, "open-set")
    for number, (table, root, extra) in enumerate(_probe_sets(args)):
        probes = args.runs / f"probes-40-{number}.csv"
        # the 85 are neither enrolled nor strangers: the network knows them
        kept = [row for row in read_rows(table, labelled=True) if row.label in unseen or row.label == STRANGER]
        _write(probes, [(row.image_path, row.label) for row in kept])
        print(f"\n## {table.parent.name}/{table.name}, people outside of training\n")
        _score(args, run, gallery, probes, root, extra)


def bench_ablation(args: argparse.Namespace) -> None:
    """One ingredient less, or one more, at a time: the weights as trained, set beside those of the recipe."""
    args.epochs, args.split = args.epochs or 1, "val"
    titles = ["the recipe", *(title for title in args.only if title != "the recipe")]
    first = args.runs / "ablation-people"
    _train(args, first, args.lfw_dev / "trainset.csv", "open-set", instead=recipes.PEOPLE)
    for title in titles:
        run = _ablated(args, title)
        # what an ingredient does to the trained weights is the question, not which share of them is chosen
        recipe = replace(recipes.OPEN_SET, epochs=args.epochs, alphas=(1.0,), before=None, **ABLATIONS[title])
        start = "ms1m" if title == "without its first part" else str(first)
        _train(args, run, args.lfw_dev / "trainset.csv", "open-set", instead=recipe, start=start)
        for table, root, extra in _probe_sets(args):
            out = ["--compare", str(_ablated(args, "the recipe")), "--out", str(run / table.parent.name)]
            _score(args, run, args.lfw_dev / "trainset.csv", table, root, [*extra, *out], shares=())
    names = [table.parent.name for table, _, _ in _probe_sets(args)]
    print("\n| DIR at FPIR 1 %, against the recipe | full size |", *(f"{name[-2:]} px |" for name in names[1:]),
          "pairs of strangers |")  # fmt: skip
    print("|---" * (len(names) + 2) + "|")
    for title in titles:
        run = _ablated(args, title)
        pairs = json.loads((run / "metrics.json").read_text())["training"]["tuned"]["strangers"]
        print(f"| {title} |", *(f"{_beside(run / name)} |" for name in names), f"{pairs:.3f} |")


def _ablated(args: argparse.Namespace, title: str) -> Path:
    return Path(args.runs / ("ablation-" + title.replace(" ", "-")))


def _beside(scored: Path) -> str:
    """A table's cell: the rate, and its difference to what it was compared with where there is any."""
    found = json.loads((scored / "metrics.json").read_text())["evaluation"]["facenet"]
    rate, other = found["tuned"]["open_set"]["dir_at_fpir"]["0.01"], found["difference"]["dir_at_fpir"]["0.01"]
    if other["low"] == other["high"] == 0:
        return f"{rate['value']:.3f}"
    return f"{rate['value']:.3f}, {other['value']:+.3f} [{other['low']:+.3f}, {other['high']:+.3f}]"


def bench_templates(args: argparse.Namespace) -> None:
    """The same embeddings, other templates."""
    for rule in TEMPLATE_RULES:
        print(f"\n## templates: {rule}\n")
        _score(args, args.run, args.lfw_dev / "trainset.csv", args.lfw_dev / "probes_test.csv", args.lfw_dev / "images",
               ["--templates", rule, "--out", str(args.runs / f"templates-{rule}")], shares=())  # fmt: skip


def _train(
    args: argparse.Namespace, run: Path, table: Path, name: str, *, instead: recipes.Recipe | None = None,
    start: str = "ms1m",
) -> None:  # fmt: skip
    """Trains a recipe, or `instead` in its place."""
    if (run / "config.json").exists():
        print(f"{run} is finished already", file=sys.stderr)
        return
    lfw = args.lfw_dev
    words = [
        "train", "--recipe", name, "--train-csv", str(table), "--root-dir", str(lfw / "images"), "--face", "central",
        "--weights", start,
    ]  # fmt: skip
    words += ["--val-csv", str(lfw / "probes_val.csv"), "--unlabelled", str(lfw / "unlabelled.csv")]
    words += ["--save-path", str(run), "--resume"]
    if args.epochs and instead is None:
        words += ["--epochs", str(args.epochs)]
    started = time.perf_counter()
    committed = recipes.RECIPES[name]
    recipes.RECIPES[name] = instead or committed
    try:
        if byteface(words):
            sys.exit(1)
    finally:
        recipes.RECIPES[name] = committed
    print(f"trained in {(time.perf_counter() - started) / 60:.1f} minutes")


def _score(
    args: argparse.Namespace, run: Path, gallery: Path, probes: Path, root: Path, extra: Sequence[str],
    shares: Sequence[float] | None = None,
) -> None:  # fmt: skip
    """The run alone against the frozen weights, then beside SFace against SFace alone."""
    joint = [f"facenet+sface@{share:g}" for share in (args.shares if shares is None else shares)]
    for space in ("facenet", *joint):
        print(f"\n### {run.name}, {probes.parent.name}/{probes.name}, {space}\n", flush=True)
        words = ["evaluate", "--space", space, "--gallery-csv", str(gallery), "--eval-csv", str(probes)]
        words += ["--root-dir", str(args.lfw_dev / "images"), "--eval-root-dir", str(root), "--face", "central"]
        words += ["--strangers-csv", str(args.lfw_dev / "unknown_val.csv"), "--run", str(run)]
        if "--compare" not in extra:
            words += ["--compare", "ms1m"] if space == "facenet" else ["--against", "sface"]
        if probes.name != "probes_test.csv" and "--out" not in extra:  # the run's own metrics are of probes_test.csv
            words += ["--out", str(args.runs / "scores" / f"{run.name}-{probes.parent.name}-{probes.stem}")]
        if byteface([*words, *extra]):
            sys.exit(1)


def _sizes(args: argparse.Namespace) -> list[Path]:
    if not args.surveillance:
        return []
    return sorted(
        (path for path in args.surveillance.glob(f"{args.split}-[0-9][0-9]") if (path / "probes.csv").exists()),
        reverse=True,
    )


def _probe_sets(args: argparse.Namespace) -> Iterator[tuple[Path, Path, list[str]]]:
    """Table, root and further flags of the photographs as they are, then of each surveillance set."""
    yield args.lfw_dev / f"probes_{args.split}.csv", args.lfw_dev / "images", []
    for folder in _sizes(args):
        yield folder / "probes.csv", folder / "images", ["--eval-face", "largest"]


def _write(path: Path, rows: Sequence[tuple[str, str | None]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([("image_path", "gt"), *rows])


if __name__ == "__main__":
    main()
