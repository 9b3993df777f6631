"""Other people's files of Inception-ResNet V1 -> a state dict for facenet-pytorch's module, nothing left over.

Reads arrays only: an HDF5 file is opened without Keras, a .pt file with `weights_only=True`, so no code in them runs.
"""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reid.errors import WeightsError

if TYPE_CHECKING:
    import torch

_BLOCK = re.compile(r"Block(35|17|8)_(\d+)_(.+)")
_REPEAT = {"35": "repeat_1", "17": "repeat_2", "8": "repeat_3"}
_BRANCH = re.compile(r"Branch_(\d)_Conv2d_(?:(\d[a-z])_)?\d+x\d+")
# the order of the convolutions inside a branch, as the paper's layer names count them
_STEPS = {"0a": 0, "0b": 1, "0c": 2}


def from_keras(path: Path) -> dict[str, torch.Tensor]:
    """State dict of the 128-D network in a Keras HDF5 file.

    Kernels HWIO -> OIHW, the dense layer transposed, BatchNorm with gamma = 1 (Keras `scale=False`).

    Raises:
        WeightsError: not that network: a layer is missing, unknown or of another shape.
    """
    import h5py
    import torch

    state: dict[str, torch.Tensor] = {}
    try:
        with h5py.File(path, "r") as file:
            layers = file["model_weights"]
            for name in layers:
                if len(layers[name]):
                    arrays = {key.partition(":")[0]: np.asarray(value) for key, value in layers[name][name].items()}
                    state.update({k: torch.from_numpy(v) for k, v in _torch_layer(name, arrays).items()})
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise WeightsError(f"{path.name} is not a Keras file of Inception-ResNet V1 ({error}).{_REPORT}") from error
    check_complete(state, path.name)
    return state


def from_release(path: Path) -> dict[str, torch.Tensor]:
    """State dict of one of facenet-pytorch's releases, without the classifier of its training people.

    Raises:
        WeightsError: the file is damaged, holds anything but tensors, or is not that network.
    """
    import torch

    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path.name} holds more than tensors, or is damaged; nothing in it was run. "
            "Delete it and download it again from its publisher."
        ) from error
    if not isinstance(loaded, dict):
        raise WeightsError(f"{path.name} is not a state dict.{_REPORT}")
    state = {str(key): value for key, value in loaded.items() if not str(key).startswith("logits.")}
    check_complete(state, path.name)
    return state


_REPORT = " Nothing was changed; check that it is the file that its publisher names."


def check_complete(state: dict[str, torch.Tensor], filename: str) -> None:
    """Raises: WeightsError unless `state` fills every parameter and buffer of the network, and holds no more."""
    from reid.networks.inception import state_shapes

    dim = int(state["last_linear.weight"].shape[0]) if "last_linear.weight" in state else 512
    wanted = state_shapes(dim)
    # older PyTorch files lack the batch counter, which only training reads
    for key in wanted.keys() - state.keys():
        if key.endswith(".num_batches_tracked"):
            import torch

            state[key] = torch.zeros((), dtype=torch.long)
    found = {key: tuple(value.shape) for key, value in state.items()}
    if found != wanted:
        odd = sorted({key for key, _ in found.items() ^ wanted.items()})
        raise WeightsError(f"{filename} does not fit Inception-ResNet V1: {len(odd)} layers, {odd[0]} first.{_REPORT}")


def _torch_layer(name: str, arrays: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """One Keras layer's arrays under the names and in the layout of the PyTorch module."""
    is_norm = name.endswith("_BatchNorm")
    prefix = _torch_name(name.removesuffix("_BatchNorm"))
    if prefix == "Bottleneck":
        prefix = "last_bn" if is_norm else "last_linear"
    elif is_norm:
        prefix += ".bn"
    elif "bias" not in arrays:
        prefix += ".conv"
    if is_norm:
        return {
            f"{prefix}.weight": np.ones_like(arrays["beta"]),
            f"{prefix}.bias": arrays["beta"],
            f"{prefix}.running_mean": arrays["moving_mean"],
            f"{prefix}.running_var": arrays["moving_variance"],
        }
    kernel = arrays["kernel"]  # (H, W, in, out), or (in, out) of the dense layer
    out = {f"{prefix}.weight": np.ascontiguousarray(kernel.transpose((3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)))}
    if "bias" in arrays:
        out[f"{prefix}.bias"] = arrays["bias"]
    return out


def _torch_name(layer: str) -> str:
    """`Block35_2_Branch_1_Conv2d_0b_3x3` -> `repeat_1.1.branch1.1`; `Conv2d_1a_3x3` -> `conv2d_1a`."""
    if block := _BLOCK.fullmatch(layer):
        kind, number, rest = block.groups()
        last = kind == "8" and number == "6"
        parent = "block8" if last else f"{_REPEAT[kind]}.{int(number) - 1}"
        return f"{parent}.{_branch_name(rest)}"
    for mixed in ("Mixed_6a", "Mixed_7a"):
        if layer.startswith(mixed):
            return f"{mixed.lower()}.{_branch_name(layer.removeprefix(mixed + '_'), mixed)}"
    if layer.startswith("Conv2d_"):
        return layer.rpartition("_")[0].lower()
    if layer == "Bottleneck":
        return layer
    raise ValueError(f"unknown layer {layer}")


def _branch_name(rest: str, mixed: str = "") -> str:
    """`Branch_1_Conv2d_0b_3x3` -> `branch1.1`; a branch of a single convolution has no number."""
    if rest == "Conv2d_1x1":
        return "conv2d"
    match = _BRANCH.fullmatch(rest)
    if match is None:
        raise ValueError(f"unknown branch {rest}")
    branch, step = match.groups()
    if step is None or (mixed == "Mixed_6a" and branch == "0"):
        return f"branch{branch}"
    if step == "1a":  # the strided convolution that closes a branch of a reduction block
        closing = {"Mixed_6a": {"1": 2}, "Mixed_7a": {"0": 1, "1": 1, "2": 2}}
        return f"branch{branch}.{closing[mixed][branch]}"
    return f"branch{branch}.{_STEPS[step]}"
