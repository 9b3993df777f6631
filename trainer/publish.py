"""A run -> the Hub, behind the gate: backbone, config, plots and a card; neither head, nor labels, nor paths.

Knows the run folder and the Hub's client; trains and measures nothing.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid import hub
from reid.errors import GateError, HubError, TrainingError, WeightsError
from reid.networks.inception import state_shapes
from reid.weights.choice import METRICS
from reid.weights.files import storage_errors
from reid.weights.store import CONFIG, SAFETENSORS, read_weights
from trainer import runs
from trainer.card import model_card

GATE_SPACE = "facenet"
MAX_VERIFICATION_LOSS = 0.001
_PLOTS = ("det.png", "similarities.png", "training.png")
_PUBLIC = (
    "format_version", "architecture", "embedding_dim", "crop_px", "standardisation", "source", "title", "base",
    "licence", "training_data", "notice", "recipe", "alpha", "seed", "preprocessing", "thresholds", "weights_file",
    "weights_sha256", "weights_bytes",
)  # fmt: skip
"""What of config.json leaves: a list of what may, so that a field that is added some day does not leave by mistake."""


@dataclass(frozen=True, slots=True)
class Package:
    """What would go: a folder, the files in it, and what the gate has against it."""

    folder: Path
    files: tuple[tuple[str, int], ...]
    refusals: tuple[str, ...]


def refusals(metrics: Mapping[str, Any]) -> list[str]:
    """What the gate has against a run; empty when it may go.

    DIR at FPIR 1 % on people outside of training must beat the frozen weights beyond the paired bootstrap interval, and
    verification must not lose more than 0.1 point.
    """
    result = metrics.get("evaluation", {}).get(GATE_SPACE, {})
    if "tuned" not in result or "frozen" not in result:
        return [
            "It was not measured beside the weights it started from. Run `byteface evaluate --run ... --compare ...` "
            "with people outside of training."
        ]
    reasons = []
    change = result["difference"]["dir_at_fpir"].get("0.01")
    if change is None:
        reasons.append("There were too few searches for FPIR 1 %: at least 300 are needed for a hint.")
    elif change["low"] <= 0:
        reasons.append(
            f"DIR at FPIR 1 % changes by {change['value']:+.4f} [{change['low']:+.4f}, {change['high']:+.4f}] "
            "against the frozen weights: not better beyond the interval."
        )
    loss = result["difference"].get("verification")
    if loss is None:
        reasons.append("Verification was not measured. Run `byteface evaluate` with --pairs-csv.")
    elif loss < -MAX_VERIFICATION_LOSS:
        reasons.append(f"Verification changes by {100 * loss:+.2f} points: more than 0.1 point is lost.")
    return reasons


def gate(run: Path, *, force: bool) -> list[str]:
    """The refusals that were overridden; empty when there are none.

    Raises:
        GateError: there are, and nobody forces it.
    """
    found = refusals(runs.read_metrics(run))
    if found and not force:
        raise GateError("The gate refuses this run. " + " ".join(found) + " To publish it all the same, say --force.")
    return found


@contextmanager
def packed(run: Path, repo_id: str, forced: list[str]) -> Iterator[Package]:
    """A temporary folder with what would go.

    Raises:
        WeightsError: the run is damaged, or its weights hold more than a backbone.
        TrainingError: the metrics are of another version.
    """
    config = runs.read_run(run)
    weights = read_weights(run, run.name, rehash=True)
    _refuse_more_than_backbone(weights.path, int(config["embedding_dim"]))
    public = {key: config[key] for key in _PUBLIC if key in config}
    metrics = runs.read_metrics(run)
    with tempfile.TemporaryDirectory(prefix="byteface-publish-") as name:
        folder = Path(name)
        with storage_errors(folder):
            shutil.copyfile(weights.path, folder / SAFETENSORS)
            (folder / CONFIG).write_text(json.dumps(public, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            (folder / METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
            (folder / "README.md").write_text(model_card(config, metrics, repo_id, forced), encoding="utf-8")
            for plot in _PLOTS:
                if (run / plot).exists():
                    shutil.copyfile(run / plot, folder / plot)
        files = tuple((path.name, path.stat().st_size) for path in sorted(folder.iterdir()))
        yield Package(folder, files, tuple(forced))


def _refuse_more_than_backbone(path: Path, embedding_dim: int) -> None:
    """The head's rows are templates of real people: weights that hold anything but the network stay here."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        extra = set(file.keys()) - set(state_shapes(embedding_dim))
    if extra:
        raise WeightsError(
            f"{path} holds {len(extra)} tensors beside the network, such as {sorted(extra)[0]!r}: it stays here. "
            "Train the run again; a run keeps its head in checkpoints only."
        )


def upload(package: Package, repo_id: str, *, private: bool) -> str:
    """Creates the repository where it is new and commits the folder; returns the commit's id.

    Raises:
        TrainingError: no token, no permission, too many requests, or the Hub cannot be reached.
    """
    try:
        with hub.asked(repo_id) as api:
            api.create_repo(repo_id, private=private, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repo_id, folder_path=package.folder, commit_message="Publish a fine-tuned run of ByteFace"
            )
    except HubError as error:
        raise TrainingError(str(error)) from error
    return str(commit.oid)
