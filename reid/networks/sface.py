"""SFace in OpenCV: 112 px crops to 128-D unit vectors, flip averaging.

Knows neither faces nor spaces; an aligned crop goes in, a unit vector comes out.
"""

from __future__ import annotations

import threading

import cv2
import numpy as np
from numpy.typing import NDArray

from reid.errors import WeightsError
from reid.networks.config import preprocessing_line
from reid.networks.flip import embed_flipped
from reid.types import Embeddings
from reid.weights.store import WeightsFile

BATCH = 64


class SFace:
    """OpenCV Zoo's recogniser; see `reid.networks.base.Network`.

    OpenCV keeps a network's intermediate results in the object, so one lock guards it; the computation itself uses
    every core.
    """

    name = "sface"

    def __init__(self, weights: WeightsFile) -> None:
        """Loads the model.

        Raises:
            WeightsError: OpenCV cannot read the file.
        """
        try:
            # from memory: OpenCV opens no paths with non-Latin letters on every system
            model = np.frombuffer(weights.path.read_bytes(), np.uint8)
            self._model = cv2.FaceRecognizerSF.create("onnx", model, np.empty(0, np.uint8))
        except (cv2.error, OSError) as error:
            raise WeightsError(
                f"OpenCV {cv2.__version__} cannot read {weights.path}. Run `byteface weights get --force sface`, "
                "and keep OpenCV below 5."
            ) from error
        self._lock = threading.Lock()
        self.dim = int(weights.config["embedding_dim"])
        self.crop_px = int(weights.config["crop_px"])
        self.weights_sha256 = weights.sha256
        self.preprocessing = preprocessing_line(self.crop_px, "none")
        self.source = weights.source

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        return embed_flipped(self._forward, crops, self.crop_px, self.dim, BATCH)

    def _forward(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """One at a time: the file's first layer is for a single picture, OpenCV computes nonsense for more."""
        out = np.empty((len(crops), self.dim), np.float32)
        for row, crop in zip(out, crops, strict=True):
            bgr = np.ascontiguousarray(crop[:, :, ::-1])
            with self._lock:
                row[:] = self._model.feature(bgr)[0]
        return out
