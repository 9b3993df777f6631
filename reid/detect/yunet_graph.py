"""YuNet as an OpenVINO graph, and its outputs decoded as OpenCV's `FaceDetectorYN` does it.

Knows no windows and no scales: pixels in, sightings out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from reid.detect.pyramid import Sightings
from reid.detect.yunet import SIGHTING_THRESHOLD
from reid.errors import WeightsError
from reid.runtime.graph import CompiledGraph, kept_graph
from reid.weights import WeightsFile

_STRIDES = (8, 16, 32)  # pixels from one prior to the next, finest first
_OUTPUTS = [f"{what}_{stride}" for what in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]


class YuNetGraph:
    """Finds the faces of one picture of any size. Threads share it."""

    def __init__(self, graph: CompiledGraph, sighting_threshold: float = SIGHTING_THRESHOLD) -> None:
        """
        Args:
            graph: as `compiled_yunet` makes it.
            sighting_threshold: in [0, 1]; what the network is less sure of is not even a sighting.
        """
        self._graph = graph
        self._sighting_threshold = sighting_threshold

    def __call__(self, bgr: NDArray[np.uint8]) -> Sightings:
        """(H, W, 3) blue first -> (K, 15), what every prior sees."""
        height, width = (-(-side // _STRIDES[-1]) * _STRIDES[-1] for side in bgr.shape[:2])
        padded = np.zeros((1, height, width, 3), np.uint8)  # as OpenCV does: black, on the right and below
        padded[0, : bgr.shape[0], : bgr.shape[1]] = bgr
        return decode(self._graph(padded), width, self._sighting_threshold)


def decode(outputs: Sequence[NDArray[np.float32]], width: int, sighting_threshold: float) -> Sightings:
    """The network's outputs as sightings (K, 15), of every prior that reaches the threshold.

    Args:
        outputs: class (1, N, 1), objectness (1, N, 1), box (1, N, 4) and points (1, N, 10), each of three strides.
        width: of what the network saw; a multiple of the largest stride.

    Source: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023: the score is the geometric mean of class
    and objectness; a box is its centre's offset from the prior and the logarithm of its sides, in strides.
    """
    rows = []
    for stride, cls, obj, box, points in zip(_STRIDES, *(outputs[i : i + 3] for i in (0, 3, 6, 9)), strict=True):
        score = np.sqrt(np.clip(cls[0, :, 0], 0, 1) * np.clip(obj[0, :, 0], 0, 1))  # (N,)
        index = np.flatnonzero(score >= sighting_threshold)
        prior = np.stack([index % (width // stride), index // (width // stride)], 1).astype(np.float32)  # (K, 2) x, y
        centre = (prior + box[0, index, :2]) * stride
        sides = np.exp(box[0, index, 2:]) * stride
        landmarks = (np.tile(prior, 5) + points[0, index]) * stride
        rows.append(np.concatenate([centre - sides / 2, centre + sides / 2, landmarks, score[index, None]], 1))
    return np.concatenate(rows).astype(np.float32)


def compiled_yunet(weights: WeightsFile, *, precision: str = "float32") -> CompiledGraph:
    """YuNet in OpenVINO: (1, H, W, 3) uint8 BGR, sides multiples of 32 -> the outputs that `decode` takes.

    Raises:
        WeightsError: the file is no ONNX file.
        RuntimeError: OpenVINO cannot compile it here.
        ImportError: there is no `onnx` to read it with.
    """
    return CompiledGraph(kept_graph(weights, "yunet-1", _build), precision=precision)


def _build(weights: WeightsFile) -> ov.Model:
    """The file's graph for a picture of any size, rows first."""
    from reid.runtime.onnx import read_onnx  # not needed once the graph is kept

    try:
        model = read_onnx(weights.path)
    except (OSError, ValueError) as problem:
        raise WeightsError(f"{weights.path} cannot be read. Run `byteface weights get --force yunet`.") from problem
    assert [output.get_any_name() for output in model.outputs] == _OUTPUTS
    model.reshape({model.input(0): [1, 3, -1, -1]})
    preprocessing = ov.preprocess.PrePostProcessor(model)
    preprocessing.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    preprocessing.input().model().set_layout(ov.Layout("NCHW"))
    return preprocessing.build()
