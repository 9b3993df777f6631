"""Which weights `facenet` gets where nobody names any: the best run of this machine, or the pretrained ones.

Reads configs and metrics of a models folder; loads no network and downloads nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid.weights.store import CONFIG

AUTO = "auto"
PRETRAINED = "ms1m"
METRICS = "metrics.json"
_FROM_HUB = "hub--"


@dataclass(frozen=True, slots=True)
class BestRun:
    """A run that beat the weights it started from, on people outside of training and beyond the interval.

    Attributes:
        folder: models/<run>.
        tuned: DIR at FPIR 1 % of `facenet` with it.
        frozen: the same of the weights that it started from.
    """

    folder: Path
    tuned: float
    frozen: float

    def told(self, gallery: str) -> str:
        """One sentence about the run for the users of a gallery of other weights, and one about how to get there."""
        return (
            f"{self.folder} is better than the weights of this gallery: DIR {self.tuned:.3f} instead of "
            f"{self.frozen:.3f} at FPIR 1 %, on people outside of its training. "
            f"Bring the gallery to it with `byteface reembed --gallery {gallery}`."
        )


def best_run(models_dir: Path) -> BestRun | None:
    """Of those runs the one of highest DIR at FPIR 1 %; None where there is none.

    What was downloaded from the Hub does not count: others measured it, on people of theirs, so it must be named.
    """
    found = [run for path in sorted(models_dir.glob(f"*/{METRICS}")) if (run := _better(path)) is not None]
    return max(found, key=lambda run: run.tuned) if found else None


def named(weights: str, models_dir: Path) -> str:
    """`auto` as the folder of the best run, or of the pretrained weights without one; any other name as it is."""
    if weights != AUTO:
        return weights
    best = best_run(models_dir)
    return str(best.folder) if best else PRETRAINED


def _better(path: Path) -> BestRun | None:
    folder = path.parent
    if folder.name.startswith(_FROM_HUB) or not (folder / CONFIG).is_file():
        return None
    try:
        result: Any = json.loads(path.read_text(encoding="utf-8"))["evaluation"]["facenet"]
        gain = result["difference"]["dir_at_fpir"]["0.01"]["low"]
        rates = [float(result[role]["open_set"]["dir_at_fpir"]["0.01"]["value"]) for role in ("tuned", "frozen")]
        return BestRun(folder, *rates) if gain > 0 else None
    except (OSError, ValueError, KeyError, TypeError):  # unfinished, or not measured beside the frozen weights
        return None
