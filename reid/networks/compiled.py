"""Networks as OpenVINO graphs: the same numbers as in `facenet` and `sface`, several times faster on a processor.

Knows neither faces nor spaces; an aligned crop goes in, a unit vector comes out. No torch is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from reid.errors import WeightsError
from reid.networks.config import (
    not_inception_resnet_v1,
    preprocessing_line,
    read_standardisation,
    require_inception_resnet_v1,
)
from reid.networks.flip import embed_flipped
from reid.runtime.graph import CompiledGraph, found_graph, kept_graph
from reid.runtime.inception import inception_resnet_v1
from reid.runtime.int8 import SUFFIX, quantised
from reid.types import RGB, Embeddings
from reid.weights.store import WeightsFile

BATCH = 16  # crops at a time; 32 are not faster and take 0.2 GB more


class CompiledNetwork:
    """A network behind `reid.networks.base.Network`; its space is that of the reference, whatever computes it."""

    def __init__(self, name: str, weights: WeightsFile, graph: CompiledGraph, standardisation: str) -> None:
        """
        Args:
            graph: (M, crop_px, crop_px, 3) uint8 RGB crops -> (M, dim) embeddings of any length.
            standardisation: what the graph does to the pixels; enters the space's id.
        """
        self.name = name
        self.dim = int(weights.config["embedding_dim"])
        self.crop_px = int(weights.config["crop_px"])
        self.weights_sha256 = weights.sha256
        self.preprocessing = preprocessing_line(self.crop_px, standardisation)
        self.source = weights.source
        self.precision = graph.precision
        self._graph = graph

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        return embed_flipped(self._forward, crops, self.crop_px, self.dim, BATCH)

    def _forward(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._graph(crops)[0]


def compiled_facenet(weights: WeightsFile, *, precision: str = "float32") -> CompiledNetwork:
    """`facenet` in OpenVINO.

    Raises:
        WeightsError: the file is no Inception-ResNet V1, or its config says how to use it in no known way.
        RuntimeError: OpenVINO cannot compile it here.
    """
    require_inception_resnet_v1(weights)
    return _compiled("facenet", weights, precision, read_standardisation(weights))


def compiled_sface(weights: WeightsFile, *, precision: str = "float32") -> CompiledNetwork:
    """`sface` in OpenVINO.

    Raises:
        WeightsError: the file is no ONNX file.
        RuntimeError: OpenVINO cannot compile it here.
        ImportError: there is no `onnx` to read it with.
    """
    return _compiled("sface", weights, precision, "none")


def keep_int8(name: str, weights: WeightsFile, crops: Sequence[RGB]) -> None:
    """Makes a network's int8 graph and keeps it beside the weights, for `precision="int8"`.

    Raises:
        SettingsError: NNCF is not installed.
    """
    recipe, build = _graph_of(name, weights)
    kept_graph(weights, recipe + SUFFIX, lambda _: quantised(kept_graph(weights, recipe, build), crops))


def _compiled(name: str, weights: WeightsFile, precision: str, standardisation: str) -> CompiledNetwork:
    recipe, build = _graph_of(name, weights)
    # made by somebody's command, never on the way: it needs photographs
    model = found_graph(weights, recipe + SUFFIX) if precision == "int8" else kept_graph(weights, recipe, build)
    if model is None:
        raise WeightsError(
            f"The int8 graph of {weights.source} was made for other code or cannot be read. "
            "Run `byteface weights quantise`."
        )
    return CompiledNetwork(name, weights, CompiledGraph(model, precision=precision), standardisation)


def _graph_of(name: str, weights: WeightsFile) -> tuple[str, Callable[[WeightsFile], ov.Model]]:
    """What a network's float32 graph is called where it is kept, and what makes it."""
    if name == "sface":
        return "sface-1", _sface
    standardisation = read_standardisation(weights)
    return f"inception_resnet_v1-{standardisation}-1", partial(_facenet, standardisation)


def _facenet(standardisation: Literal["per_image", "fixed"], weights: WeightsFile) -> ov.Model:
    try:
        model = inception_resnet_v1(
            load_file(weights.path), standardisation=standardisation, crop_px=int(weights.config["crop_px"])
        )
    except (SafetensorError, RuntimeError, KeyError, ValueError, TypeError, OSError) as error:
        raise not_inception_resnet_v1(weights) from error
    if model.output(0).get_partial_shape()[1].get_length() != int(weights.config["embedding_dim"]):
        raise not_inception_resnet_v1(weights)
    return model


def _sface(weights: WeightsFile) -> ov.Model:
    """The file's graph for any number of uint8 crops, rows first; it standardises by itself."""
    from reid.runtime.onnx import read_onnx  # not needed once the graph is kept

    try:
        model = read_onnx(weights.path)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{weights.path} cannot be read. Run `byteface weights get --force sface`.") from error
    crop_px = int(weights.config["crop_px"])
    model.reshape({model.input(0): [-1, 3, crop_px, crop_px]})
    preprocessing = ov.preprocess.PrePostProcessor(model)
    preprocessing.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    preprocessing.input().model().set_layout(ov.Layout("NCHW"))
    return preprocessing.build()
