"""Inception-ResNet V1 from a weights file in PyTorch: the reference, and what CUDA, Metal and training use.

Knows neither faces nor spaces; an aligned crop goes in, a unit vector comes out.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from reid.errors import WeightsError
from reid.networks.config import (
    Standardisation,
    not_inception_resnet_v1,
    preprocessing_line,
    read_standardisation,
    require_inception_resnet_v1,
)
from reid.networks.flip import embed_flipped
from reid.networks.inception import empty_module
from reid.types import Embeddings
from reid.weights.store import WeightsFile

__all__ = [
    "FaceNet",
    "Standardisation",
    "choose_device",
    "empty_module",
    "load_module",
    "read_standardisation",
    "standardise",
]

BATCH = 32  # crops at a time: with their mirror images about 0.4 GB of activations; more is not faster


class FaceNet:
    """The client's network; see `reid.networks.base.Network`.

    Inference changes nothing in the module, so threads share it without a lock.
    """

    name = "facenet"

    def __init__(self, weights: WeightsFile, *, device: str = "auto") -> None:
        """Loads the module.

        Raises:
            WeightsError: the file is no Inception-ResNet V1, or its config says how to use it in no known way.
        """
        self.standardisation = read_standardisation(weights)
        self.device = choose_device(device)
        self.module = load_module(weights).to(self.device).eval().requires_grad_(False)
        # convolutions read neighbouring channels: measurably faster on processors and on CUDA
        self._layout = torch.contiguous_format if self.device.type == "mps" else torch.channels_last
        if self._layout is torch.channels_last:
            self.module = self.module.to(memory_format=torch.channels_last)
        self.dim = int(weights.config["embedding_dim"])
        self.crop_px = int(weights.config["crop_px"])
        self.weights_sha256 = weights.sha256
        self.preprocessing = preprocessing_line(self.crop_px, self.standardisation)
        self.source = weights.source

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        return embed_flipped(self._forward, crops, self.crop_px, self.dim, BATCH)

    @torch.inference_mode()
    def _forward(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = torch.from_numpy(np.ascontiguousarray(crops)).to(self.device).permute(0, 3, 1, 2)  # (M, 3, H, W)
        batch = standardise(pixels.float(), self.standardisation).contiguous(memory_format=self._layout)
        return np.asarray(self.module(batch).float().cpu().numpy(), np.float32)


def standardise(pixels: Tensor, how: Standardisation) -> Tensor:
    """(M, 3, H, W) values 0-255 -> what the network was trained on.

    `per_image`: each crop by its own mean and deviation; the deviation is at least 1 / sqrt(3HW), so that an even
    crop gives zeros (`prewhiten` of David Sandberg's FaceNet). `fixed`: (x - 127.5) / 128.
    """
    if how == "fixed":
        return (pixels - 127.5) / 128
    flat = pixels.flatten(1)
    mean = flat.mean(1)[:, None, None, None]
    deviation = flat.std(1, correction=0).clamp_min(flat.shape[1] ** -0.5)[:, None, None, None]
    return (pixels - mean) / deviation


def load_module(weights: WeightsFile) -> nn.Module:
    """The module with the file's parameters, on the processor, every one of them filled.

    Raises:
        WeightsError: the file does not fit Inception-ResNet V1.
    """
    require_inception_resnet_v1(weights)
    try:
        module = empty_module(int(weights.config["embedding_dim"]))
        module.load_state_dict(load_file(weights.path), strict=True, assign=True)
    except (SafetensorError, RuntimeError, KeyError, ValueError, OSError) as error:
        raise not_inception_resnet_v1(weights) from error
    return module


def choose_device(name: str) -> torch.device:
    """`auto` is CUDA or Metal where present, otherwise the processor.

    Raises:
        WeightsError: no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise WeightsError(f"This machine has no device {name!r}. Set BYTEFACE_DEVICE to auto or cpu.") from error
    return device
