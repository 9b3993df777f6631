"""What a gallery promises. A new backend is one file beside this and one line in `reid.gallery`.

Narrow on purpose: thresholds, pictures' decoding and networks stay outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reid.types import Candidate, Embeddings, Identity, Photo, Rejection


@dataclass(frozen=True, slots=True)
class Erased:
    """What `remove` took away, for the record that says so."""

    identities: int
    photos: int


class Gallery(Protocol):
    """Identities, their photographs and one template each: the mean of its photographs' embeddings, normalised again.

    Every method is atomic and safe to call from several threads; several processes may share one gallery, and a search
    sees what another process has committed.
    """

    @property
    def url(self) -> str:
        """What `open_gallery` was given."""
        ...

    @property
    def space_id(self) -> str:
        """Id of the embedding space that all its embeddings belong to."""
        ...

    def add(self, photos: Sequence[Photo]) -> None:
        """All of them or none; one with a known id replaces it; identities that are new are created with their name.

        Raises:
            EmbeddingSpaceError: an embedding has another length than the gallery's.
            GalleryError: the disk is full or read-only; nothing was changed.
        """
        ...

    def identities(self) -> list[Identity]:
        """Everybody enrolled, by name (case-insensitively), then id."""
        ...

    def identity(self, identity_id: str) -> Identity:
        """Raises: IdentityNotFoundError."""
        ...

    def find(self, name: str) -> Identity | None:
        """The identity of exactly that name."""
        ...

    def photos(self, identity_id: str) -> list[Photo]:
        """All photographs of one identity, oldest first. Raises: IdentityNotFoundError."""
        ...

    def photo(self, photo_id: str) -> Photo | None: ...

    def rename(self, identity_id: str, name: str) -> None:
        """Raises: IdentityNotFoundError; IdentityExistsError when another identity bears that name."""
        ...

    def merge(self, source_id: str, target_id: str) -> None:
        """Moves all photographs of `source` to `target` and removes `source`. Raises: IdentityNotFoundError."""
        ...

    def move(self, photo_ids: Sequence[str], identity_id: str) -> None:
        """Gives photographs to another identity; one left without any is removed. Raises: IdentityNotFoundError."""
        ...

    def remove(self, identity_id: str) -> Erased:
        """Erases an identity with its photographs, embeddings and template. Raises: IdentityNotFoundError."""
        ...

    def remove_photos(self, photo_ids: Sequence[str]) -> Erased:
        """Erases photographs; an identity left without any goes too. Unknown ids are not an error."""
        ...

    def edit(
        self, identity_id: str, *, metadata: Mapping[str, str] | None = None, cover_photo_id: str | None = None
    ) -> None:
        """Replaces the free fields, or chooses the photograph to show. What is None stays.

        Raises:
            IdentityNotFoundError: it is gone.
            GalleryError: the cover is no photograph of theirs.
        """
        ...

    def reject(self, rejection: Rejection) -> None:
        """Remembers that a face is not a person; one with a known id replaces it. Raises: IdentityNotFoundError.

        Goes with the person: erased with them, and to the other one when they are merged.
        """
        ...

    def withdraw(self, rejection_id: str) -> None:
        """Forgets a rejection. An unknown id is not an error."""
        ...

    def rejections(self, identity_ids: Sequence[str]) -> list[Rejection]:
        """What was said not to be these people, oldest first. Unknown ids are not an error."""
        ...

    def search(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        """The `k` nearest identities of each probe.

        Each identity at most once, with the nearest of its photographs as evidence; cosine to the template descending,
        ties by identity id. Exact.

        Args:
            probes: (Q, D) unit rows; Q may be 0.

        Raises:
            EmbeddingSpaceError: D is not the gallery's.
        """
        ...

    def count(self) -> int:
        """Identities enrolled."""
        ...

    def get_meta(self, key: str) -> str | None:
        """A string that the application keeps with the gallery, such as its calibration."""
        ...

    def set_meta(self, key: str, value: str) -> None: ...

    def close(self) -> None: ...
