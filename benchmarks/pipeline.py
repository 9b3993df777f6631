#!/usr/bin/env python3
"""Photographs a second from files to embeddings, beside a plain facenet-pytorch script and what the stages allow.

usage: benchmarks/pipeline.py [--lfw-dev DIR] [--photos 400] [--rounds 3] [--spaces facenet facenet+sface@0.2]

Contenders take turns, each in a process of its own so that its peak memory is its own:
    plain     MTCNN and Inception-ResNet V1 of facenet-pytorch as its README shows them: one photograph after the other
    ours      `Describer.describe_files`, what build-gallery, predict and calibrate run
    stages    the same photographs, one stage after the other: their core-seconds, divided by the cores, are the least
              that a pipeline which overlaps them perfectly would take
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

WARM = 16  # photographs before the clock starts: graphs, caches, thread pools


def main() -> None:
    """Prints one table; with --only, runs one contender and prints what it measured as JSON."""
    args = _arguments()
    files = sorted((args.lfw_dev / "images").rglob("*.jpg"))[: args.photos + WARM]
    if args.only:
        print(json.dumps(CONTENDERS[args.only](files, args.spaces[0])))
        return
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(args.rounds):
        for name, space in [("plain", "facenet"), *((name, s) for s in args.spaces for name in ("ours", "stages"))]:
            found.setdefault((name, space), []).append(_in_its_own_process(args, name, space))
    print(f"{len(files) - WARM} photographs, {os.cpu_count()} cores, medians of {args.rounds} interleaved rounds\n")
    print("| | space | photographs a second | against the plain script | of the perfect overlap's time | peak MB |")
    print("|---|---|---|---|---|---|")
    plain = _median(found[("plain", "facenet")], "rate")
    print(
        f"| facenet-pytorch, plain | facenet | {plain:.1f} | 1 | - | {_median(found['plain', 'facenet'], 'mb'):.0f} |"
    )
    for space in args.spaces:
        ours, stages = found[("ours", space)], found[("stages", space)]
        rate = _median(ours, "rate")
        over = _median(ours, "seconds") / (_median(stages, "core_seconds") / (os.cpu_count() or 1))
        print(f"| ours | {space} | {rate:.1f} | {rate / plain:.2f} | {over:.2f} | {_median(ours, 'mb'):.0f} |")
    for space in args.spaces:
        one = found[("stages", space)][0]
        print(f"\n{space}, core-ms a photograph: " + ", ".join(f"{k} {one[k]:.1f}" for k in STAGES))


STAGES = ("decode", "detect", "crop", "embed")


def _ours(files: list[Path], space: str) -> dict[str, float]:
    describer = _describer(space)
    list(describer.describe_files([(path, path.name) for path in files[:WARM]], "central"))
    start = time.perf_counter()
    found = list(describer.describe_files([(path, path.name) for path in files[WARM:]], "central"))
    return _measured(len(found), time.perf_counter() - start)


def _stages(files: list[Path], space: str) -> dict[str, float]:
    from reid.align import chip
    from reid.faces import chosen_face
    from reid.images import read_photograph
    from reid.quality import measure

    describer = _describer(space)
    list(describer.describe_files([(path, path.name) for path in files[:WARM]], "central"))
    files = files[WARM:]
    spent: dict[str, float] = {}

    def timed(stage: str, work: Callable[[Any], Any], items: list[Any]) -> list[Any]:
        start = time.process_time()
        done = [work(item) for item in items]
        spent[stage] = time.process_time() - start
        return done

    photographs = timed("decode", lambda path: read_photograph(path), files)
    faces = timed("detect", describer.detect, photographs)
    pairs = [
        (photo, face)
        for photo, some in zip(photographs, faces, strict=True)
        if (face := chosen_face(photo, some, "central"))
    ]

    def crop(pair: tuple[Any, Any]) -> Any:
        photo, face = pair
        chip(photo.pixels, face.landmarks_px)
        measure(photo.pixels, face)
        return describer.space.crops(photo.pixels, face.landmarks_px)

    crops = timed("crop", crop, pairs)
    batches = [crops[start : start + 32] for start in range(0, len(crops), 32)]
    timed("embed", describer.space.embed, batches)
    core_seconds = sum(spent.values())
    each = {stage: 1000 * seconds / len(files) for stage, seconds in spent.items()}
    return {"core_seconds": core_seconds, **each, **_measured(len(files), core_seconds)}


def _plain(files: list[Path], _: str) -> dict[str, float]:
    import torch
    from facenet_pytorch import MTCNN
    from PIL import Image

    from reid import weights
    from reid.networks.facenet import load_module
    from reid.settings import Settings

    mtcnn = MTCNN(image_size=160, margin=14)
    network = load_module(weights.ensure("ms1m", Settings.from_env().models_dir)).eval()

    def one(path: Path) -> None:
        crop = mtcnn(Image.open(path).convert("RGB"))
        if crop is not None:
            network(crop[None])

    with torch.inference_mode():
        for path in files[:WARM]:
            one(path)
        start = time.perf_counter()
        for path in files[WARM:]:
            one(path)
        return _measured(len(files) - WARM, time.perf_counter() - start)


CONTENDERS: dict[str, Callable[[list[Path], str], dict[str, float]]] = {
    "plain": _plain,
    "ours": _ours,
    "stages": _stages,
}


def _describer(space: str) -> Any:
    from reid.describe import Describer
    from reid.settings import Settings

    return Describer.load(replace(Settings.from_env(), space=space, weights="ms1m"), progress=False)


def _measured(count: int, seconds: float) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "rate": count / seconds, "mb": peak}


def _in_its_own_process(args: argparse.Namespace, name: str, space: str) -> dict[str, float]:
    words = [sys.executable, __file__, "--lfw-dev", str(args.lfw_dev), "--photos", str(args.photos)]
    done = subprocess.run([*words, "--only", name, "--spaces", space], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _median(rows: list[dict[str, float]], key: str) -> float:
    return float(np.median([row[key] for row in rows]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lfw-dev", type=Path, default=Path(os.environ.get("BYTEFACE_LFW_DEV", "lfw-dev")))
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spaces", nargs="+", default=["facenet", "sface", "facenet+sface@0.2"])
    parser.add_argument("--only", choices=("plain", "ours", "stages"), help="one contender, in this process")
    return parser.parse_args()


if __name__ == "__main__":
    main()
