#!/usr/bin/env python3
"""Many clients at once, for minutes, on this machine's own loopback: errors, waiting times, memory.

usage: benchmarks/load.py --photos DIR [--clients 32] [--minutes 3] [--enrol-share 0.1]

Each client is a `gradio_client` that probes a photograph of DIR, or enrols one under a name of its own, waits for the
answer, and goes on. The app starts with an empty gallery in a temporary folder. A client that is told that the page is
busy counts as *busy*, any other failure as an error. Prints Markdown; exits 1 where there was an error.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from gradio_client import Client, handle_file
from serving import memory_mib, serving

BUSY = ("busy", "queue is full", "too many")


@dataclass
class Tally:
    """What the clients met; shared by their threads."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    busy: int = 0
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> int:
    """Prints the table."""
    args = _arguments()
    photos = sorted(path for path in args.photos.rglob("*.jpg"))
    tally, memory, stop = Tally(), list[tuple[float, float]](), threading.Event()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (app, address):
        begun = time.monotonic()
        with ThreadPoolExecutor(args.clients) as pool:
            for number in range(args.clients):
                pool.submit(_client, number, address, photos, args.enrol_share, tally, stop)
            while time.monotonic() - begun < 60 * args.minutes:
                time.sleep(5)
                memory.append((time.monotonic() - begun, memory_mib(app.pid, "VmRSS")))
            stop.set()
        took = time.monotonic() - begun
    _print(args, tally, memory, took)
    return 1 if tally.errors else 0


def _client(
    number: int, address: str, photos: list[Path], enrol_share: float, tally: Tally, stop: threading.Event
) -> None:
    chance, client, enrolled = random.Random(number), Client(address, verbose=False), 0
    while not stop.is_set():
        photo = handle_file(str(chance.choice(photos)))
        what = "enrol" if chance.random() < enrol_share else "probe"
        begun = time.monotonic()
        try:
            if what == "enrol":
                client.predict(f"Person {number} {enrolled}", [photo], api_name="/enrol")
                enrolled += 1
            else:
                client.predict([photo], api_name="/search")
        except Exception as error:  # whatever it is, the table says it
            with tally.lock:
                if any(word in str(error).lower() for word in BUSY):
                    tally.busy += 1
                else:
                    tally.errors.append(f"{what}: {error}"[:200])
            continue
        with tally.lock:
            tally.seconds[what].append(time.monotonic() - begun)


def _print(args: argparse.Namespace, tally: Tally, memory: list[tuple[float, float]], took: float) -> None:
    print(f"{args.clients} clients, {took / 60:.1f} minutes, {len(tally.errors)} errors, {tally.busy} told to wait\n")
    print("| | done | a second | median, s | 95th, s | longest, s |\n|---|---|---|---|---|---|")
    for what, seconds in sorted(tally.seconds.items()):
        median, most = np.percentile(seconds, [50, 95])
        print(
            f"| {what} | {len(seconds)} | {len(seconds) / took:.1f} | {median:.2f} | {most:.2f} | {max(seconds):.2f} |"
        )
    sizes = [size for _, size in memory]
    middle = len(sizes) // 2
    print(
        f"\nMemory of the server, MiB: {sizes[0]:.0f} after 5 s, {sizes[middle]:.0f} half-way, "
        f"{sizes[-1]:.0f} at the end"
    )
    for error in tally.errors[:5]:
        print(f"error: {error}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--enrol-share", type=float, default=0.1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
