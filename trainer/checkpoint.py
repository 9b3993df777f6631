"""The state of a run on disk: tensors as safetensors, the rest as JSON, whole or not there, nothing unpickled.

Knows names and tensors; no network and no recipe.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from reid.errors import WeightsError
from reid.weights.files import replacing_folder, storage_errors, write_together

log = logging.getLogger(__name__)

VERSION = 1
FOLDER = "checkpoints"
_TENSORS, _STATE = "state.safetensors", "state.json"


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """Everything that the rest of a run depends on.

    Attributes:
        epoch: how many are done.
        tensors: parameters, buffers and optimiser moments by name.
        state: whatever else, as JSON holds it.
    """

    epoch: int
    tensors: Mapping[str, Tensor]
    state: Mapping[str, Any]


def save_checkpoint(run: Path, checkpoint: Checkpoint) -> None:
    """Keeps a checkpoint; the one before goes only when this one is whole.

    Raises:
        WeightsError: the disk is full or read-only; the checkpoint before is still whole.
    """
    folder = run / FOLDER
    plain = {name: value.detach().cpu().contiguous() for name, value in checkpoint.tensors.items()}
    record = {"version": VERSION, "epoch": checkpoint.epoch, "state": dict(checkpoint.state)}
    with storage_errors(folder):
        with replacing_folder(folder / f"epoch-{checkpoint.epoch:04d}") as part:
            write_together(part, {_TENSORS: save(plain), _STATE: json.dumps(record).encode()})
        for older in _present(run)[:-1]:
            shutil.rmtree(older, ignore_errors=True)


def forget_checkpoints(run: Path) -> None:
    """Removes those of an earlier run, so that they are not taken for this one's."""
    shutil.rmtree(run / FOLDER, ignore_errors=True)


def has_checkpoint(run: Path) -> bool:
    """Whether there is anything to resume."""
    return bool(_present(run))


def load_checkpoint(run: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole; None without any.

    Raises:
        WeightsError: it was written by another version, or none of those there can be read.
    """
    for stray in (run / FOLDER).glob(".epoch-*"):  # of a process that was killed while it wrote
        shutil.rmtree(stray, ignore_errors=True)
    folders = _present(run)
    for folder in reversed(folders):
        try:
            record = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            tensors = load((folder / _TENSORS).read_bytes())
        except (OSError, ValueError, SafetensorError):
            log.warning("checkpoint %s is damaged; trying the one before", folder.name)
            continue
        if record.get("version") != VERSION:
            raise WeightsError(
                f"{folder} was written by another version of the trainer ({record.get('version')}, this is {VERSION}). "
                "Finish it with that version, or start a new run with another --save-path."
            )
        return Checkpoint(int(record["epoch"]), tensors, record["state"])
    if folders:
        raise WeightsError(f"No checkpoint in {run / FOLDER} can be read. Start the run again without --resume.")
    return None


def _present(run: Path) -> list[Path]:
    return sorted((run / FOLDER).glob("epoch-*"))


def optimiser_tensors(optimiser: torch.optim.Optimizer, names: Mapping[int, str]) -> dict[str, Tensor]:
    """The moments of every parameter that has any, as `optimiser.<parameter>.<moment>`.

    Args:
        names: id of a parameter -> its name.
    """
    return {
        f"optimiser.{names[id(parameter)]}.{key}": torch.as_tensor(value)
        for parameter, moments in optimiser.state.items()
        for key, value in moments.items()
    }


def restore_optimiser(
    optimiser: torch.optim.Optimizer, parameters: Mapping[str, torch.nn.Parameter], tensors: Mapping[str, Tensor]
) -> None:
    """Undoes `optimiser_tensors`."""
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            owner, _, key = name.removeprefix("optimiser.").rpartition(".")
            parameter = parameters[owner]
            moved = value if key == "step" else value.to(parameter.device).clone(memory_format=torch.preserve_format)
            if key != "step" and parameter.dim() == 4 and parameter.is_contiguous(memory_format=torch.channels_last):
                moved = moved.contiguous(memory_format=torch.channels_last)
            optimiser.state[parameter][key] = moved
