"""A recipe that begins with another one, on a network of three layers: order, way back, and going on after a stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import trainer_tiny as tiny
from safetensors.torch import load_file

import trainer.train
from reid.errors import TrainingError
from reid.weights.store import WeightsFile, read_weights
from trainer import checkpoint, logs
from trainer.job import Job, Trained
from trainer.phases import train_in_order
from trainer.runs import read_run
from trainer.world import World

FIRST = replace(tiny.RECIPE, name="people", epochs=2, distil_loss=0.0, degraded=0.0, alphas=(), before=None)
RECIPE = replace(tiny.RECIPE, epochs=2, alphas=(0.5,), before=FIRST)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_module(weights: WeightsFile) -> torch.nn.Module:
        module = tiny.tiny_module(weights)
        if weights.path.exists():
            module.load_state_dict(load_file(weights.path))
        return module

    monkeypatch.setattr(trainer.train, "load_module", load_module)
    monkeypatch.setattr(logs, "write_logs", lambda *_: None)  # drawing takes longer than training here
    monkeypatch.setattr(logs, "write_events", lambda *_: None)
    torch.set_num_threads(1)


def train(folder: Path, *, resume: bool = False, **changes: Any) -> Trained:
    job = replace(Job(RECIPE, tiny.weights(folder), folder / "run", folder), **changes)
    return train_in_order(job, tiny.split(folder), World(0, 1, CPU), resume=resume, preprocessing={})


def test_the_second_part_starts_from_the_first_and_is_compared_with_what_no_photograph_moved(tmp_path: Path) -> None:
    still = replace(RECIPE, epochs=1, lr_backbone=1e-12, lr_min=1e-12)  # moves nothing
    trained = train(tmp_path, recipe=still)
    first = load_file(tmp_path / "run" / "people" / "model.safetensors")
    untrained = tiny.tiny_module(tiny.weights(tmp_path)).state_dict()
    assert not torch.allclose(first["conv2d_1a.weight"], untrained["conv2d_1a.weight"]), "the first part learnt nothing"
    torch.testing.assert_close(dict(trained.state)["conv2d_1a.weight"], first["conv2d_1a.weight"])
    alone = tiny.run(tmp_path, recipe=replace(still, before=None), name="alone")
    assert trained.frozen == alone.frozen, "compared with the first part instead of the untrained network"
    base = read_run(tmp_path / "run")["base"]
    assert (base["source"], base["weights_sha256"]) == ("tiny", "0" * 64), "the base is what no photograph has moved"


def test_a_run_stopped_in_either_part_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiny.digest(dict(train(tmp_path / "whole").state))
    step = trainer.train.Trainer._step
    for number, at in enumerate((8, 20)):  # five batches an epoch of the first part, six of the second
        calls = iter(range(1000))

        def interrupted(self: Any, batch: Any, calls: Any = calls, at: int = at) -> torch.Tensor:
            if next(calls) == at:
                raise KeyboardInterrupt
            return step(self, batch)

        monkeypatch.setattr(trainer.train.Trainer, "_step", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / str(number))
        monkeypatch.setattr(trainer.train.Trainer, "_step", step)
        assert (tmp_path / str(number) / "run" / "people" / "config.json").exists() == (at == 20)
        assert tiny.digest(dict(train(tmp_path / str(number), resume=True).state)) == whole


def test_a_finished_run_keeps_no_checkpoint_because_the_head_is_people(tmp_path: Path) -> None:
    train(tmp_path)
    assert not checkpoint.has_checkpoint(tmp_path / "run")
    assert not checkpoint.has_checkpoint(tmp_path / "run" / "people")
    names = load_file(read_weights(tmp_path / "run", "run").path)
    assert not [name for name in names if "head" in name]


def test_a_first_part_of_another_run_is_refused_by_name(tmp_path: Path) -> None:
    train(tmp_path)
    (tmp_path / "run" / "config.json").unlink()
    with pytest.raises(TrainingError, match=r"other seed\. Give the same"):
        train(tmp_path, resume=True, seed=3)
