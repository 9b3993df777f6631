"""Flip averaging, the same for every network and every runtime. Knows no network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reid.errors import WeightsError
from reid.types import Embeddings

Forward = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""(M, px, px, 3) RGB crops -> (M, dim) embeddings of any length: what a runtime computes."""


def embed_flipped(forward: Forward, crops: NDArray[np.uint8], crop_px: int, dim: int, batch: int) -> Embeddings:
    """(N, crop_px, crop_px, 3) crops -> (N, dim) unit vectors, each the mean of the crop's and its mirror image's.

    Args:
        forward: called with at most `2 * batch` pictures at a time, crops first, then their mirror images.
        batch: crops at a time; bounds the memory.

    Raises:
        WeightsError: the network computed something that is no number.
    """
    if crops.shape[1:] != (crop_px, crop_px, 3) or crops.dtype != np.uint8:
        raise ValueError(f"expected (N, {crop_px}, {crop_px}, 3) uint8 crops, got {crops.shape} {crops.dtype}")
    out = np.zeros((len(crops), dim), np.float32)
    for start in range(0, len(crops), batch):
        part = crops[start : start + batch]
        both = unit(forward(np.concatenate([part, part[:, :, ::-1]])))
        if not np.isfinite(both).all():
            raise WeightsError(
                "The network computed embeddings that are no numbers: its weights are damaged, or training diverged. "
                "Use other weights; `byteface weights check` tells whether the file changed."
            )
        out[start : start + batch] = unit(both[: len(part)] + both[len(part) :])
    return out


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), np.float32)
