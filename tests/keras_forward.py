"""A Keras network computed in NumPy from its HDF5 file alone: the independent numbers that a conversion must meet.

Follows the graph that the file describes, layer by layer; knows neither PyTorch nor our names. The file's marshalled
Lambda functions are not run: there is one, inputs[0] + inputs[1] * scale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]


def keras_forward(path: Path, batch: Array) -> tuple[dict[str, Array], list[str]]:
    """Every layer's output by name, and the layers whose weights were used.

    Args:
        batch: (N, H, W, 3).
    """
    outputs: dict[str, Array] = {}
    used: list[str] = []
    with h5py.File(path, "r") as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        for layer in layers:
            name, config = layer["config"]["name"], layer["config"]
            inputs = [outputs[node[0]] for node in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else [batch]
            group = file["model_weights"][name]
            weights = {key.split(":")[0]: value[()] for key, value in group[name].items()} if len(group) else {}
            if weights:
                used.append(name)
            outputs[name] = _layer(layer["class_name"], config, inputs, weights)
    return outputs, used


def _layer(kind: str, config: dict[str, Any], inputs: list[Array], weights: dict[str, Array]) -> Array:
    x = inputs[0]
    match kind:
        case "InputLayer" | "Dropout":  # dropout does nothing in inference
            return x
        case "Conv2D":
            assert config["activation"] == "linear"
            return _convolution(x, weights["kernel"], config) + weights.get("bias", np.float32(0))
        case "BatchNormalization":
            assert config["axis"] in (3, [3], 1, -1)
            assert not config["scale"]
            return (x - weights["moving_mean"]) / np.sqrt(weights["moving_variance"] + config["epsilon"]) + weights[
                "beta"
            ]
        case "Activation":
            assert config["activation"] == "relu"
            return np.maximum(x, 0)
        case "MaxPooling2D":
            assert config["padding"] == "valid"
            (kernel, _), (stride, _) = config["pool_size"], config["strides"]
            return sliding_window_view(x, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride].max((-2, -1))
        case "Concatenate":
            return np.concatenate(inputs, axis=config["axis"])
        case "Lambda":
            return x + inputs[1] * np.float32(config["arguments"]["scale"])
        case "GlobalAveragePooling2D":
            return x.mean((1, 2))
        case "Dense":
            return x @ weights["kernel"]
    raise AssertionError(f"a layer of kind {kind} was not expected")


def _convolution(x: Array, kernel: Array, config: dict[str, Any]) -> Array:
    """Cross-correlation with an HWIO kernel."""
    height, width = kernel.shape[:2]
    stride = config["strides"][0]
    if config["padding"] == "same":
        assert stride == 1
        assert height % 2 == width % 2 == 1
        x = np.pad(x, ((0, 0), (height // 2,) * 2, (width // 2,) * 2, (0, 0)))
    windows = sliding_window_view(x, (height, width), axis=(1, 2))[:, ::stride, ::stride]  # (N, H, W, in, h, w)
    return np.tensordot(windows, kernel.transpose(2, 0, 1, 3), axes=3)
