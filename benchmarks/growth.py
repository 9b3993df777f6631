#!/usr/bin/env python3
"""How time and memory grow with the faces on a picture and with the number of pictures.

usage: benchmarks/growth.py [--faces 1 4 16 64] [--pictures 50 200 800] [--rounds 3]

Pictures are 1920 x 1080 with faces of the demonstration people beside each other; many pictures are
the demonstration photographs again and again, each number in a process of its own, so that its peak memory is its own.
How a search grows with the gallery is `search.py`'s.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from itertools import cycle, islice

import cv2
import numpy as np
from numpy.typing import NDArray
from results import keep

from reid.describe import Describer
from reid.images import read_photograph
from reid.settings import CHECKOUT, Settings
from reid.types import Photograph

FILES = sorted((CHECKOUT / "data" / "demo" / "val").glob("*/*.jpg"))
TILE_PX = 220  # of 250 x 250 photographs whose faces are about 110 px wide


def main() -> None:
    """Prints two tables; with --only, describes so many pictures and prints what it took as JSON."""
    args = _arguments()
    if args.only:
        print(json.dumps(_pictures(args.only)))
        return
    describer = Describer.load(Settings.from_env(), progress=False)
    print("| faces on the picture | found | detect, ms | describe, ms |\n|---|---|---|---|")
    faces = [_faces(describer, count, args.rounds) for count in args.faces]
    for row in faces:
        print(f"| {row['faces']} | {row['found']} | {row['detect_ms']:.1f} | {row['describe_ms']:.1f} |")
    print("\n| pictures | seconds | core-seconds | pictures a second | most memory, MB |\n|---|---|---|---|---|")
    pictures = [_in_its_own_process(count) for count in args.pictures]
    for row in pictures:
        rate = row["pictures"] / row["seconds"]
        print(
            f"| {row['pictures']:.0f} | {row['seconds']:.1f} | {row['core_seconds']:.1f} | {rate:.1f} | "
            f"{row['mb']:.0f} |"
        )
    keep("growth", {"faces": faces, "pictures": pictures})


def _faces(describer: Describer, count: int, rounds: int) -> dict[str, float]:
    photograph = Photograph(_crowd(count), "crowd", "0" * 64)
    found = describer.detect(photograph)
    describer.describe(photograph, found)
    detect, describe = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        describer.detect(photograph)
        detect.append(time.perf_counter() - started)
        started = time.perf_counter()
        describer.describe(photograph, found)
        describe.append(time.perf_counter() - started)
    return {
        "faces": count, "found": len(found), "detect_ms": statistics.median(detect) * 1e3,
        "describe_ms": statistics.median(describe) * 1e3,
    }  # fmt: skip


def _crowd(count: int) -> NDArray[np.uint8]:
    """So many photographs in rows on grey, as large as fit."""
    columns = int(np.ceil(np.sqrt(count * 16 / 9)))
    side = min(TILE_PX, 1920 // columns, 1080 // int(np.ceil(count / columns)))
    picture = np.full((1080, 1920, 3), 127, np.uint8)
    for place, file in enumerate(islice(cycle(FILES), count)):
        tile = cv2.resize(read_photograph(file).pixels, (side, side), interpolation=cv2.INTER_AREA)
        top, left = place // columns * side, place % columns * side
        picture[top : top + side, left : left + side] = tile
    return picture


def _pictures(count: int) -> dict[str, float]:
    describer = Describer.load(Settings.from_env(), progress=False)
    list(describer.describe_files([(path, path.name) for path in FILES], "largest"))
    wall, processor = time.perf_counter(), time.process_time()
    for _ in describer.describe_files(((path, path.name) for path in islice(cycle(FILES), count)), "largest"):
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "pictures": count, "seconds": time.perf_counter() - wall, "core_seconds": time.process_time() - processor,
        "mb": peak,
    }  # fmt: skip


def _in_its_own_process(count: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, "--only", str(count)], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--pictures", type=int, nargs="+", default=[50, 200, 800])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", type=int, help="describe so many pictures, in this process")
    return parser.parse_args()


if __name__ == "__main__":
    main()
