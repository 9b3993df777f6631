"""Inception-ResNet V1 as an OpenVINO graph, written layer by layer from its parameters: no torch is needed to serve it.

Batch normalisation and the residual scales are folded into the convolutions. Knows the architecture, no files.
Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", 2016, as
facenet-pytorch lays it out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import openvino as ov
import openvino.opset13 as ops
from numpy.typing import NDArray

Parameters = Mapping[str, NDArray[np.float32]]
_EPSILON = 1e-3  # of every batch normalisation, from TensorFlow


def inception_resnet_v1(
    parameters: Parameters, *, standardisation: Literal["per_image", "fixed"], crop_px: int
) -> ov.Model:
    """A graph from (M, crop_px, crop_px, 3) uint8 RGB crops to (M, dim) float32 embeddings of any length.

    Raises:
        KeyError: a parameter is missing.
        ValueError: one has another shape.
    """
    crops = ops.parameter([-1, crop_px, crop_px, 3], np.uint8, name="crops")
    standardised = _standardise(ops.convert(ops.transpose(crops, [0, 3, 1, 2]), np.float32), standardisation)
    embedding = _Layers(parameters).forward(standardised)
    return ov.Model([ops.result(embedding, name="embeddings")], [crops], "inception_resnet_v1")


def _standardise(pixels: ov.Node, how: str) -> ov.Node:
    """(M, 3, H, W) values 0-255, as `reid.networks.facenet.standardise` does it."""
    if how == "fixed":
        return ops.divide(ops.subtract(pixels, np.float32(127.5)), np.float32(128))
    _, channels, height, width = (dim.get_min_length() for dim in pixels.output(0).get_partial_shape())
    centred = ops.subtract(pixels, ops.reduce_mean(pixels, [1, 2, 3], keep_dims=True))
    variance = ops.reduce_mean(ops.multiply(centred, centred), [1, 2, 3], keep_dims=True)
    smallest = np.float32((channels * height * width) ** -0.5)
    return ops.divide(centred, ops.maximum(ops.sqrt(variance), smallest))


class _Layers:
    """The layers by facenet-pytorch's names."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters

    def forward(self, x: ov.Node) -> ov.Node:
        """(M, 3, H, W) standardised crops -> (M, dim)."""
        x = self._conv(x, "conv2d_1a", stride=2)
        x = self._conv(x, "conv2d_2a")
        x = self._conv(x, "conv2d_2b", pad=(1, 1))
        x = _max_pool(x)
        x = self._conv(x, "conv2d_3b")
        x = self._conv(x, "conv2d_4a")
        x = self._conv(x, "conv2d_4b", stride=2)
        for index in range(5):
            x = self._block35(x, f"repeat_1.{index}", 0.17)
        x = self._mixed_6a(x, "mixed_6a")
        for index in range(10):
            x = self._asymmetric(x, f"repeat_2.{index}", 0.10, reach=3)
        x = self._mixed_7a(x, "mixed_7a")
        for index in range(5):
            x = self._asymmetric(x, f"repeat_3.{index}", 0.20, reach=1)
        x = self._asymmetric(x, "block8", 1.0, reach=1, relu=False)
        return self._embedding(ops.reduce_mean(x, [2, 3], keep_dims=False))

    def _block35(self, x: ov.Node, name: str, scale: float) -> ov.Node:
        branches = [
            self._conv(x, f"{name}.branch0"),
            self._conv(self._conv(x, f"{name}.branch1.0"), f"{name}.branch1.1", pad=(1, 1)),
            self._conv(
                self._conv(self._conv(x, f"{name}.branch2.0"), f"{name}.branch2.1", pad=(1, 1)),
                f"{name}.branch2.2", pad=(1, 1),
            ),
        ]  # fmt: skip
        return self._residual(x, branches, name, scale)

    def _asymmetric(self, x: ov.Node, name: str, scale: float, *, reach: int, relu: bool = True) -> ov.Node:
        """Block17 (reach 3: kernels of 1 x 7 and 7 x 1) and Block8 (reach 1)."""
        branch = self._conv(x, f"{name}.branch1.0")
        branch = self._conv(branch, f"{name}.branch1.1", pad=(0, reach))
        branch = self._conv(branch, f"{name}.branch1.2", pad=(reach, 0))
        return self._residual(x, [self._conv(x, f"{name}.branch0"), branch], name, scale, relu=relu)

    def _residual(
        self, x: ov.Node, branches: Sequence[ov.Node], name: str, scale: float, *, relu: bool = True
    ) -> ov.Node:
        weight = self._get(f"{name}.conv2d.weight") * np.float32(scale)
        bias = self._get(f"{name}.conv2d.bias") * np.float32(scale)
        x = ops.add(x, _convolution(ops.concat(list(branches), 1), weight, bias))
        return ops.relu(x) if relu else x

    def _mixed_6a(self, x: ov.Node, name: str) -> ov.Node:
        middle = self._conv(self._conv(x, f"{name}.branch1.0"), f"{name}.branch1.1", pad=(1, 1))
        branches = [
            self._conv(x, f"{name}.branch0", stride=2),
            self._conv(middle, f"{name}.branch1.2", stride=2),
            _max_pool(x),
        ]
        return ops.concat(branches, 1)

    def _mixed_7a(self, x: ov.Node, name: str) -> ov.Node:
        middle = self._conv(self._conv(x, f"{name}.branch2.0"), f"{name}.branch2.1", pad=(1, 1))
        branches = [
            self._conv(self._conv(x, f"{name}.branch0.0"), f"{name}.branch0.1", stride=2),
            self._conv(self._conv(x, f"{name}.branch1.0"), f"{name}.branch1.1", stride=2),
            self._conv(middle, f"{name}.branch2.2", stride=2),
            _max_pool(x),
        ]
        return ops.concat(branches, 1)

    def _embedding(self, features: ov.Node) -> ov.Node:
        """(M, 1792) -> (M, dim): the last linear layer with its batch normalisation folded in."""
        scale, shift = self._normalisation("last_bn")
        weight = self._get("last_linear.weight") * scale[:, None]
        return ops.add(ops.matmul(features, ops.constant(weight), False, True), ops.constant(shift[None]))

    def _conv(self, x: ov.Node, name: str, *, stride: int = 1, pad: tuple[int, int] = (0, 0)) -> ov.Node:
        scale, shift = self._normalisation(f"{name}.bn")
        weight = self._get(f"{name}.conv.weight") * scale[:, None, None, None]
        return ops.relu(_convolution(x, weight, shift, stride=stride, pad=pad))

    def _normalisation(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Batch normalisation at inference as y = scale x + shift."""
        gamma, beta, mean, variance = (
            self._get(f"{name}.{part}").astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)

    def _get(self, name: str) -> NDArray[np.float32]:
        return np.asarray(self._parameters[name], np.float32)


def _convolution(
    x: ov.Node, weight: NDArray[np.float32], bias: NDArray[np.float32], *, stride: int = 1,
    pad: tuple[int, int] = (0, 0),
) -> ov.Node:  # fmt: skip
    done = ops.convolution(x, ops.constant(weight), [stride, stride], list(pad), list(pad), [1, 1])
    return ops.add(done, ops.constant(bias[None, :, None, None]))


def _max_pool(x: ov.Node) -> ov.Node:
    """3 x 3, every second pixel."""
    return ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3]).output(0)
