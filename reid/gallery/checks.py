"""What every backend checks before it stores or compares: vectors and embedding spaces. Knows no storage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reid.errors import EmbeddingSpaceError, GalleryError
from reid.types import Embeddings, KeptFace

# A float32 vector that was normalised in float32, or in bfloat16 and then in float32, is within this of length 1
_LENGTH_TOLERANCE = 1e-3


def same_space(url: str, stored: str, wanted: str | None) -> None:
    """Raises: EmbeddingSpaceError unless the two ids are equal or nobody asked for a particular one."""
    if wanted is not None and stored != wanted:
        raise EmbeddingSpaceError(
            f"The gallery {url} holds embeddings of the space {stored}, not {wanted}; they cannot be compared. "
            "Open it with the --space and --weights that it was built with, or run `byteface build-gallery` again."
        )


def unit_rows(vectors: NDArray[np.floating], dim: int, what: str) -> Embeddings:
    """(N, D) contiguous float32 rows, checked.

    Args:
        vectors: (N, D) or, for none at all, anything of length 0.
        dim: D of the gallery.
        what: "probe" or "photograph", for the message.

    Raises:
        EmbeddingSpaceError: D is not the gallery's.
        GalleryError: a row is not finite or not a unit vector.
    """
    if len(vectors) == 0:
        return np.empty((0, dim), np.float32)
    if vectors.ndim != 2 or vectors.shape[1] != dim:
        raise EmbeddingSpaceError(
            f"A {what}'s embedding has the shape {vectors.shape[1:]} where this gallery's have ({dim},). "
            "Use the space that the gallery was built with."
        )
    rows: Embeddings = np.ascontiguousarray(vectors, np.float32)
    if not np.isfinite(rows).all():
        bad = int((~np.isfinite(rows).all(axis=1)).sum())
        raise GalleryError(
            f"{bad} of {len(rows)} {what} embeddings hold values that are not numbers. Embed them again."
        )
    if (abs(np.linalg.norm(rows, axis=1) - 1) > _LENGTH_TOLERANCE).any():
        raise GalleryError(f"A {what}'s embedding is not a unit vector. Divide it by its length.")
    return rows


def require_faces(faces: Sequence[KeptFace], dim: int) -> None:
    """Faces that can be kept: a unit vector of the gallery's length and five landmarks each.

    Raises:
        EmbeddingSpaceError: an embedding has another length than the gallery's.
        GalleryError: one is no unit vector, or has no five landmarks.
    """
    for face in faces:
        unit_rows(face.embedding[None], dim, "face")
        if face.landmarks_px.shape != (5, 2):
            raise GalleryError("A face came without five landmarks. Describe it again.")


def template_of(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """(D,) mean of (N, D) unit rows, computed in float64 and normalised again.

    Rows that cancel out exactly leave no direction: the zero vector, whose similarity to everything is 0.
    """
    mean = embeddings.astype(np.float64).mean(axis=0)
    length = float(np.linalg.norm(mean))
    template: NDArray[np.float32] = (
        mean / length if length > np.finfo(np.float32).eps else np.zeros_like(mean)
    ).astype(np.float32)
    return template
