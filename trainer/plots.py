"""Pictures of a measurement: DET curves of one or two systems, and the histogram of similarities.

Knows searches and a name for each; no display is opened.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid import metrics
from reid.metrics import Searches

_FPIRS = np.geomspace(1e-3, 0.3, 60)


def det_plot(systems: Mapping[str, Searches]) -> bytes:
    """FNIR over FPIR, both logarithmic, as PNG; drawn only where at least three alarms support it.

    Source: NIST IR 8271, detection error trade-off of open-set identification.
    """
    figure, axes = _figure(5.2)
    for name, searches in systems.items():
        supported = [fpir for fpir in _FPIRS if metrics.support(int(fpir * len(searches))) != "none"]
        misses = [max(1 - metrics.dir_at_fpir(searches, fpir), 1e-4) for fpir in supported]
        axes.plot(supported, misses, label=name)
    axes.set(xscale="log", yscale="log", xlabel="FPIR: strangers named", ylabel="FNIR: known people missed")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    return _png(figure)


def similarity_plot(searches: Searches) -> bytes:
    """How alike people are to their own template and strangers to their nearest one, as PNG."""
    figure, axes = _figure(6.4)
    bins = np.linspace(-0.2, 1, 61)
    own: NDArray[np.float64] = searches.best[searches.mated & searches.right]
    axes.hist(own, bins, density=True, alpha=0.6, label=f"own template, {len(own):,} probes")
    axes.hist(searches.nonmated, bins, density=True, alpha=0.6, label=f"nearest other, {len(searches):,} searches")
    axes.set(xlabel="similarity (cosine)", ylabel="density")
    axes.legend(fontsize=8)
    return _png(figure)


def _figure(width: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # without pyplot: no global state, no display

    figure = Figure(figsize=(width, 3.8), layout="constrained")
    return figure, figure.subplots()


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
