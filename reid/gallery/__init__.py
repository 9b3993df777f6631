"""Opens galleries by their address. Knows which backends there are, and nothing of how they store."""

from __future__ import annotations

import re
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import cast

from reid.errors import GalleryError
from reid.gallery.base import Erased, Gallery
from reid.gallery.names import valid_name

__all__ = ["Erased", "Gallery", "is_there", "open_gallery", "space_id_of", "valid_name"]

# scheme of the address -> module with `open_url(url, *, space_id, dim, description, create, read_only)`, and with
# `exists(url)` where its galleries are no plain files
_BACKENDS = {
    "sqlite": "reid.gallery.sqlite",
    "npy": "reid.gallery.npy",
    "milvus": "reid.gallery.milvus",
}


def open_gallery(
    url: str,
    *,
    space_id: str | None,
    dim: int | None,
    description: str = "{}",
    create: bool = True,
    read_only: bool = False,
) -> Gallery:
    """The gallery at an address.

    Args:
        url: a file ending in .npy, any other file for SQLite, or `scheme:...` of another backend, such as
            `milvus:people.db` or `milvus://host:port/database`.
        space_id: embedding space that the caller compares with; None takes whatever the gallery has, which is enough to
            list, rename and erase.
        dim: D of its vectors; None with `space_id` None.
        description: the space in JSON, stored with a new gallery.
        create: whether a gallery that does not exist is made.
        read_only: never writes; one that cannot be written is opened so anyway, and its changes are refused.

    Raises:
        EmbeddingSpaceError: the gallery belongs to another space.
        GalleryError: it does not exist, is damaged, or its backend is not there.
    """
    scheme = _scheme(url)
    if scheme not in _BACKENDS:
        raise GalleryError(
            f"The gallery {url} needs the backend {scheme}, which is not installed. "
            "Use a file ending in .db, or in .npy for reading."
        )
    module = import_module(_BACKENDS[scheme])
    opened = module.open_url(
        url, space_id=space_id, dim=dim, description=description, create=create, read_only=read_only
    )
    return cast(Gallery, opened)


def is_there(url: str) -> bool:
    """Whether an address has a gallery, or a file that should be one. Raises: GalleryError for a bad address."""
    scheme = _scheme(url)
    module = import_module(_BACKENDS[scheme]) if scheme not in {"sqlite", "npy"} and scheme in _BACKENDS else None
    return bool(module.exists(url)) if module else Path(url.removeprefix("sqlite:")).expanduser().is_file()


def space_id_of(url: str) -> str:
    """Embedding space of a gallery that exists. Raises: GalleryError."""
    with closing(open_gallery(url, space_id=None, dim=None, create=False, read_only=True)) as gallery:
        return gallery.space_id


def _scheme(url: str) -> str:
    # two letters at least: C:\galleries\people.db is a file
    if match := re.match(r"([a-z][a-z0-9+]+):", url):
        return match[1]
    return "npy" if url.lower().endswith(".npy") else "sqlite"
