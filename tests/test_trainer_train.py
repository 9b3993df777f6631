"""The loop on a network of three layers: repeatable, resumable at any moment, the same on two processes."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trainer_tiny as tiny

import trainer.train
from reid.errors import SettingsError, TrainingError, WeightsError
from trainer import checkpoint, logs
from trainer.recipes import REFERENCE, Stage
from trainer.runs import refuse_to_lose
from trainer.world import World

ROOT = Path(__file__).resolve().parents[1]
EPOCHS = 5


def child(folder: Path, out: Path, epochs: int, resume: str = "anew", launcher: tuple[str, ...] = ()) -> list[str]:
    return [
        sys.executable,
        *launcher,
        str(ROOT / "tests" / "trainer_tiny.py"),
        str(folder),
        str(out),
        str(epochs),
        resume,
    ]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer.train, "load_module", tiny.tiny_module)
    monkeypatch.setattr(logs, "write_logs", lambda *_: None)  # drawing takes longer than training here
    monkeypatch.setattr(logs, "write_events", lambda *_: None)
    torch.set_num_threads(1)


def test_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    first, second = (tiny.run(tmp_path, name=name) for name in ("one", "two"))
    other = tiny.run(tmp_path, name="three", seed=1)
    assert tiny.digest(dict(first.state)) == tiny.digest(dict(second.state))
    assert tiny.digest(dict(first.state)) != tiny.digest(dict(other.state))


def test_training_learns_what_it_is_shown(tmp_path: Path) -> None:
    trained = tiny.run(tmp_path, recipe=replace(tiny.RECIPE, epochs=6, margin_ramp=0.0))
    assert trained.history[-1]["loss"] < 0.8 * trained.history[0]["loss"]
    assert trained.tuned is not None
    assert trained.frozen is not None
    assert trained.tuned.score >= trained.frozen.score  # alpha 0 is among the candidates
    assert set(trained.by_alpha) == set(tiny.RECIPE.alphas)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a run of six epochs in one process that nobody stopped."""
    folder = tmp_path_factory.mktemp("whole")
    subprocess.run(child(folder, folder / "whole.pt", EPOCHS), cwd=ROOT, env=environment(), check=True, timeout=250)
    return folder / "whole.pt"


def test_a_killed_run_resumes_to_the_weights_of_one_that_was_never_stopped(tmp_path: Path, whole: Path) -> None:
    process = subprocess.Popen(child(tmp_path / "b", tmp_path / "never.pt", EPOCHS), cwd=ROOT, env=environment())
    checkpoints = tmp_path / "b" / "child" / checkpoint.FOLDER
    while not (checkpoints / "epoch-0002").exists() and not (checkpoints / "epoch-0003").exists():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "never.pt").exists()
    command = child(tmp_path / "b", tmp_path / "resumed.pt", EPOCHS, "resume")
    subprocess.run(command, cwd=ROOT, env=environment(), check=True, timeout=250)
    assert json.loads(whole.with_suffix(".json").read_text()) == json.loads((tmp_path / "resumed.json").read_text())
    with (tmp_path / "b" / "child" / "log.csv").open() as log:
        assert [row["epoch"] for row in csv.DictReader(log)] == [str(number + 1) for number in range(EPOCHS)]


def test_two_processes_make_the_same_weights_as_one(tmp_path: Path, whole: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    command = child(tmp_path, tmp_path / "two.pt", EPOCHS, launcher=launcher)
    subprocess.run(command, cwd=ROOT, env=environment(), check=True, timeout=250, capture_output=True)
    one, two = (torch.load(path, weights_only=True) for path in (whole, tmp_path / "two.pt"))
    start = tiny.tiny_module(tiny.weights(tmp_path)).state_dict()
    assert any(not torch.allclose(one[name].float(), start[name].float()) for name in one), "nothing was learnt"
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=1e-2, atol=1e-3)


def test_a_loss_that_is_no_number_stops_and_names_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor(math.nan, requires_grad=True), torch.tensor(0.0)

    monkeypatch.setattr(trainer.train, "label_loss", broken)
    with pytest.raises(TrainingError, match=r"batch 1 of epoch 1 is nan.*begin with [0-9a-f]{12}"):
        tiny.run(tmp_path)


def test_other_shares_to_choose_from_continue_a_run_that_was_trained(tmp_path: Path) -> None:
    trained = tiny.run(tmp_path, recipe=replace(tiny.RECIPE, alphas=(0.25,)))
    again = tiny.run(tmp_path, recipe=replace(tiny.RECIPE, alphas=(1.0,)), resume=True)
    assert (trained.alpha, again.alpha) == (0.25, 1.0)
    assert again.history == trained.history, "no epoch was trained again"


def test_a_full_disk_stops_in_one_sentence_and_the_last_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.run(tmp_path, recipe=replace(tiny.RECIPE, epochs=3))
    kept = checkpoint.load_checkpoint(tmp_path / "run")
    assert kept is not None

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_together", full)
    with pytest.raises(WeightsError, match="is full"):
        checkpoint.save_checkpoint(tmp_path / "run", checkpoint.Checkpoint(9, kept.tensors, kept.state))
    monkeypatch.undo()
    again = checkpoint.load_checkpoint(tmp_path / "run")
    assert again is not None
    assert again.epoch == 3
    assert set(again.tensors) == set(kept.tensors)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path: Path) -> None:
    tiny.run(tmp_path)
    folder = tmp_path / "run" / checkpoint.FOLDER
    damaged = folder / "epoch-0009"
    damaged.mkdir()
    (damaged / "state.json").write_text("{")
    found = checkpoint.load_checkpoint(tmp_path / "run")
    assert found is not None
    assert found.epoch == 3


def test_a_checkpoint_of_another_version_is_refused(tmp_path: Path) -> None:
    tiny.run(tmp_path)
    state = next((tmp_path / "run" / checkpoint.FOLDER).glob("epoch-*")) / "state.json"
    record = json.loads(state.read_text())
    state.write_text(json.dumps(record | {"version": 0}))
    with pytest.raises(WeightsError, match="another version"):
        tiny.run(tmp_path, resume=True)


def test_resuming_with_other_settings_is_refused_by_name(tmp_path: Path) -> None:
    tiny.run(tmp_path)
    with pytest.raises(TrainingError, match=r"other seed\. Give the same"):
        tiny.run(tmp_path, resume=True, seed=4)


def test_stop_and_go_on_after_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tiny.run(tmp_path, name="whole")
    step, calls = trainer.train.Trainer._step, iter(range(1000))

    def interrupted(self: trainer.train.Trainer, batch: object) -> torch.Tensor:
        if next(calls) == 8:
            raise KeyboardInterrupt
        return step(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer.train.Trainer, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tiny.run(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(trainer.train, "load_module", tiny.tiny_module)
    assert tiny.digest(dict(tiny.run(tmp_path, resume=True).state)) == tiny.digest(dict(whole.state))


def test_logs_say_what_happened_and_how_long_the_step_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(trainer.train, "load_module", tiny.tiny_module)
    tiny.run(tmp_path)
    run = tmp_path / "run"
    with (run / "log.csv").open() as log:
        rows = list(csv.DictReader(log))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(0 <= float(row["waiting_share"]) <= 1 and float(row["faces_per_s"]) > 0 for row in rows)
    assert float(rows[0]["lr_backbone"]) > float(rows[-1]["lr_backbone"])
    assert (run / "training.png").read_bytes().startswith(b"\x89PNG")
    assert list((run / "tensorboard").glob("events.*"))


def test_reference_recipe_runs_with_moving_batch_statistics_and_the_weights_as_trained(tmp_path: Path) -> None:
    recipe = replace(REFERENCE, epochs=2, batch=8, lr_backbone=1e-3)
    trained = tiny.run(tmp_path, recipe=recipe)
    start = tiny.tiny_module(tiny.weights(tmp_path)).state_dict()
    assert trained.alpha == 1
    assert not torch.equal(trained.state["last_bn.running_mean"], start["last_bn.running_mean"])


def test_open_set_recipe_leaves_batch_statistics_alone(tmp_path: Path) -> None:
    trained = tiny.run(tmp_path)
    start = tiny.tiny_module(tiny.weights(tmp_path)).state_dict()
    assert torch.equal(trained.state["last_bn.running_mean"], start["last_bn.running_mean"])


def test_before_its_stage_a_part_of_the_network_does_not_learn(tmp_path: Path) -> None:
    recipe = replace(tiny.RECIPE, stages=(Stage(0.0, ("last_",)),), alphas=(1.0,))
    trained = tiny.run(tmp_path, recipe=recipe)
    start = tiny.tiny_module(tiny.weights(tmp_path)).state_dict()
    assert torch.equal(trained.state["conv2d_1a.weight"], start["conv2d_1a.weight"])
    assert not torch.equal(trained.state["last_linear.weight"], start["last_linear.weight"])


def test_without_strangers_or_spare_people_it_says_so_and_trains(tmp_path: Path) -> None:
    from trainer.job import Job
    from trainer.splits import split_of
    from trainer.train import Trainer

    split = split_of(tiny.faces(tmp_path, 2, 3))
    assert any("--strangers-csv" in warning for warning in split.warnings)
    job = Job(replace(tiny.RECIPE, epochs=1), tiny.weights(tmp_path), tmp_path / "run", tmp_path)
    trained = Trainer(job, split, torch.device("cpu"), World()).run(resume=False)
    assert trained.frozen is None
    assert trained.alpha == trainer.train.DEFAULT_ALPHA


def test_another_network_teaches_by_its_similarities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        crop_px = tiny.SIDE_PX

        def embed(self, crops: np.ndarray) -> np.ndarray:
            rows = crops.reshape(len(crops), -1)[:, ::97].astype(np.float32) - 128
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    monkeypatch.setattr("reid.networks.load_network", lambda *_, **__: Other())
    recipe = replace(tiny.RECIPE, epochs=4, label_loss=0.0)
    trained = tiny.run(tmp_path, recipe=recipe, teacher="sface")
    assert trained.history[-1]["distil_loss"] < trained.history[0]["distil_loss"]


def test_a_new_run_does_not_mistake_an_old_ones_checkpoints_for_its_own(tmp_path: Path) -> None:
    tiny.run(tmp_path, recipe=replace(tiny.RECIPE, epochs=3))
    tiny.run(tmp_path, recipe=replace(tiny.RECIPE, epochs=1))
    found = checkpoint.load_checkpoint(tmp_path / "run")
    assert found is not None
    assert found.epoch == 1
    with pytest.raises(SettingsError, match="--resume"):
        refuse_to_lose(tmp_path / "run", resume=False)
    refuse_to_lose(tmp_path / "run", resume=True)


@pytest.mark.parametrize("change", [{"adaface": True}, {"sub_centres": 3}, {"label_loss": 0.0}, {"distil_loss": 0.0}])
def test_every_flag_of_the_head_and_the_losses_trains(tmp_path: Path, change: dict[str, object]) -> None:
    trained = tiny.run(tmp_path, recipe=replace(tiny.RECIPE, epochs=1, **change))  # type: ignore[arg-type]
    assert all(torch.isfinite(value).all() for value in trained.state.values())
