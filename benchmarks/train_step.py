#!/usr/bin/env python3
"""What a training epoch takes a face, beside the bare forward and backward pass of the same network and batch.

usage: benchmarks/train_step.py [--lfw-dev DIR] [--photos 320] [--rounds 3] [--recipe open-set reference]

Bare: the network in bfloat16 and channels-last on one batch that stays where it is, everything learning that learns in
the recipe's first epoch; the limit is that the loop with its head, losses, augmentation, optimiser and data loading
takes at most 1.15 times as long. Both take turns. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import pandas as pd
import torch
from results import keep

from reid.detect import load_detector
from reid.settings import Settings
from reid.weights import ensure
from trainer.batches import Batches
from trainer.data import FaceStore, Photo, usable
from trainer.job import Job
from trainer.model import set_mode
from trainer.recipes import RECIPES
from trainer.splits import split_of
from trainer.train import Trainer
from trainer.validate import to_input
from trainer.world import World

LIMIT = 1.15


def main() -> None:
    """Prints one line a recipe."""
    args = _arguments()
    settings = Settings.from_env()
    table = pd.read_csv(args.lfw_dev / "trainset.csv").head(args.photos)
    images = args.lfw_dev / "images"
    photos = [Photo(path, images / path, label) for path, label in zip(table["image_path"], table["gt"], strict=True)]
    detector = load_detector("yunet", models_dir=settings.models_dir, min_face_px=settings.min_face_px)
    store = FaceStore(settings.models_dir / "cache" / "faces", detector, "central", (160,), min_face_px=10)
    split = split_of(usable(store.find(photos, "for training")), validation=[], strangers=[], unlabelled=[], seed=0)
    print(f"{len(split.train)} photographs, {torch.get_num_threads()} threads, medians of {args.rounds} rounds\n")
    print("| recipe | batch | bare step, ms a face | the loop, ms a face | times the bare step | limit | waiting |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for name in args.recipe:
        with tempfile.TemporaryDirectory() as folder:
            job = Job(RECIPES[name], ensure("ms1m", settings.models_dir), Path(folder), settings.models_dir)
            rows.append(_print_row(Trainer(job, split, torch.device("cpu"), World()), args.rounds))
    keep("train_step", rows)


def _print_row(trainer: Trainer, rounds: int) -> dict[str, object]:
    recipe = trainer.recipe
    batches = Batches(lambda index: trainer.faces[index].read_crop(trainer.side_px), len(trainer.faces), recipe, seed=0)
    first = next(iter(batches.epoch(0)))
    inputs = to_input(first.views, trainer.standardisation, trainer.device)
    bare, loop, waiting = [], [], []
    for turn in range(rounds + 1):  # the first is for caches and memory
        set_mode(trainer.student, recipe, 0, recipe.epochs)
        start = time.perf_counter()
        for _ in range(len(batches)):
            with torch.autocast("cpu", torch.bfloat16):
                features = trainer.student(inputs)
            features.float().square().mean().backward()
            trainer.optimiser.zero_grad(set_to_none=True)
        seconds = time.perf_counter() - start
        row = trainer._train_epoch(batches)
        if turn:
            bare.append(1000 * seconds / (len(batches) * len(inputs)))
            loop.append(1000 * row["seconds"] / len(trainer.faces))
            waiting.append(row["waiting_share"])
    least, ours = statistics.median(bare), statistics.median(loop)
    print(
        f"| {recipe.name} | {recipe.batch} | {least:.1f} | {ours:.1f} | {ours / least:.2f} | {LIMIT} | "
        f"{statistics.median(waiting):.1%} |"
    )
    return {"recipe": recipe.name, "bare_ms": least, "loop_ms": ours}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    lfw_dev = Path(os.environ.get("BYTEFACE_LFW_DEV", "../shared/data/lfw-dev"))
    parser.add_argument("--lfw-dev", type=Path, default=lfw_dev)
    parser.add_argument("--photos", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recipe", nargs="+", default=["open-set", "reference"], choices=sorted(RECIPES))
    return parser.parse_args()


if __name__ == "__main__":
    main()
