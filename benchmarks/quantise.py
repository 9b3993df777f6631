"""The networks in int8, quantised after training by NNCF on the demonstration photographs.

For `precision.py` alone: the runtime computes in int8 only where that verdict lets it.
"""

from __future__ import annotations

from pathlib import Path

import nncf
import numpy as np
import openvino as ov

from reid.detect import FaceDetector
from reid.images import read_photograph
from reid.networks.compiled import CompiledNetwork
from reid.runtime.graph import CompiledGraph
from reid.settings import Settings
from reid.space import EmbeddingSpace
from reid.types import RGB
from reid.weights import WeightsFile, ensure, fetch_demo

_PRESET = nncf.QuantizationPreset.MIXED  # weights symmetric, activations not: nothing of ours has a negative half


def int8_space(exact: EmbeddingSpace, detector: FaceDetector, settings: Settings) -> EmbeddingSpace:
    """The same space with both networks in int8, except where the processor's bfloat16 stands between.

    Args:
        exact: `facenet` (ms1m) and `sface` in float32, whose graphs are kept beside their weights.
        detector: finds the faces of the demonstration photographs, the only ones that a fresh machine has.
    """
    crops = _crops(fetch_demo(settings.data_dir, settings.models_dir), detector, exact)
    networks = [
        _quantised(ensure(source, settings.models_dir), network, [one[index] for one in crops])
        for index, (source, network) in enumerate(zip(("ms1m", "sface"), exact.networks, strict=True))
    ]
    return EmbeddingSpace(networks, exact.shares)


def _crops(folder: Path, detector: FaceDetector, space: EmbeddingSpace) -> list[tuple[RGB, ...]]:
    """The largest face of each photograph as both networks want it."""
    found = []
    for path in sorted(folder.rglob("*.jpg")):
        pixels = read_photograph(path).pixels
        faces = detector.detect([pixels])[0]
        if faces:
            found.append(space.crops(pixels, faces[0].landmarks_px))
    return found


def _quantised(weights: WeightsFile, network: object, crops: list[RGB]) -> CompiledNetwork:
    """One network; each crop and its mirror image are what its activations are measured with."""
    (kept,) = (weights.path.parent / "openvino").glob("*/graph.xml")
    batches = [picture[None] for crop in crops for picture in (crop, np.ascontiguousarray(crop[:, ::-1]))]
    model = nncf.quantize(ov.Core().read_model(kept), nncf.Dataset(batches), preset=_PRESET, subset_size=len(batches))
    assert isinstance(network, CompiledNetwork)
    standardisation = network.preprocessing.split()[1]
    return CompiledNetwork(network.name, weights, CompiledGraph(model, precision="bfloat16"), standardisation)
