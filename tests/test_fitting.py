"""Which weights are used where nobody names any: the best run's for a new gallery, its own for one that is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reid.cli import main
from reid.errors import WeightsError
from reid.fitting import fitted, weights_of
from reid.gallery.npy import save_npy
from reid.settings import Settings
from reid.space import EmbeddingSpace
from reid.threshold import measured_default
from reid.weights import ensure
from reid.weights.choice import best_run, named
from reid.weights.store import CONFIG


def _measured(folder: Path, tuned: float, low: float) -> None:
    folder.mkdir(exist_ok=True)
    rates = {role: {"open_set": {"dir_at_fpir": {"0.01": {"value": value}}}} for role, value in
             (("tuned", tuned), ("frozen", 0.98))}  # fmt: skip
    result = {**rates, "difference": {"dir_at_fpir": {"0.01": {"low": low}}}}
    (folder / "metrics.json").write_text(json.dumps({"version": 1, "evaluation": {"facenet": result}}))


def test_the_best_run_is_one_that_passed_its_comparison_here(tmp_path: Path) -> None:
    assert best_run(tmp_path) is None
    assert named("auto", tmp_path) == "ms1m"
    for name, tuned, low in (("good", 0.99, 0.004), ("better", 0.995, 0.001), ("unsure", 0.999, -0.001),
                             ("hub--owner--name", 1.0, 0.01), ("odd", 1.0, 1.0)):  # fmt: skip
        _measured(tmp_path / name, tuned, low)
        (tmp_path / name / CONFIG).write_text("{}")
    _measured(tmp_path / "weightless", 1.0, 1.0)
    (tmp_path / "odd" / "metrics.json").write_text("not JSON")
    found = best_run(tmp_path)
    assert found is not None
    assert (found.folder, found.tuned, found.frozen) == (tmp_path / "better", 0.995, 0.98)
    assert named("auto", tmp_path) == str(tmp_path / "better")
    assert named("ms1m", tmp_path) == "ms1m"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """Pretrained weights, and a run of other numbers that is said to be better."""
    import torch
    from safetensors.torch import load_file

    from reid.weights import write_run

    folder = tmp_path_factory.mktemp("models")
    for name in ("ms1m", "sface", "yunet"):
        ensure(name, models_dir)
        (folder / name).symlink_to(models_dir / name)
    file = ensure("ms1m", models_dir)
    state = load_file(file.path)
    state["last_linear.weight"] = state["last_linear.weight"] + 0.01 * torch.randn(
        state["last_linear.weight"].shape, generator=torch.Generator().manual_seed(1)
    )
    config = {key: file.config[key] for key in ("architecture", "embedding_dim", "crop_px", "standardisation")}
    write_run(folder / "tuned", state, {**config, "source": "tuned", "recipe": {}})
    _measured(folder / "tuned", 0.995, 0.002)
    return folder


def _gallery(folder: Path, space: EmbeddingSpace) -> Settings:
    path = folder / "g.npy"
    save_npy(path, ["anna"], np.eye(1, space.dim, dtype=np.float32), [1], space.id)
    return replace(Settings.from_env({}), gallery=str(path))


@pytest.mark.parametrize("name", ["facenet", "facenet+sface@0.3"])
@pytest.mark.parametrize("weights", ["ms1m", "tuned"])
def test_a_gallery_is_opened_with_the_weights_that_it_was_made_with(
    tmp_path: Path, models: Path, name: str, weights: str
) -> None:
    space = EmbeddingSpace.load(name, weights, models, runtime="torch", device="cpu")
    settings = replace(_gallery(tmp_path, space), models_dir=models)
    fit = fitted(settings)
    assert fit.settings.space == name
    assert ensure(fit.settings.weights, models).sha256 == ensure(weights, models).sha256
    assert (fit.better is None) == (weights == "tuned"), "only an older gallery is told about the run"


def test_a_new_gallery_gets_the_best_run(tmp_path: Path, models: Path) -> None:
    fit = fitted(replace(Settings.from_env({}), gallery=str(tmp_path / "new.db"), models_dir=models))
    assert ensure(fit.settings.weights, models).sha256 == ensure("tuned", models).sha256
    assert fit.better is None


def test_weights_that_were_named_are_used_without_a_word(tmp_path: Path, models: Path) -> None:
    settings = replace(
        _gallery(tmp_path, EmbeddingSpace.load("facenet", "ms1m", models, runtime="torch", device="cpu")),
        models_dir=models, weights="ms1m",
    )  # fmt: skip
    assert fitted(settings).better is None
    assert fitted(settings).settings.weights == "ms1m"


def test_a_space_of_weights_that_are_not_here_is_nobody_s(models: Path) -> None:
    assert weights_of("facenet:0123456789ab", models) is None
    assert weights_of("a space of another program", models) is None


def test_commands_say_once_that_a_better_run_is_there(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = _gallery(tmp_path, EmbeddingSpace.load("facenet", "ms1m", models, runtime="torch", device="cpu"))
    monkeypatch.setenv("BYTEFACE_MODELS", str(models))
    (tmp_path / "probes.csv").write_text("image_path\ngone.jpg\n")
    words = ["predict", "--eval-csv", str(tmp_path / "probes.csv"), "--root-dir", str(tmp_path), "--gallery",
             settings.gallery, "--out", str(tmp_path / "s.csv")]  # fmt: skip
    assert main(words) == 0
    said = capsys.readouterr().err
    assert said.count("byteface reembed --gallery") == 1
    assert "DIR 0.995 instead of 0.980" in said
    assert main([*words, "--weights", "ms1m"]) == 0
    assert "reembed" not in capsys.readouterr().err


def test_the_threshold_that_a_run_brings_is_the_space_s(models: Path) -> None:
    path = models / "tuned" / CONFIG
    before = path.read_text()
    space = EmbeddingSpace.load("facenet", "tuned", models, runtime="torch", device="cpu")
    assert space.threshold is None
    carried = {"value": 0.61, "origin": "Measured.", "calibrated": True, "fpir": 0.01, "interval": [0.6, 0.62]}
    try:
        path.write_text(json.dumps({**json.loads(before), "thresholds": {space.id: carried, "other": {}}}))
        found = EmbeddingSpace.load("facenet", "tuned", models, runtime="torch", device="cpu").threshold
        assert found is not None
        assert (found.value, found.interval, found.calibrated) == (0.61, (0.6, 0.62), True)
        for wrong in ({"value": 2.0, "origin": "", "calibrated": True}, {"value": "x"}, [1]):
            path.write_text(json.dumps({**json.loads(before), "thresholds": {space.id: wrong}}))
            with pytest.raises(WeightsError, match="cannot be read"):
                EmbeddingSpace.load("facenet", "tuned", models, runtime="torch", device="cpu")
    finally:
        path.write_text(before)
    assert measured_default(space.id).calibrated is False
