"""A recipe that begins with another one: each is a run of its own, and the next starts from its weights.

Knows folders and the order; not how an epoch is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reid.weights import ensure
from reid.weights.store import CONFIG
from trainer import checkpoint, runs
from trainer.job import Job, Trained, refuse_other
from trainer.splits import Split
from trainer.train import Trainer
from trainer.world import World


def train_in_order(job: Job, split: Split, world: World, *, resume: bool, preprocessing: Mapping[str, Any]) -> Trained:
    """Trains what the recipe has before it in folders within the run's, then the recipe, and writes the run.

    Checkpoints go with the end: they hold the head's rows, which are templates of real people.

    Raises:
        TrainingError: the loss is no longer a number, or the run to resume was another one.
        WeightsError: the disk is full; what was finished is still whole.
    """
    weights = job.weights
    for recipe in job.recipe.in_order[:-1]:
        part = replace(job, recipe=recipe, weights=weights, run=job.run / recipe.name)
        if not (resume and _is_there(part, split)):
            _train(part, split, world, resume=resume, preprocessing=preprocessing)
        weights = ensure(str(part.run), job.models_dir, progress=False)
    if weights is not job.weights:
        job = replace(job, weights=weights, origin=job.weights)
    return _train(job, split, world, resume=resume, preprocessing=preprocessing)


def _train(job: Job, split: Split, world: World, *, resume: bool, preprocessing: Mapping[str, Any]) -> Trained:
    trained = Trainer(job, split, world.device, world).run(resume=resume)
    if world.speaks:
        runs.finish_run(job, split, trained, preprocessing=preprocessing)
        checkpoint.forget_checkpoints(job.run)
    world.wait()
    return trained


def _is_there(job: Job, split: Split) -> bool:
    """Whether this part was finished before the run was stopped. Raises: TrainingError if it was another run's."""
    if not (job.run / CONFIG).exists():
        return False
    refuse_other(job.run, job.fingerprint(split), runs.read_run(job.run).get("job", {}))
    return True
