"""gallery.npy: templates in one array that `numpy.load` reads without pickle. Knows no photographs, changes nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from reid.errors import GalleryError, IdentityNotFoundError
from reid.gallery.base import Erased
from reid.gallery.checks import same_space, unit_rows
from reid.gallery.matrix import Templates, nearest
from reid.gallery.names import spelled_like, valid_name
from reid.types import Candidate, Embeddings, Identity, Photo, Rejection

_KINDS = {"label": "U", "embedding": "f", "photos": "i", "space": "U"}

_PICKLED = (
    "{path} is a pickled gallery, and loading a pickle can run code that somebody put into it. "
    "Build it again from its photographs with `byteface build-gallery`."
)


def save_npy(
    path: Path, labels: Sequence[str], embeddings: Embeddings, photo_counts: Sequence[int], space_id: str
) -> None:
    """Writes the templates as a structured array, one row an identity; the file is there whole or not at all.

    Fields: `label` (text), `embedding` (float32, (D,)), `photos` (how many it is the mean of), `space` (the embedding
    space's id, the same in each row, so that it travels in the array).

    Args:
        embeddings: (N, D) unit rows; N at least 1, as an empty array could not carry the space.

    Raises:
        GalleryError: nobody in it, a label twice or unusable, or the file cannot be written.
    """
    if len(labels) == 0:
        raise GalleryError("Nobody was enrolled, so there is no gallery to write. Check the table and the photographs.")
    names = [valid_name(label) for label in labels]
    if len(set(names)) < len(names):
        raise GalleryError("Two templates have the same label. Give each identity one.")
    templates = unit_rows(embeddings, embeddings.shape[1], "template")
    array = np.empty(
        len(names),
        [
            ("label", f"<U{max(map(len, names))}"),
            ("embedding", "<f4", (templates.shape[1],)),
            ("photos", "<i4"),
            ("space", f"<U{len(space_id)}"),
        ],
    )
    array["label"], array["embedding"], array["photos"], array["space"] = names, templates, photo_counts, space_id
    half = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as file:
            half = Path(file.name)
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        if half:
            half.unlink(missing_ok=True)
        raise GalleryError(
            f"The gallery {path} could not be written ({error.strerror}). Nothing was changed."
        ) from error


def load_npy(path: Path) -> NDArray[np.void]:
    """The structured array that `save_npy` wrote.

    Raises:
        GalleryError: no such file, a pickle, cut off, or not a gallery.
    """
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                file.seek(0)
                raise GalleryError(
                    _PICKLED.format(path=path)
                    if file.read(1) == b"\x80"
                    else f"{path} is not a .npy file. Name another."
                )
        array: NDArray[np.void] = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise GalleryError(f"There is no gallery at {path}. Make one with `byteface build-gallery`.") from error
    except OSError as error:
        raise GalleryError(f"The gallery {path} cannot be read ({error.strerror or error}).") from error
    except (ValueError, MemoryError) as error:  # a header that promises more than there is memory for
        if "allow_pickle" in str(error) or "Object arrays" in str(error):
            raise GalleryError(_PICKLED.format(path=path)) from error
        raise GalleryError(
            f"The gallery {path} is damaged ({error}). Build it again with `byteface build-gallery`."
        ) from error
    _check(array, path)
    return array


def _check(array: NDArray[np.void], path: Path) -> None:
    """Raises: GalleryError unless the array has the fields that `save_npy` writes, with content that fits."""
    kinds = {name: array.dtype[name].base.kind for name in array.dtype.names or ()}
    if (
        {name: kinds.get(name) for name in _KINDS} != _KINDS
        or array.dtype["embedding"].ndim != 1
        or array.ndim != 1
        or len(array) == 0
    ):
        raise GalleryError(f"{path} is an array, but not a gallery. Build one with `byteface build-gallery`.")
    if len(set(map(valid_name, array["label"].tolist()))) < len(array):
        raise GalleryError(f"{path} has a label twice. Build it again with `byteface build-gallery`.")
    if len(set(array["space"].tolist())) > 1:
        raise GalleryError(f"{path} mixes embedding spaces. Build it again with `byteface build-gallery`.")


class NpyGallery:
    """The templates of a gallery.npy: searched like any other, without photographs; ids are the labels."""

    def __init__(self, url: str, array: NDArray[np.void]) -> None:
        self._url = url
        self._space_id = str(array["space"][0])
        self._identities = {
            name: Identity(name, name, int(photos), None, "")
            for name, photos in zip(map(valid_name, array["label"].tolist()), array["photos"], strict=True)
        }
        dim = array["embedding"].shape[1]
        self._templates = Templates(list(self._identities), unit_rows(array["embedding"], dim, "template"))

    @property
    def url(self) -> str:
        return self._url

    @property
    def space_id(self) -> str:
        return self._space_id

    def identities(self) -> list[Identity]:
        return sorted(self._identities.values(), key=lambda identity: (identity.name.casefold(), identity.id))

    def identity(self, identity_id: str) -> Identity:
        if identity_id not in self._identities:
            raise IdentityNotFoundError(f"That person is not in the gallery {self._url}. Load the list again.")
        return self._identities[identity_id]

    def find(self, name: str) -> Identity | None:
        return self._identities.get(name)

    def spellings(self, name: str) -> list[str]:
        return spelled_like(name, self._identities)

    def photos(self, identity_id: str) -> list[Photo]:
        self.identity(identity_id)
        return []

    def photo(self, photo_id: str) -> Photo | None:  # noqa: ARG002 - the protocol's signature; there are none
        return None

    def count(self) -> int:
        return len(self._identities)

    def get_meta(self, key: str) -> str | None:  # noqa: ARG002 - as above
        return None

    def rejections(self, identity_ids: Sequence[str]) -> list[Rejection]:  # noqa: ARG002 - as above
        return []

    @property
    def unknowns(self) -> NoReturn:
        raise GalleryError(f"{self._url} is a .npy gallery, which keeps no faces of strangers. Use a .db to keep them.")

    def apart(self) -> set[tuple[str, str]]:
        return set()

    def revision(self) -> int:
        return 0

    def templates(self) -> tuple[list[str], Embeddings]:
        return list(self._templates.ids), self._templates.rows.copy()

    def embeddings(self, identity_ids: Sequence[str]) -> dict[str, tuple[list[str], Embeddings]]:  # noqa: ARG002
        return {}

    def search(self, probes: Embeddings, k: int) -> list[list[Candidate]]:
        probes = unit_rows(probes, self._templates.rows.shape[1], "probe")
        answers: list[list[Candidate]] = []
        while len(answers) < len(probes):
            part = probes[len(answers) :][: self._templates.probes_at_once]
            answers += [
                [
                    Candidate(self._identities[self._templates.ids[row]], similarity, None, None)
                    for row, similarity in ranked
                ]
                for ranked in nearest(part, self._templates, k)
            ]
        return answers

    # The protocol's changes, all refused, whatever their arguments

    def add(self, photos: Sequence[Photo]) -> None:  # noqa: ARG002
        self._refuse()

    def rename(self, identity_id: str, name: str) -> None:  # noqa: ARG002
        self._refuse()

    def merge(self, source_id: str, target_id: str) -> None:  # noqa: ARG002
        self._refuse()

    def move(self, photo_ids: Sequence[str], identity_id: str) -> None:  # noqa: ARG002
        self._refuse()

    def remove(self, identity_id: str) -> Erased:  # noqa: ARG002
        self._refuse()

    def remove_photos(self, photo_ids: Sequence[str]) -> Erased:  # noqa: ARG002
        self._refuse()

    def edit(
        self,
        identity_id: str,  # noqa: ARG002
        *,
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002
        cover_photo_id: str | None = None,  # noqa: ARG002
    ) -> None:
        self._refuse()

    def reject(self, rejection: Rejection) -> None:  # noqa: ARG002
        self._refuse()

    def withdraw(self, rejection_id: str) -> None:  # noqa: ARG002
        self._refuse()

    def set_apart(self, first_id: str, second_id: str, *, apart: bool = True) -> None:  # noqa: ARG002
        self._refuse()

    def set_meta(self, key: str, value: str) -> None:  # noqa: ARG002
        self._refuse()

    def close(self) -> None:
        """Nothing is held open."""

    def _refuse(self) -> NoReturn:
        raise GalleryError(f"{self._url} is a .npy gallery, which is read-only. Use a .db to change it.")


def open_url(
    url: str,
    *,
    space_id: str | None,
    dim: int | None,  # noqa: ARG001 - the space's id settles it
    description: str,  # noqa: ARG001 - as the rest: of galleries that are made
    create: bool,  # noqa: ARG001
    read_only: bool,  # noqa: ARG001
) -> NpyGallery:
    """As `reid.gallery.open_gallery`; never makes one: `byteface build-gallery` does."""
    array = load_npy(Path(url.removeprefix("npy:")).expanduser())
    same_space(url, str(array["space"][0]), space_id)
    return NpyGallery(url, array)
