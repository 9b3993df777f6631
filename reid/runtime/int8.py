"""A graph in int8: quantised after training by NNCF, from photographs that show which values occur.

Knows neither faces nor where the photographs come from. NNCF is needed once, here; the graph that it makes is not its
business any more.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from reid.errors import SettingsError

SUFFIX = "-int8"
"""What the recipe of a kept graph ends with."""


def quantised(model: ov.Model, crops: Sequence[NDArray[np.uint8]]) -> ov.Model:
    """The same graph with weights and activations of 8 bits.

    Args:
        model: float32, from (M, px, px, 3) uint8 crops.
        crops: (px, px, 3) faces as it will meet them, a hundred or so; each is looked at mirrored too.

    Raises:
        SettingsError: NNCF is not installed.
    """
    if importlib.util.find_spec("nncf") is None:
        raise SettingsError("NNCF makes int8 graphs and is not installed. Run `pip install -e '.[int8]'` once.")
    import nncf

    pictures = [np.ascontiguousarray(view)[None] for crop in crops for view in (crop, crop[:, ::-1])]
    return nncf.quantize(model, nncf.Dataset(pictures), preset=nncf.QuantizationPreset.MIXED, subset_size=len(pictures))
