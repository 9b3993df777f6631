"""YuNet as an OpenVINO graph, and its outputs decoded as OpenCV's `FaceDetectorYN` does it.

Knows no windows and no scales: pixels in, sightings out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import openvino as ov
import openvino.opset13 as ops
from numpy.typing import NDArray

from reid.detect.pyramid import Sightings
from reid.detect.yunet import SIGHTING_THRESHOLD
from reid.errors import WeightsError
from reid.runtime.graph import CompiledGraph, kept_graph
from reid.weights import WeightsFile

_STRIDES = (8, 16, 32)  # pixels from one prior to the next, finest first
_OUTPUTS = [f"{what}_{stride}" for what in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]


class YuNetGraph:
    """Finds the faces of pictures of any sizes. Threads share it."""

    def __init__(self, graph: CompiledGraph, sighting_threshold: float = SIGHTING_THRESHOLD) -> None:
        """
        Args:
            graph: as `compiled_yunet` makes it.
            sighting_threshold: in [0, 1]; what the network is less sure of is not even a sighting.
        """
        self._graph = graph
        self._sighting_threshold = sighting_threshold

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> list[Sightings]:
        """(H, W, 3) each, blue first, of any sizes -> (K, 15) each; those of equal size are one batch."""
        by_size: dict[tuple[int, int], list[int]] = defaultdict(list)
        for at, bgr in enumerate(pictures):
            by_size[padded(bgr.shape[0]), padded(bgr.shape[1])].append(at)
        found: list[Sightings] = [np.zeros((0, 15), np.float32)] * len(pictures)
        for (height, width), members in by_size.items():
            batch = np.zeros(
                (len(members), height, width, 3), np.uint8
            )  # as OpenCV does: black, on the right and below
            for row, at in enumerate(members):
                batch[row, : pictures[at].shape[0], : pictures[at].shape[1]] = pictures[at]
            outputs = self._graph(batch)
            for row, at in enumerate(members):
                found[at] = decode([output[row] for output in outputs], width, self._sighting_threshold)
        return found


def padded(side: int) -> int:
    """The next multiple of the largest stride."""
    return -(-side // _STRIDES[-1]) * _STRIDES[-1]


def decode(outputs: Sequence[NDArray[np.float32]], width: int, sighting_threshold: float) -> Sightings:
    """The network's outputs as sightings (K, 15), of every prior that reaches the threshold.

    Args:
        outputs: class (N, 1), objectness (N, 1), box (N, 4) and points (N, 10) of one picture, each of three strides.
        width: of what the network saw; a multiple of the largest stride.

    Source: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023: the score is the geometric mean of class
    and objectness; a box is its centre's offset from the prior and the logarithm of its sides, in strides.
    """
    rows = []
    for stride, cls, obj, box, points in zip(_STRIDES, *(outputs[i : i + 3] for i in (0, 3, 6, 9)), strict=True):
        score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))  # (N,)
        index = np.flatnonzero(score >= sighting_threshold)
        prior = np.stack([index % (width // stride), index // (width // stride)], 1).astype(np.float32)  # (K, 2) x, y
        centre = (prior + box[index, :2]) * stride
        sides = np.exp(box[index, 2:]) * stride
        landmarks = (np.tile(prior, 5) + points[index]) * stride
        rows.append(np.concatenate([centre - sides / 2, centre + sides / 2, landmarks, score[index, None]], 1))
    return np.concatenate(rows).astype(np.float32)


def compiled_yunet(weights: WeightsFile, *, precision: str = "float32") -> CompiledGraph:
    """YuNet in OpenVINO: (M, H, W, 3) uint8 BGR, sides multiples of 32 -> what `decode` takes, of M pictures.

    Raises:
        WeightsError: the file is no ONNX file.
        RuntimeError: OpenVINO cannot compile it here.
        ImportError: there is no `onnx` to read it with.
    """
    return CompiledGraph(kept_graph(weights, "yunet-2", _build), precision=precision)


def _build(weights: WeightsFile) -> ov.Model:
    """The file's graph for pictures of any size, rows first."""
    from reid.runtime.onnx import read_onnx  # not needed once the graph is kept

    try:
        model = read_onnx(weights.path)
    except (OSError, ValueError) as problem:
        raise WeightsError(f"{weights.path} cannot be read. Run `byteface weights get --force yunet`.") from problem
    assert [output.get_any_name() for output in model.outputs] == _OUTPUTS
    _free_the_batch(model)
    model.reshape({model.input(0): [-1, 3, -1, -1]})
    preprocessing = ov.preprocess.PrePostProcessor(model)
    preprocessing.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    preprocessing.input().model().set_layout(ov.Layout("NCHW"))
    return preprocessing.build()


def _free_the_batch(model: ov.Model) -> None:
    """The file's outputs are laid out for one picture, (1, N, length): now for as many as come in."""
    for node in model.get_ops():
        shape = node.input_value(1).get_node() if node.get_type_name() == "Reshape" else None
        if shape is not None and shape.get_type_name() == "Constant" and shape.data[:2].tolist() == [1, -1]:
            node.input(1).replace_source_output(ops.constant(np.array([0, -1, shape.data[2]], np.int64)).output(0))
