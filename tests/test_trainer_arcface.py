"""The head against formulas written another way, in float64, gradients included."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from trainer.arcface import AdaFace, ArcFaceHead, add_angle


def random_case(seed: int = 0, people: int = 7, dim: int = 12, batch: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = 3 * torch.randn(batch, dim, dtype=torch.float64, generator=generator)
    return features, torch.randint(people, (batch,), generator=generator)


def formula(features: np.ndarray, weight: np.ndarray, labels: np.ndarray, s: float, m: float) -> np.ndarray:
    """ArcFace, equation 3, written with the arc cosine and loops."""
    logits = np.zeros((len(features), len(weight)))
    for row, feature in enumerate(features):
        for column, centre in enumerate(weight):
            angle = math.acos(feature @ centre / math.sqrt((feature @ feature) * (centre @ centre)))
            if column != labels[row]:
                logits[row, column] = s * math.cos(angle)
            elif angle + m <= math.pi:
                logits[row, column] = s * math.cos(angle + m)
            else:
                logits[row, column] = s * (math.cos(angle) - 1 + math.cos(m))
    return logits


@pytest.mark.parametrize("margin", [0.0, 0.3, 0.5, 1.2])
def test_logits_are_those_of_the_paper_written_with_angles(margin: float) -> None:
    features, labels = random_case()
    head = ArcFaceHead(12, 7, scale=30, margin_rad=margin).double()
    expected = formula(features.numpy(), head.weight.detach().numpy(), labels.numpy(), 30, margin)
    np.testing.assert_allclose(head(features, labels).detach().numpy(), expected, rtol=0, atol=1e-12)


def test_a_hopeless_example_beyond_pi_keeps_falling_with_its_angle() -> None:
    head = ArcFaceHead(2, 2, margin_rad=0.5).double()
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    angles = torch.linspace(0, math.pi, 400, dtype=torch.float64)
    features = torch.stack([angles.cos(), angles.sin()], 1)
    own = head(features, torch.zeros(400, dtype=torch.long))[:, 0]
    steps = own.diff()
    assert (steps < 0).all()
    assert steps.abs().max() < 0.3  # and without a jump at pi - m
    np.testing.assert_allclose(
        own.detach().numpy(), formula(features.numpy(), np.eye(2), np.zeros(400, int), 30, 0.5)[:, 0], atol=1e-2
    )


@pytest.mark.parametrize("sub_centres", [1, 3])
def test_gradients_are_the_numerical_ones(sub_centres: int) -> None:
    features, labels = random_case(batch=5)
    head = ArcFaceHead(12, 7, scale=4, sub_centres=sub_centres).double()
    features.requires_grad_()

    def loss(inputs: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        logits = torch.func.functional_call(head, {"weight": weight}, (inputs, labels))
        return F.cross_entropy(logits, labels)

    assert torch.autograd.gradcheck(loss, (features, head.weight.detach().clone().requires_grad_()))


def test_gradients_are_those_of_the_arc_cosine_form() -> None:
    features, labels = random_case(3)
    head = ArcFaceHead(12, 7).double()
    features.requires_grad_()
    F.cross_entropy(head(features, labels), labels).backward()
    ours = features.grad
    features.grad = None
    cosines = F.normalize(features, dim=1) @ F.normalize(head.weight, dim=1).T
    one_hot = F.one_hot(labels, 7).bool()
    F.cross_entropy(30 * torch.where(one_hot, (cosines.acos() + 0.5).cos(), cosines), labels).backward()
    torch.testing.assert_close(ours, features.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_features_on_or_against_their_centre_give_finite_gradients(dtype: torch.dtype, sign: float) -> None:
    head = ArcFaceHead(8, 3)
    features = (sign * 5 * F.normalize(head.weight.detach(), dim=1)).to(dtype).requires_grad_()
    labels = torch.arange(3)
    logits = head(features, labels)
    F.cross_entropy(logits, labels).backward()
    assert logits.dtype == torch.float32
    for tensor in (logits, features.grad, head.weight.grad):
        assert tensor is not None
        assert torch.isfinite(tensor).all()


def test_under_bfloat16_autocast_cosines_stay_in_float32() -> None:
    features, labels = random_case()
    head = ArcFaceHead(12, 7)
    exact = head(features.float(), labels)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(head(features.float(), labels), exact, rtol=0, atol=0)
        rounded = head(features.bfloat16(), labels)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0.4)


def test_imprinted_head_names_every_class_mean() -> None:
    means = torch.randn(6, 16, generator=torch.Generator().manual_seed(1))
    for sub_centres in (1, 3):
        head = ArcFaceHead(16, 6, sub_centres=sub_centres)
        head.imprint(means)
        cosines = head.cosines(means)
        assert cosines.argmax(1).tolist() == list(range(6))
        assert cosines.diagonal().min() > 0.99
        assert len(torch.unique(head.weight.detach(), dim=0)) == 6 * sub_centres


def test_sub_centres_take_the_nearest_of_an_identity() -> None:
    features, _ = random_case()
    head = ArcFaceHead(12, 7, sub_centres=3).double()
    weight = F.normalize(head.weight.detach(), dim=1).view(7, 3, 12)
    expected = [[max(float(F.normalize(f, dim=0) @ c) for c in centres) for centres in weight] for f in features]
    np.testing.assert_allclose(head.cosines(features).detach().numpy(), expected, atol=1e-12)


def test_adaface_margin_follows_the_length_of_the_feature_as_in_the_paper() -> None:
    features, labels = random_case(5)
    head = ArcFaceHead(12, 7, margin_rad=0.4, adaface=AdaFace(concentration=0.333)).double().eval()
    with torch.no_grad():
        head.mean_length.fill_(10.0)
        head.deviation_length.fill_(2.0)
    found = head(features, labels).detach().numpy()
    weight = head.weight.detach().numpy()
    for row, label in enumerate(labels.tolist()):
        feature = features[row].numpy()
        length = float(np.linalg.norm(feature))
        quality = min(1.0, max(-1.0, (length - 10.0) / ((2.0 + 1e-3) / 0.333)))
        angle = math.acos(feature @ weight[label] / length / np.linalg.norm(weight[label]))
        expected = 30 * (math.cos(angle - 0.4 * quality) - (0.4 + 0.4 * quality))
        assert found[row, label] == pytest.approx(expected, abs=2e-5)


def test_adaface_statistics_move_in_training_only() -> None:
    features, labels = random_case()
    head = ArcFaceHead(12, 7, adaface=AdaFace())
    head.eval()(features.float(), labels)
    assert float(head.mean_length) == 20
    head.train()(features.float(), labels)
    assert float(head.mean_length) == pytest.approx(20 + 0.01 * (float(features.norm(dim=1).mean()) - 20), rel=1e-5)


def test_add_angle_is_the_cosine_of_the_sum_for_either_sign() -> None:
    angles = torch.linspace(0.6, math.pi - 0.6, 50, dtype=torch.float64)
    for shift in (0.5, -0.5):
        found = add_angle(angles.cos(), torch.tensor(shift, dtype=torch.float64))
        torch.testing.assert_close(found, (angles + shift).cos(), rtol=0, atol=1e-12)
