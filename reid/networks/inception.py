"""Inception-ResNet V1 as an empty module: facenet-pytorch's, with an embedding of any length.

Knows its layers, not where weights come from.
"""

from __future__ import annotations

from typing import cast

import torch
from facenet_pytorch import InceptionResnetV1
from torch import nn

FEATURES = 1792  # channels that the last pooling hands to the embedding layer


def inception_resnet_v1(embedding_dim: int) -> nn.Module:
    """The network with random weights: (N, 3, 160, 160) standardised RGB -> (N, embedding_dim) unit rows."""
    module = InceptionResnetV1()
    if embedding_dim != 512:
        module.last_linear = nn.Linear(FEATURES, embedding_dim, bias=False)
        module.last_bn = nn.BatchNorm1d(embedding_dim, eps=0.001, momentum=0.1, affine=True)
    return cast(nn.Module, module)


def empty_module(embedding_dim: int) -> nn.Module:
    """The same without memory behind its parameters, to be filled by `load_state_dict(..., assign=True)`."""
    with torch.device("meta"):
        return inception_resnet_v1(embedding_dim)


def state_shapes(embedding_dim: int) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every parameter and buffer."""
    return {key: tuple(value.shape) for key, value in empty_module(embedding_dim).state_dict().items()}
