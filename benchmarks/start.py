#!/usr/bin/env python3
"""How long a warm start takes, and what the serving process needs: from `python app.py` to the first probe's answer.

usage: benchmarks/start.py --photo FILE [--people 100000] [--rounds 3]

Warm: weights and graphs are kept from an earlier start. The photograph is probed through the page's own endpoint, as a
program would. The gallery holds synthetic templates of the default space, one photograph a person. Limits: `import
reid` 0.3 s, the first answer 5 s after the start, 1.5 GiB at the most. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from gradio_client import Client, handle_file
from results import keep
from search import fill
from serving import memory_mib, processor_s, serving

from reid.describe import Describer
from reid.gallery import open_gallery
from reid.settings import Settings


def main() -> None:
    """Prints one line a measure."""
    args = _arguments()
    print(f"{args.people:,} people enrolled, {os.cpu_count()} cores, medians of {args.rounds} starts\n")
    print("| | measured | limit |\n|---|---|---|")
    figures = {"people": args.people, "import reid": _median(_import_s, args.rounds)}
    print(f"| `import reid` | {figures['import reid']:.2f} s | 0.3 s |")
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder) / "gallery.db", args.people)
        found = [_start(Path(folder), args.photo) for _ in range(args.rounds)]
    for name, unit_, limit in (
        ("page answers", "s", ""), ("first probe answered", "s", "5 s"), ("second probe alone", "s", ""),
        ("processor time until then", "s", ""), ("most memory", "MiB", "1536 MiB"),
    ):  # fmt: skip
        figures[name] = statistics.median(one[name] for one in found)
        print(f"| {name} | {figures[name]:.2f} {unit_} | {limit} |")
    keep("start", figures)


def _median(measure: object, rounds: int) -> float:
    assert callable(measure)
    return statistics.median(measure() for _ in range(rounds))


def _import_s() -> float:
    """In a process of its own, less what Python itself takes."""
    code = "import time; start = time.perf_counter(); import reid; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def _fill(path: Path, people: int) -> None:
    space = Describer.load(Settings.from_env(), progress=False).space
    gallery = open_gallery(str(path), space_id=space.id, dim=space.dim, description=json.dumps(space.description))
    with closing(gallery):
        fill(gallery, people, space.dim, 1)


def _start(folder: Path, photo: Path) -> dict[str, float]:
    begun = time.perf_counter()
    with serving(folder) as (app, address):
        page_s = time.perf_counter() - begun
        client = Client(address, verbose=False)
        client.predict([handle_file(str(photo))], api_name="/search")
        first_s, spent_s = time.perf_counter() - begun, processor_s(app.pid)
        again = time.perf_counter()
        client.predict([handle_file(str(photo))], api_name="/search")
        return {
            "page answers": page_s,
            "first probe answered": first_s,
            "processor time until then": spent_s,
            "second probe alone": time.perf_counter() - again,
            "most memory": memory_mib(app.pid),
        }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, required=True)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
