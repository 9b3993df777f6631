"""What a run leaves to look at: log.csv, TensorBoard events and a picture of loss and validation.

Rewritten whole after every epoch from the history in the checkpoint: a resumed run has no gap and no double row.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reid.weights.files import storage_errors, write_together

log = logging.getLogger(__name__)

LOG, PLOT, EVENTS = "log.csv", "training.png", "tensorboard"


def write_logs(run: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """log.csv and training.png of all epochs so far.

    Raises:
        WeightsError: the disk is full or read-only.
    """
    if not history:
        return
    text = io.StringIO()
    columns = list(dict.fromkeys(column for row in history for column in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    with storage_errors(run):
        write_together(run, {LOG: text.getvalue().encode(), PLOT: _plot(history)})


def write_events(run: Path, row: Mapping[str, Any]) -> None:
    """One epoch for TensorBoard, where it is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        log.info("no TensorBoard events: tensorboard is not installed")
        return
    with SummaryWriter(str(run / EVENTS), purge_step=int(row["epoch"])) as writer:
        for name, value in row.items():
            if name != "epoch" and isinstance(value, int | float):
                writer.add_scalar(name, value, int(row["epoch"]))


def _plot(history: Sequence[Mapping[str, Any]]) -> bytes:
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _lines(left, history, ("loss", "label_loss", "distil_loss"), "loss")
    _lines(right, history, ("clean", "degraded", "rank1", "strangers"), "validation: DIR at the FPIR of log.csv")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def _lines(axes: Any, history: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str) -> None:
    for column in columns:
        points = [(row["epoch"], row[column]) for row in history if row.get(column) is not None]
        if points:
            axes.plot(*zip(*points, strict=True), marker=".", label=column)
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("epoch")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(fontsize=8)
