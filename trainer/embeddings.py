"""Embeddings of cached faces in any space, kept on disk by network and content: comparing twice computes once.

Knows spaces and crops; no labels and no protocol.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from reid.networks.base import Network
from reid.space import EmbeddingSpace
from reid.types import Embeddings
from reid.weights.files import make_private, storage_errors, write_together
from trainer.data import FoundFace

log = logging.getLogger(__name__)

_BATCH = 64
_SAVE_EVERY = 20  # batches: what a stop loses at most


class EmbeddingCache:
    """Rows by the photograph's content and the way that its face was cut, one file per network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def embed(self, space: EmbeddingSpace, faces: Sequence[FoundFace], what: str = "embeddings") -> Embeddings:
        """(N, D) unit rows of faces that have a crop of every size that the space's networks take."""
        parts = [
            self.of_network(network, faces, what) * np.float32(np.sqrt(share))
            for network, share in zip(space.networks, space.shares, strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def of_network(self, network: Network, faces: Sequence[FoundFace], what: str) -> Embeddings:
        """(N, network.dim) unit rows of faces that have a crop of its size."""
        name = f"{network.name} {network.weights_sha256} {network.preprocessing}"
        path = self.folder / f"{network.name}-{hashlib.sha256(name.encode()).hexdigest()[:16]}.npz"
        make_private(self.folder)
        known = _read(path)
        missing = list({face.key: face for face in faces if face.key not in known}.values())
        batches = [missing[at : at + _BATCH] for at in range(0, len(missing), _BATCH)]
        bar = tqdm(batches, desc=f"{what}, {network.name}", unit="batch", leave=False, disable=not batches)
        for number, batch in enumerate(bar):
            crops = np.stack([face.read_crop(network.crop_px) for face in batch])
            rows = network.embed(crops)
            known.update(zip((face.key for face in batch), rows, strict=True))
            if number + 1 == len(batches) or (number + 1) % _SAVE_EVERY == 0:
                self._write(path, known)
        if not faces:
            return np.zeros((0, network.dim), np.float32)
        return np.stack([known[face.key] for face in faces])

    def _write(self, path: Path, known: dict[str, Embeddings]) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, keys=np.array(list(known), "U81"), rows=np.stack(list(known.values())))
        with storage_errors(self.folder):
            write_together(path.parent, {path.name: buffer.getvalue()})


def _read(path: Path) -> dict[str, Embeddings]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(zip(file["keys"].tolist(), file["rows"], strict=True))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError):
        log.warning("a file of cached embeddings is damaged; they are computed again")
        return {}
