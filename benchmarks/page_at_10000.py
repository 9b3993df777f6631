"""How long the page itself takes with 10,000 people enrolled: open the gallery, search a name, decide a probe again.

Synthetic embeddings and one small crop each; the time is that of the page's handlers, from the values that the browser
sends to the HTML that it gets. The limit is 0.3 s each. Run: python benchmarks/page_at_10000.py
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from reid.align import CHIP_PX
from reid.detect.base import FaceDetector
from reid.gallery import open_gallery
from reid.images import encode_jpeg
from reid.recognizer import Recognizer
from reid.space import EmbeddingSpace
from reid.types import RGB, Embeddings, Face, Photo, Quality, Template

DIM = 256
LIMIT_S = 0.3


class Nothing:
    """Neither looks nor embeds: the page's own time is measured."""

    name, dim, crop_px, weights_sha256, preprocessing, source = "nothing", DIM, 112, "0" * 64, "none", "synthetic"

    def detect(self, images: list[RGB]) -> list[list[Face]]:
        return [[] for _ in images]

    def embed(self, crops: RGB) -> Embeddings:
        return np.zeros((len(crops), DIM), np.float32)


def rows(count: int, rng: np.random.Generator) -> Embeddings:
    """(count, DIM) random unit rows."""
    drawn = rng.normal(size=(count, DIM)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def filled(folder: Path, people: int, rng: np.random.Generator) -> Recognizer:
    """A gallery of that many people with one photograph each."""
    nothing = Nothing()
    space = EmbeddingSpace([nothing], [1.0])
    gallery = open_gallery(str(folder / "people.db"), space_id=space.id, dim=DIM)
    crop = encode_jpeg(rng.integers(0, 255, (64, 64, 3), np.uint8), 80)
    marks = np.full((5, 2), CHIP_PX / 2, np.float32)
    gallery.add(
        [
            Photo(f"p{n:06d}", f"i{n:06d}", f"Person {n:05d}", crop, marks, row, 0.5, "synthetic.jpg", "2026-01-01")
            for n, row in enumerate(rows(people, rng))
        ]
    )
    detector: FaceDetector = nothing  # type: ignore[assignment]
    return Recognizer(detector, space, gallery)


def measured(action: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median seconds on the clock, and of the processor: on a busy machine only these tell."""
    clock, processor = [], []
    for _ in range(repeats):
        start, start_cpu = time.perf_counter(), time.process_time()
        action()
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - start_cpu)
    return statistics.median(clock), statistics.median(processor)


def main() -> None:
    """Prints one line an action."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    import gradio as gr

    from reid.ui.context import Page, html
    from reid.ui.gallery import GalleryTab
    from reid.ui.probe import ProbeTab
    from reid.ui.session import Sessions, Shot
    from reid.ui.undo import Undos

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        recognizer = filled(Path(folder), args.people, rng)
        sessions = Sessions()
        with gr.Blocks():
            bar, messages, route = html(), html(), html()
            tabs = gr.Tabs()
        with gr.Blocks(), tabs:
            page = Page(recognizer, sessions, bar, messages, Undos(), tabs, route)
            with gr.Tab("Probe"):
                probe = ProbeTab(page)
            with gr.Tab("Gallery"):
                gallery = GalleryTab(page)
        chip = rng.integers(0, 255, (CHIP_PX, CHIP_PX, 3), np.uint8)
        marks = np.full((5, 2), CHIP_PX / 2, np.float32)
        templates = [
            Template(Face((0, 0, 100, 120), marks, 1.0), Quality(50, 0.5, 0, 1, 1), chip, marks, row)
            for row in rows(10, rng)
        ]
        session = sessions.open(None)
        session.add(Shot("shot", "crowd.jpg", "0" * 64, 1200, 800, encode_jpeg(chip), 1.0, templates))
        actions = {
            "open the gallery": lambda: gallery.show_people("", "name"),
            "last page": lambda: gallery.show_people("", "name", 10**6),
            "search a name": lambda: gallery.show_people("son 0123", "name"),
            "decide 10 faces again": lambda: probe.again(session.id, 0.4, 5),
        }
        for action in actions.values():
            action()
        print(f"{args.people:,} people, {DIM}-D; medians of {args.repeats}, limit {LIMIT_S} s")
        for name, action in actions.items():
            clock, processor = measured(action, args.repeats)
            verdict = "ok" if min(clock, processor) < LIMIT_S else "TOO SLOW"
            print(f"{name:24} clock {clock:6.3f} s  processor {processor:6.3f} s  {verdict}")
        recognizer.close()


if __name__ == "__main__":
    main()
