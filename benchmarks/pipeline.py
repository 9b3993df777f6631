#!/usr/bin/env python3
"""Photographs a second from files to embeddings, beside a plain facenet-pytorch script and what the stages allow.

usage: benchmarks/pipeline.py [--lfw-dev DIR] [--photos 400] [--rounds 3] [--spaces facenet facenet+sface@0.2]

Contenders take turns, each in a process of its own so that its peak memory is its own:
    plain     MTCNN and Inception-ResNet V1 of facenet-pytorch as its README shows them: one photograph after the other
    ours      `Describer.describe_files`, what build-gallery, predict and calibrate run
    stages    the same photographs, one stage after the other: their core-seconds, divided by the cores, are the least
              that a pipeline which overlaps them perfectly would take
    build     `byteface build-gallery` of the photographs into a .db, as typed: with its start and what it stores
    predict   `byteface predict` of them against that gallery, as typed
On a busy machine compare core-milliseconds: what a contender computes, whoever else computes too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from results import keep

WARM = 16  # photographs before the clock starts: graphs, caches, thread pools


def main() -> None:
    """Prints one table; with --only, runs one contender and prints what it measured as JSON."""
    args = _arguments()
    files = sorted((args.lfw_dev / "images").rglob("*.jpg"))[: args.photos + WARM]
    if args.only:
        print(json.dumps(CONTENDERS[args.only](files, args.spaces[0])))
        return
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    data = tempfile.TemporaryDirectory()
    os.environ["BYTEFACE_DATA"] = data.name
    for _ in range(args.rounds):
        ours = [(name, space) for space in args.spaces for name in ("ours", "stages", "build", "predict")]
        for name, space in [("plain", "facenet"), *ours]:
            found.setdefault((name, space), []).append(_in_its_own_process(args, name, space))
    data.cleanup()
    print(f"{len(files) - WARM} photographs, {os.cpu_count()} cores, medians of {args.rounds} interleaved rounds\n")
    print(
        "| | space | photographs a second | against the plain script | times the perfect overlap's time | "
        "core-ms a photograph | peak MB |\n|---|---|---|---|---|---|---|"
    )
    plain = _median(found["plain", "facenet"], "rate")
    cores = os.cpu_count() or 1
    rows = []
    for (name, space), measured in found.items():
        if name == "stages":
            continue
        rate, spent = _median(measured, "rate"), _median(measured, "core_seconds")
        over = None
        if name != "plain":
            over = _median(measured, "seconds") / (_median(found["stages", space], "core_seconds") / cores)
        rows.append({"name": name, "space": space, "rate": rate, "over": over, "mb": _median(measured, "mb")})
        print(
            f"| {name} | {space} | {rate:.1f} | {rate / plain:.2f} | {f'{over:.2f}' if over else '-'} | "
            f"{1000 * spent / (len(files) - WARM):.1f} | {rows[-1]['mb']:.0f} |"
        )
    stages = {space: {k: found["stages", space][0][k] for k in STAGES} for space in args.spaces}
    keep("pipeline", {"photographs": len(files) - WARM, "rows": rows, "stages_core_ms": stages})
    for space in args.spaces:
        one = found[("stages", space)][0]
        print(f"\n{space}, core-ms a photograph: " + ", ".join(f"{k} {one[k]:.1f}" for k in STAGES))


STAGES = ("decode", "detect", "crop", "embed")


def _ours(files: list[Path], space: str) -> dict[str, float]:
    describer = _describer(space)
    list(describer.describe_files([(path, path.name) for path in files[:WARM]], "central"))
    clock = Clock()
    found = list(describer.describe_files([(path, path.name) for path in files[WARM:]], "central"))
    return clock.measured(len(found))


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
    each = {stage: 1000 * seconds / len(files) for stage, seconds in spent.items()}
    return {**Clock().measured(len(files)), **each, "core_seconds": sum(spent.values())}


def _command(files: list[Path], space: str, *words: str) -> dict[str, float]:
    """A command as somebody types it, in a folder that later ones find again."""
    from reid.cli import main as byteface

    folder = Path(os.environ["BYTEFACE_DATA"])
    root = files[0].parents[1]
    table = folder / "table.csv"
    lines = [f"{path.relative_to(root)},{path.parent.name}" for path in files[WARM:]]
    table.write_text("\n".join(["image_path,gt", *lines]) + "\n", encoding="utf-8")
    clock = Clock()
    with contextlib.redirect_stdout(sys.stderr):
        done = byteface([words[0], words[1], str(table), "--root-dir", str(root), "--space", space, "--weights", "ms1m",
                         "--face", "central", *words[2:]])  # fmt: skip
    assert done == 0
    return clock.measured(len(files) - WARM)


def _build(files: list[Path], space: str) -> dict[str, float]:
    out = Path(os.environ["BYTEFACE_DATA"]) / f"{space}.db"
    out.unlink(missing_ok=True)
    return _command(files, space, "build-gallery", "--train-csv", "--out", str(out))


def _predict(files: list[Path], space: str) -> dict[str, float]:
    folder = Path(os.environ["BYTEFACE_DATA"])
    out = str(folder / "answers.csv")
    return _command(files, space, "predict", "--eval-csv", "--gallery", str(folder / f"{space}.db"), "--out", out)


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
        clock = Clock()
        for path in files[WARM:]:
            one(path)
        return clock.measured(len(files) - WARM)


CONTENDERS: dict[str, Callable[[list[Path], str], dict[str, float]]] = {
    "plain": _plain,
    "ours": _ours,
    "stages": _stages,
    "build": _build,
    "predict": _predict,
}


def _describer(space: str) -> Any:
    from reid.describe import Describer
    from reid.settings import Settings

    return Describer.load(replace(Settings.from_env(), space=space, weights="ms1m"), progress=False)


class Clock:
    """What has passed, on the wall and of the processor, since it was made."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def measured(self, count: int) -> dict[str, float]:
        seconds = time.perf_counter() - self._wall
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        spent = time.process_time() - self._processor
        return {"seconds": seconds, "rate": count / seconds, "mb": peak, "core_seconds": spent}


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
    parser.add_argument("--only", choices=tuple(CONTENDERS), help="one contender, in this process")
    return parser.parse_args()


if __name__ == "__main__":
    main()
