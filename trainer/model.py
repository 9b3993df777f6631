"""The network while it learns: features before normalisation, what is frozen when, and the way back to the start.

Knows Inception-ResNet V1's parameter names; no photographs and no loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from reid.errors import SettingsError
from reid.networks.inception import FEATURES, inception_resnet_v1
from trainer.recipes import Recipe

_NEW_GAIN = 0.1  # of an added dimension: beside the trained ones it starts as good as absent


def student_of(module: nn.Module, dropout: float) -> nn.Module:
    """The module with its output taken before normalisation: (N, 3, H, W) -> (N, dim) of any length.

    facenet-pytorch hands the last BatchNorm's output to `logits` where `classify` is set; there it stays as it is.
    No parameter is added: the state still fits the network of the app.
    """
    setattr(module, "classify", True)  # noqa: B010 - a plain attribute, which nn.Module's annotation denies
    module.logits = nn.Identity()
    module.dropout = nn.Dropout(dropout)
    return module.requires_grad_(True)


def set_mode(module: nn.Module, recipe: Recipe, epoch: int, epochs: int) -> None:
    """What learns in this epoch, and whether batch statistics move."""
    module.train()
    if not recipe.train_batchnorm:
        for part in module.modules():
            if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
                part.eval()
    begun = [stage.parts for stage in recipe.stages if epoch >= round(stage.start * epochs)]
    parts = tuple(part for parts in begun for part in parts)
    for name, parameter in module.named_parameters():
        parameter.requires_grad_("*" in parts or name.startswith(parts))


def margin_at(recipe: Recipe, progress: float) -> float:
    """The margin in radians when `progress` in [0, 1] of the training is done."""
    return recipe.margin_rad * (min(1.0, progress / recipe.margin_ramp) if recipe.margin_ramp else 1.0)


def pull_to_start(parameters: Iterable[tuple[nn.Parameter, Tensor]], strength: float) -> None:
    """Adds the gradient of strength / 2 * ||w - w0||^2 (L2-SP, arXiv 1802.01483, equation 3 with alpha = strength)."""
    for parameter, start in parameters:
        if parameter.grad is not None:
            parameter.grad.add_(parameter.detach() - start, alpha=strength)


def between(start: Mapping[str, Tensor], tuned: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """(1 - alpha) * start + alpha * tuned of every floating tensor (WiSE-FT, arXiv 2109.01903, equation 1)."""
    return {
        name: torch.lerp(start[name].to(value), value, alpha) if value.is_floating_point() else value.clone()
        for name, value in tuned.items()
    }


@torch.no_grad()
def widened(module: nn.Module, dim: int, batches: Iterable[Tensor], seed: int) -> nn.Module:
    """A network with a longer embedding that starts out comparing faces as the old one does.

    The old rows of the last layer stay; the new ones are random directions, standardised over `batches`, at a tenth of
    the old ones' weight.

    Args:
        dim: length of the new embedding, at least the old one's.
        batches: (N, 3, H, W) standardised crops to take the new rows' mean and deviation from.

    Raises:
        SettingsError: `dim` is shorter than the old embedding.
    """
    old_dim = module.get_submodule("last_linear").get_parameter("weight").shape[0]
    if dim == old_dim:
        return module
    if dim < old_dim:
        raise SettingsError(f"These weights give {old_dim} numbers a face; {dim} would throw some away. Ask for more.")
    wide = inception_resnet_v1(dim).eval()
    state = dict(module.state_dict())
    generator = torch.Generator().manual_seed(seed)
    rows = torch.linalg.qr(torch.randn(FEATURES, dim - old_dim, generator=generator)).Q.T
    fresh = {"weight": _NEW_GAIN, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
    state["last_linear.weight"] = torch.cat([state["last_linear.weight"], rows])
    for name, value in fresh.items():
        old = state[f"last_bn.{name}"]
        state[f"last_bn.{name}"] = torch.cat([old, torch.full((dim - old_dim,), value)])
    wide.load_state_dict(state, strict=True)
    responses: list[Tensor] = []
    layer = wide.get_submodule("last_linear")
    hook = layer.register_forward_hook(lambda _module, _inputs, output: responses.append(output.float()))
    for batch in batches:
        wide(batch)
    hook.remove()
    seen = torch.cat(responses)[:, old_dim:]
    batchnorm = wide.get_submodule("last_bn")
    batchnorm.get_buffer("running_mean")[old_dim:] = seen.mean(0)
    batchnorm.get_buffer("running_var")[old_dim:] = seen.var(0).clamp_min(1e-4)
    return wide
