"""What is asked of a training run and what comes out of it, as records. Knows no loop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from reid.errors import TrainingError
from reid.weights.store import WeightsFile
from trainer.recipes import Recipe
from trainer.splits import Split
from trainer.validate import Validation

Teacher = Literal["self", "sface", "none"]


@dataclass(frozen=True, slots=True)
class Job:
    """One training run as it was asked for.

    Attributes:
        weights: where it starts.
        run: folder that it is written to.
        models_dir: where a teacher's weights lie.
        seed: of everything that is drawn.
        embedding_dim: length of the new embedding; None for that of the weights.
        teacher: whose embeddings unlabelled and degraded photographs are pulled to.
        workers: threads that make views; 0 chooses.
        origin: what training began with where `weights` have learnt from these photographs already; None for those.
    """

    recipe: Recipe
    weights: WeightsFile
    run: Path
    models_dir: Path
    seed: int = 0
    embedding_dim: int | None = None
    teacher: Teacher = "self"
    workers: int = 0
    origin: WeightsFile | None = None

    @property
    def untrained(self) -> WeightsFile:
        """The weights that no photograph of this run has moved yet."""
        return self.origin or self.weights

    def fingerprint(self, split: Split) -> dict[str, Any]:
        """What must be the same for a run to be continued: all that its epochs depend on."""
        faces = sorted(f"{face.sha256} {face.label}" for face in (*split.train, *split.unlabelled))
        return {
            # as a checkpoint gives it back: no tuples
            "recipe": of_epochs(json.loads(json.dumps(asdict(self.recipe)))),
            "weights_sha256": self.weights.sha256,
            "seed": self.seed,
            "embedding_dim": self.embedding_dim,
            "teacher": self.teacher,
            "faces": hashlib.sha256("\n".join(faces).encode()).hexdigest(),
        }


def refuse_other(run: Path, wanted: Mapping[str, Any], had: Mapping[str, Any]) -> None:
    """Raises: TrainingError where the fingerprint of the run that is there is another one than this job's."""
    had = {**had, "recipe": of_epochs(had.get("recipe", {}))}
    other = [key for key, value in wanted.items() if value != had.get(key)]
    if other:
        raise TrainingError(
            f"The run in {run} was started with other {', '.join(other)}. Give the same as then, "
            "or start anew with another --save-path."
        )


def of_epochs(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe without what is looked at only when all epochs are over, and without what `weights_sha256` tells."""
    return {name: value for name, value in recipe.items() if name not in {"alphas", "before"}}


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a run ends with.

    Attributes:
        state: parameters and buffers of the network to keep.
        alpha: share of the trained weights in it; 1 where the recipe does not interpolate.
        frozen: validation of the weights it started from; None where nothing could be validated.
        tuned: validation of `state`.
        by_alpha: validation score of each alpha that was tried.
    """

    state: Mapping[str, Tensor]
    dim: int
    alpha: float
    best_epoch: int
    history: list[dict[str, Any]]
    frozen: Validation | None
    tuned: Validation | None
    by_alpha: dict[float, float]
