"""A gallery brought to another embedding space from its stored crops. Knows no command line and no page."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from reid.errors import EmbeddingSpaceError, GalleryError
from reid.gallery import open_gallery
from reid.gallery.reembedding import Reembedding, StoredCrop, Switched
from reid.images import decode_jpeg
from reid.space import EmbeddingSpace
from reid.types import Embeddings

_ATTEMPTS = 5
_SAME_FACE = 1 - 1e-5
_RIDGE = 1e-2


@dataclass(frozen=True, slots=True)
class Reembedded:
    """What was done.

    Attributes:
        embedded: faces that went through the network now; the others were left from an attempt that was stopped.
    """

    switched: Switched
    embedded: int


def reembed(path: Path, space: EmbeddingSpace, *, progress: bool = True) -> Reembedded:
    """Gives every face of a SQLite gallery its embedding in `space`, and the gallery that space, at once at the end.

    Ids, names, metadata, covers, times and who was said not to be whom stay. Until the switch the gallery is as it
    was and can be used; people may be enrolled meanwhile. Stopped or killed at any moment, it goes on where it was.

    Raises:
        EmbeddingSpaceError: the gallery is of that space already.
        GalleryError: it keeps no crops, cannot be written, or is being changed all the time.
    """
    # opening it brings an older file to this version
    with closing(open_gallery(str(path), space_id=None, dim=None, create=False)) as gallery:
        if gallery.space_id == space.id:
            raise EmbeddingSpaceError(f"The gallery {path} is in the space {space.id} already. There is nothing to do.")
        if getattr(gallery, "read_only", True):
            raise GalleryError(f"The gallery {path} cannot be changed here. Open it where it can be written.")
    embedded = 0
    with closing(Reembedding(path.expanduser().resolve(), space.id, space.dim)) as work:
        for _ in range(_ATTEMPTS):
            embedded += _embed_missing(work, space, progress=progress)
            switched = work.switch(json.dumps(space.description), translated)
            if switched is not None:
                return Reembedded(switched, embedded)
    raise GalleryError(f"The gallery {path} is being changed all the time. Run the command again when it is quiet.")


def refuse_other_than_files(url: str) -> None:
    """Raises: GalleryError for galleries whose embeddings cannot be exchanged where they are, with the way there.

    A collection of Milvus has vectors of one length for ever, and no transaction over several collections.
    """
    if url.lower().endswith(".npy"):
        raise GalleryError(f"{url} keeps no crops to embed anew. Run `byteface build-gallery` with its photographs.")
    if url.startswith("milvus:"):
        raise GalleryError(
            f"A gallery in Milvus cannot change the length of its vectors, so {url} is not re-embedded in place. Move "
            "it into a file, re-embed that, and move it to a new address: "
            f"byteface migrate --from {url} --to people.db, byteface reembed --gallery people.db, "
            "byteface migrate --from people.db --to the new address."
        )


def _embed_missing(work: Reembedding, space: EmbeddingSpace, *, progress: bool) -> int:
    embedded = 0
    with tqdm(total=work.count(), desc="embedding", unit="face", disable=not progress) as bar:
        for looked_at, crops in work.missing():
            if crops:
                work.keep(crops, space.embed([_cut(space, crop) for crop in crops]))
                embedded += len(crops)
            bar.update(looked_at)
    return embedded


def _cut(space: EmbeddingSpace, crop: StoredCrop) -> tuple[NDArray[np.uint8], ...]:
    return space.crops(decode_jpeg(crop.crop_jpeg), crop.landmarks_px)


def translated(before: Embeddings, after: Embeddings, others: Embeddings) -> Embeddings:
    """Where faces without a crop would lie in the new space: the linear map that fits the gallery's own photographs.

    A face that is enrolled too gets that photograph's embedding. The others are estimates; one that is far off
    resembles nobody, so that a rejected person is offered once more: never is somebody hidden who was not rejected.

    Args:
        before: (N, D) unit rows, N at least 1.
        after: (N, E) of the same faces.
        others: (M, D).

    Returns:
        (M, E) unit rows.
    """
    known = others @ before.T
    gram = (before.T @ before).astype(np.float64)
    gram[np.diag_indices_from(gram)] += _RIDGE * len(before) / len(gram)
    rows = others @ np.linalg.solve(gram, (before.T @ after).astype(np.float64))
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = np.where(lengths > 0, rows / np.maximum(lengths, 1e-12), after[known.argmax(axis=1)])
    same = known.max(axis=1) >= _SAME_FACE
    rows[same] = after[known[same].argmax(axis=1)]
    return np.asarray(rows, np.float32)
