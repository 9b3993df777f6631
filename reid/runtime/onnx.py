"""ONNX files with block-quantised weights as OpenVINO graphs: the weights are computed once, as the format says.

OpenVINO reads no `DequantizeLinear` with blocks. Knows no network by name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import openvino as ov
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper


def read_onnx(path: Path) -> ov.Model:
    """The graph of a file, its quantised weights as float32, with the inputs and shapes that the file has.

    Raises:
        RuntimeError: OpenVINO does not read it.
        OSError: the file cannot be read.
        ValueError: it is no ONNX file.
    """
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise ValueError(f"{path.name} is no ONNX file") from error
    _dequantise(model.graph)
    return ov.Core().read_model(model.SerializeToString(), b"")


def _dequantise(graph: onnx.GraphProto) -> None:
    """Puts float32 initializers in the place of every DequantizeLinear of constants."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    folded = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and all(name in constants for name in node.input):
            parts = [numpy_helper.to_array(constants[name]) for name in node.input]
            attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
            weights = dequantised(*parts, axis=attributes.get("axis", 1), block_size=attributes.get("block_size", 0))
            graph.initializer.append(numpy_helper.from_array(weights, node.output[0]))
            folded.append(node)
    for node in folded:
        graph.node.remove(node)


def dequantised(
    quantised: NDArray[np.int8],
    scale: NDArray[np.float32],
    zero_point: NDArray[np.int8] | None = None,
    *,
    axis: int = 1,
    block_size: int = 0,
) -> NDArray[np.float32]:
    """(quantised - zero_point) * scale; one scale for all, for each index of `axis`, or for each block along it.

    Source: ONNX operator DequantizeLinear, version 21.
    """
    offset = np.zeros_like(scale) if zero_point is None else zero_point.astype(np.float32)
    if block_size:
        length = quantised.shape[axis]
        scale, offset = (np.repeat(one, block_size, axis).take(range(length), axis) for one in (scale, offset))
    elif scale.ndim == 1:
        shape = [-1 if index == axis % quantised.ndim else 1 for index in range(quantised.ndim)]
        scale, offset = scale.reshape(shape), offset.reshape(shape)
    return np.asarray((quantised.astype(np.float32) - offset) * scale, np.float32)
