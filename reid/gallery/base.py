"""What a gallery promises. A new backend is one file beside this and one line in `reid.gallery`.

Narrow on purpose: thresholds, pictures' decoding and networks stay outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reid.types import Candidate, Embeddings, Identity, KeptFace, Photo, Rejection


@dataclass(frozen=True, slots=True)
class Erased:
    """What `remove` took away, for the record that says so."""

    identities: int
    photos: int


class Movable(Protocol):
    """What moving a gallery to another one needs beyond the contract; a backend that is only read has it not."""

    def metas(self) -> dict[str, str]:
        """All strings that the application keeps with the gallery."""
        ...

    def set_created(self, moments: Mapping[str, str]) -> None:
        """Says since when people are enrolled: ISO 8601, UTC, by identity id. Unknown ids are not an error."""
        ...


class Unknowns(Protocol):
    """Faces of strangers that a gallery keeps for a while. Those whose time is over are never returned.

    They are erased when the gallery is opened, when faces are listed and when more are kept, where it can be written.
    """

    def keep(self, faces: Sequence[KeptFace]) -> int:
        """All of them or none; one with a known id stays as it was.

        Returns:
            how many are new.

        Raises:
            EmbeddingSpaceError: an embedding has another length than the gallery's.
            GalleryError: it cannot be written; nothing was changed.
        """
        ...

    def faces(self, *, ignored: bool = False) -> list[KeptFace]:
        """Those that are kept, or those that are ignored, the newest first."""
        ...

    def face(self, face_id: str) -> KeptFace | None: ...

    def count(self, *, ignored: bool = False) -> int: ...

    def ignore(self, face_ids: Sequence[str], *, ignored: bool = True) -> int:
        """Ignores faces for good, or keeps them again until they expire. Returns how many there were."""
        ...

    def remove(self, face_ids: Sequence[str]) -> int:
        """Erases faces. Unknown ids are not an error. Returns how many there were."""
        ...

    def shorten(self, days: int) -> None:
        """Lets no face be kept for longer than that many days from when it was seen."""
        ...


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

    def spellings(self, name: str) -> list[str]:
        """Names of people that are this one but for capital letters, itself included where somebody bears it."""
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

    @property
    def unknowns(self) -> Unknowns:
        """Faces of strangers. Raises: GalleryError where a gallery of this kind keeps none."""
        ...

    def set_apart(self, first_id: str, second_id: str, *, apart: bool = True) -> None:
        """Remembers that two identities are two people, or forgets it; goes with them like rejections.

        Raises:
            IdentityNotFoundError: one of them is gone.
        """
        ...

    def apart(self) -> set[tuple[str, str]]:
        """Pairs of identities that are two people, the lower id first."""
        ...

    def revision(self) -> int:
        """Grows with every write that may change a template or an embedding."""
        ...

    def templates(self) -> tuple[list[str], Embeddings]:
        """Ids of all identities and, in that order, their (N, D) templates: a copy of one state of the gallery."""
        ...

    def embeddings(self, identity_ids: Sequence[str]) -> dict[str, tuple[list[str], Embeddings]]:
        """Ids and (n, D) embeddings of these identities' photographs, without their crops; unknown ids are left out."""
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
