#!/usr/bin/env python3
"""Draws what the benchmarks kept in results/*.json; benchmarks that were not run are left out.

usage: benchmarks/plots.py [--out benchmarks/plots]

Light background, readable on a dark page too; ours is blue, peers are grey, limits are dashed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure  # without pyplot: no global state, no display
from results import read

OURS, PEER, LIMIT, INK, FAINT = "#1f5fbf", "#8a919c", "#b4541a", "#1c2430", "#dfe3e8"
STYLE = {
    "svg.hashsalt": "byteface", "font.size": 9, "font.family": "DejaVu Sans", "text.color": INK, "axes.edgecolor": PEER,
    "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.axisbelow": True, "grid.color": FAINT,
}  # fmt: skip


def main() -> None:
    """Writes one SVG a question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "plots")
    parser.add_argument("--format", choices=("svg", "png"), default="svg")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for name, draw in PLOTS.items():
            kept = read(name)
            if kept is None:
                print(f"{name}: no results, run its benchmark first")
                continue
            figure = draw(kept["figures"])
            note = f"{kept['date']}, {kept['machine']}"
            figure.text(0.995, 0.005, note, ha="right", va="bottom", fontsize=6.5, color=PEER)
            path = args.out / f"{name}.{args.format}"
            figure.savefig(path, metadata={"Date": None} if args.format == "svg" else None, dpi=120)
            print(path)


def _panels(count: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(8, height), facecolor="white", layout="constrained")
    figure.get_layout_engine().set(rect=(0, 0.035, 1, 0.965), wspace=0.06)
    axes = figure.subplots(1, count, squeeze=False)[0]
    return figure, list(axes)


def _bars(axis: Axes, names: Sequence[str], values: Sequence[float], peers: Sequence[bool], digits: int = 1) -> None:
    """The first on top, each with its number."""
    places = range(len(names))[::-1]
    drawn = axis.barh(places, values, color=[PEER if peer else OURS for peer in peers], height=0.7)
    axis.bar_label(drawn, [f"{value:,.{digits}f}" for value in values], padding=3, fontsize=8)
    axis.set_yticks(places, names)
    axis.margins(x=0.16)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x")


def embed(figures: Any) -> Figure:
    """Faces a second in batches, and milliseconds for one alone."""
    rows = [row for row in figures["rows"] if "graph alone" not in row["name"]]
    names = [row["name"] for row in rows]
    peers = ["," not in name or "eager" in name for name in names]
    figure, (many, one) = _panels(2, 4.2)
    _bars(many, names, [row["faces_per_s"] for row in rows], peers)
    many.set_title(f"faces a second, batches of {figures['batch']}", fontsize=9)
    _bars(one, names, [row["one_ms"] for row in rows], peers)
    one.set_title("milliseconds for one face", fontsize=9)
    one.set_yticklabels([])
    return figure


def detect(figures: Any) -> Figure:
    """A frame's milliseconds."""
    figure, (axis,) = _panels(1, 2.6)
    names = [row["name"] for row in figures]
    _bars(axis, names, [row["ms"] for row in figures], ["MTCNN" in name or "OpenCV" in name for name in names])
    axis.set_title("milliseconds for a 1920 x 1080 frame", fontsize=9)
    return figure


def search(figures: Any) -> Figure:
    """Time over the gallery's size, both on logarithmic axes."""
    figure, panels = _panels(2, 3.6)
    shown = {
        "memory": ("one read of the memory", LIMIT, "--"), "argsort": ("product and full sort", "#b9bec6", "-"),
        "faiss": ("FAISS flat", PEER, "-"), "usearch": ("usearch exact", "#5e6672", "-"),
        "nearest": ("ours", OURS, "-"), "gallery": ("ours, names and photograph", "#76a5e8", "-"),
    }  # fmt: skip
    for axis, probes in zip(panels, (1, 32), strict=True):
        rows = [row for row in figures if row["probes"] == probes]
        for key, (label, colour, line) in shown.items():
            points = [(row["templates"], row["ms"][key]) for row in rows if key in row["ms"]]
            axis.loglog(*zip(*points, strict=True), line, color=colour, label=label, marker="o", markersize=3)
        axis.set_title("one probe" if probes == 1 else f"{probes} probes together", fontsize=9)
        axis.set_xlabel("templates")
        axis.set_ylabel("milliseconds")
        axis.grid(which="major")
    panels[0].legend(fontsize=7.5, frameon=False, loc="lower right")
    return figure


def pipeline(figures: Any) -> Figure:
    """Photographs a second, from files to embeddings and as commands."""
    words = {
        "plain": "facenet-pytorch, plain script",
        "ours": "describe",
        "build": "build-gallery",
        "predict": "predict",
    }
    rows = figures["rows"]
    names = [words[row["name"]] + ("" if row["name"] == "plain" else f", {row['space']}") for row in rows]
    figure, (axis,) = _panels(1, 0.8 + 0.28 * len(rows))
    _bars(axis, names, [row["rate"] for row in rows], [row["name"] == "plain" for row in rows])
    axis.set_title(f"photographs a second, of {figures['photographs']} (commands with their start)", fontsize=9)
    return figure


def growth(figures: Any) -> Figure:
    """Time over faces on a picture; time and memory over pictures."""
    figure, (faces, pictures, memory) = _panels(3, 2.8)
    count = [row["faces"] for row in figures["faces"]]
    faces.loglog(count, [row["detect_ms"] for row in figures["faces"]], "o-", color=PEER, label="found", markersize=3)
    faces.loglog(
        count, [row["describe_ms"] for row in figures["faces"]], "o-", color=OURS, label="described", markersize=3
    )
    faces.set_title("milliseconds a picture", fontsize=9)
    faces.set_xlabel("faces on it")
    faces.legend(fontsize=7.5, frameon=False)
    many = [row["pictures"] for row in figures["pictures"]]
    pictures.plot(many, [row["seconds"] for row in figures["pictures"]], "o-", color=OURS, markersize=3)
    pictures.set_title("seconds", fontsize=9)
    memory.plot(many, [row["mb"] for row in figures["pictures"]], "o-", color=OURS, markersize=3)
    memory.set_title("most memory, MB", fontsize=9)
    for axis in (pictures, memory):
        axis.set_xlabel("pictures")
        axis.set_ylim(bottom=0)
    for axis in (faces, pictures, memory):
        axis.grid()
    return figure


PLOTS: dict[str, Callable[[Any], Figure]] = {
    "embed": embed, "detect": detect, "search": search, "pipeline": pipeline, "growth": growth,
}  # fmt: skip


if __name__ == "__main__":
    main()
