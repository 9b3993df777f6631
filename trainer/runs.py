"""The folder that a run leaves: models/<run>/{model.safetensors, config.json, metrics.json} and its logs.

Knows what travels with the weights; neither how they were trained nor how they are published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reid.errors import SettingsError, TrainingError, WeightsError
from reid.types import Threshold
from reid.weights.choice import METRICS
from reid.weights.files import storage_errors, write_together
from reid.weights.store import CONFIG, FORMAT_VERSION, WeightsFile, read_config, write_run
from trainer.checkpoint import has_checkpoint
from trainer.job import Job, Trained
from trainer.splits import Split

VERSION = 1


def run_folder(save_path: Path) -> tuple[Path, str]:
    """The folder that `--save-path` means, and what to tell about it.

    The reference writes a pickle such as models/best_model.pth; of that name a folder is made, with safetensors in it.
    """
    if save_path.suffix.lower() not in {".pth", ".pt", ".safetensors"}:
        return save_path, ""
    folder = save_path.with_suffix("")
    return folder, f"{save_path} is written as {folder / 'model.safetensors'} with its config.json: never as a pickle."


def refuse_to_lose(run: Path, *, resume: bool) -> None:
    """Raises: SettingsError where a finished run, or epochs of an unfinished one, would be lost."""
    if (run / CONFIG).exists():
        raise SettingsError(f"{run} holds a finished run. Choose another --save-path, or say --overwrite if it may go.")
    if has_checkpoint(run) and not resume:
        raise SettingsError(f"{run} holds an unfinished run. Go on with --resume, or say --overwrite if it may go.")


def finish_run(job: Job, split: Split, trained: Trained, *, preprocessing: Mapping[str, Any]) -> WeightsFile:
    """Writes the weights with everything that they need, and what training measured.

    Args:
        preprocessing: detector, smallest face, which face: what the crops were made with.

    Raises:
        WeightsError: the disk is full or read-only; a finished run that was there is still whole.
    """
    base = dict(job.untrained.config)
    people, photos = len(split.labels), len(split.train)
    config = {
        "architecture": base["architecture"],
        "embedding_dim": trained.dim,
        "crop_px": base["crop_px"],
        "standardisation": base["standardisation"],
        "source": job.run.name,
        "title": f"{base.get('title', 'FaceNet')}, fine-tuned",
        "base": {
            "source": _named(job.untrained.source),
            "weights_sha256": job.untrained.sha256,
            "licence": base.get("licence"),
            "training_data": base.get("training_data"),
        },
        "licence": base.get("licence"),
        "training_data": f"{base.get('training_data')}; fine-tuned on {photos:,} photographs of {people:,} people",
        "notice": base.get("notice", ""),
        "recipe": asdict(job.recipe),
        "job": job.fingerprint(split),
        "alpha": trained.alpha,
        "seed": job.seed,
        "preprocessing": dict(preprocessing),
        "thresholds": {},
    }
    merge_metrics(job.run, {"training": _measured(split, trained)})
    return write_run(job.run, trained.state, config)


def _named(source: str) -> str:
    return source if "hub:" in source else Path(source).name


def merge_metrics(run: Path, part: Mapping[str, Any]) -> dict[str, Any]:
    """Adds to metrics.json what one command has measured; what others measured stays.

    Raises:
        TrainingError: what is there is not ours.
        WeightsError: the disk is full or read-only.
    """
    known = read_metrics(run)
    known |= {"version": VERSION, **part}
    with storage_errors(run):
        write_together(run, {METRICS: (json.dumps(known, indent=1) + "\n").encode()})
    return known


def read_metrics(run: Path) -> dict[str, Any]:
    """What was measured so far; empty without a file.

    Raises:
        TrainingError: the file is damaged or of another version.
    """
    path = run / METRICS
    if not path.exists():
        return {}
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read ({error}). Run `byteface evaluate` again.") from error
    if not isinstance(known, dict) or known.get("version") != VERSION:
        raise TrainingError(f"{path} was written by another version. Move it away and run `byteface evaluate` again.")
    return known


def keep_threshold(run: Path, space_id: str, threshold: Threshold) -> None:
    """Adds a calibrated threshold to config.json, under the id of the space that it belongs to.

    Raises:
        WeightsError: no such run, or the disk is full or read-only.
    """
    config = read_run(run)
    config["thresholds"] = {**config.get("thresholds", {}), space_id: asdict(threshold)}
    with storage_errors(run):
        write_together(run, {CONFIG: (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()})


def read_run(run: Path) -> dict[str, Any]:
    """The config of a fine-tuned run.

    Raises:
        WeightsError: it is no folder with weights, pretrained ones, or of another version.
    """
    config = read_config(run)
    if config.get("format_version") != FORMAT_VERSION:
        raise WeightsError(
            f"{run} was written by another version ({config.get('format_version')}, this reads {FORMAT_VERSION}). "
            "Use the version that wrote it, or train the run again."
        )
    if "recipe" not in config:
        raise WeightsError(f"{run} holds pretrained weights, no run of ours. Train one with `byteface train`.")
    return config


def _measured(split: Split, trained: Trained) -> dict[str, Any]:
    return {
        "people": len(split.labels),
        "photographs": len(split.train),
        "unlabelled": len(split.unlabelled),
        "validation": split.origin,
        "alpha": trained.alpha,
        "best_epoch": trained.best_epoch,
        "by_alpha": {f"{alpha:g}": score for alpha, score in trained.by_alpha.items()},
        "frozen": trained.frozen.as_json() if trained.frozen else None,
        "tuned": trained.tuned.as_json() if trained.tuned else None,
        "epochs": trained.history,
    }
