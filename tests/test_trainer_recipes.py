"""Recipes, stages, and the arithmetic between starting and trained weights."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import trainer_tiny as tiny
from torch import nn

from reid.errors import SettingsError
from trainer.model import between, margin_at, pull_to_start, set_mode, student_of
from trainer.recipes import OPEN_SET, RECIPES, REFERENCE, Stage


def test_reference_recipe_has_the_published_numbers() -> None:
    wanted = {
        "epochs": 20, "batch": 32, "weight_decay": 1e-4, "lr_backbone": 5e-5, "lr_head": 1e-3, "lr_min": 1e-6,
        "scale": 30.0, "margin_rad": 0.5, "augmentation": "reference", "imprint": False, "distil_loss": 0.0,
        "l2sp": 0.0, "alphas": (), "train_batchnorm": True, "margin_ramp": 0.0,
    }  # fmt: skip
    assert {name: getattr(REFERENCE, name) for name in wanted} == wanted
    assert RECIPES == {"open-set": OPEN_SET, "reference": REFERENCE}


def test_margin_ramps_from_zero_over_its_share_of_the_training() -> None:
    recipe = replace(OPEN_SET, margin_rad=0.5, margin_ramp=0.25)
    assert [margin_at(recipe, progress) for progress in (0, 0.125, 0.25, 1)] == [0, 0.25, 0.5, 0.5]
    assert margin_at(REFERENCE, 0) == 0.5


def test_stages_wake_the_named_parts_and_frozen_statistics_stay_frozen() -> None:
    module = tiny.TinyNet()
    recipe = replace(OPEN_SET, stages=(Stage(0.2, ("last_",)), Stage(0.5, ("*",))), train_batchnorm=False)
    awake = []
    for epoch in range(4):
        set_mode(module, recipe, epoch, 4)
        awake.append(sorted(name for name, parameter in module.named_parameters() if parameter.requires_grad))
    assert awake[0] == []
    assert all(name.startswith("last_") for name in awake[1])
    assert len(awake[1]) == 3
    assert len(awake[2]) == len(list(module.parameters()))
    assert module.training
    assert not any(part.training for part in module.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d))


def test_student_gives_features_before_normalisation_and_keeps_the_names_of_its_state() -> None:
    module = tiny.TinyNet().eval()
    names = set(module.state_dict())
    pixels = torch.randn(4, 3, 32, 32)
    unit = module(pixels)
    features = student_of(module, 0.0).eval()(pixels)
    torch.testing.assert_close(nn.functional.normalize(features, dim=1), unit)
    assert not torch.allclose(features.norm(dim=1), torch.ones(4))
    assert set(module.state_dict()) == names


def test_weights_between_start_and_end_are_the_weighted_mean() -> None:
    start = {"a": torch.tensor([0.0, 2.0]), "n": torch.tensor(3)}
    tuned = {"a": torch.tensor([1.0, 4.0]), "n": torch.tensor(5)}
    assert between(start, tuned, 0.25)["a"].tolist() == [0.25, 2.5]
    assert between(start, tuned, 0.25)["n"] == 5
    assert torch.equal(between(start, tuned, 1.0)["a"], tuned["a"])


def test_pull_to_start_is_the_gradient_of_half_the_squared_distance() -> None:
    weight = nn.Parameter(torch.randn(5, dtype=torch.float64))
    start = torch.randn(5, dtype=torch.float64)
    loss = 0.3 / 2 * (weight - start).square().sum()
    (expected,) = torch.autograd.grad(loss, weight)
    weight.grad = torch.zeros(5, dtype=torch.float64)
    pull_to_start([(weight, start)], 0.3)
    torch.testing.assert_close(weight.grad, expected)


def test_learning_rate_falls_as_a_cosine_schedule_of_torch_does() -> None:
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=5e-5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=20, eta_min=1e-6)
    for epoch in range(20):
        ours = 1e-6 + (5e-5 - 1e-6) * (1 + math.cos(math.pi * epoch / 20)) / 2
        assert ours == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        optimiser.step()
        schedule.step()


def test_a_longer_embedding_starts_out_comparing_as_the_old_one_and_a_shorter_is_refused() -> None:
    from reid.networks.inception import inception_resnet_v1
    from trainer.model import widened

    torch.manual_seed(0)
    old = inception_resnet_v1(16).eval()
    pixels = torch.randn(6, 3, 96, 96)
    wide = widened(old, 40, [pixels], seed=0).eval()
    with torch.no_grad():
        before, after = old(pixels), wide(pixels)
    assert after.shape == (6, 40)
    torch.testing.assert_close(after @ after.T, before @ before.T, rtol=0, atol=0.2)
    with pytest.raises(SettingsError, match="throw some away"):
        widened(old, 8, [], seed=0)
