"""What a network promises. A new network is one file beside this and one line in `reid.networks`."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reid.types import Embeddings


class Network(Protocol):
    """Turns aligned crops into unit vectors; brings its own crop size and standardisation, nothing else.

    Attributes:
        name: `facenet`, `sface`: what a space is called by.
        dim: length of an embedding.
        crop_px: side of the square crop that it wants, the 112 px template scaled to it.
        weights_sha256: of the file that it was loaded from.
        preprocessing: one line that changes whenever the numbers of an embedding could: enters the space's id.
        source: where the weights came from, for people.
    """

    name: str
    dim: int
    crop_px: int
    weights_sha256: str
    preprocessing: str
    source: str

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        """(N, crop_px, crop_px, 3) aligned RGB crops -> (N, dim) unit vectors, each the mean of crop and mirrored crop.

        N may be 0. Safe to call from several threads.
        """
        ...
