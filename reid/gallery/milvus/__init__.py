"""Galleries in Milvus, for those that outgrow one machine: `milvus:people.db`, `milvus://host:19530/people`.

Knows how one is found, made and checked when it is opened.
"""

from __future__ import annotations

from contextlib import ExitStack, closing

from reid.errors import GalleryError
from reid.gallery.checks import same_space
from reid.gallery.milvus.address import Access, Address
from reid.gallery.milvus.gallery import MilvusGallery
from reid.gallery.milvus.journal import Journal
from reid.gallery.milvus.link import Link
from reid.gallery.milvus.rows import body_of, record
from reid.gallery.milvus.schema import RECORDS

__all__ = ["MilvusGallery", "exists", "open_url"]


def open_url(
    url: str, *, space_id: str | None, dim: int | None, description: str, create: bool, read_only: bool
) -> MilvusGallery:
    """As `reid.gallery.open_gallery`."""
    address = Address.parse(url)
    may_make = create and not read_only and space_id is not None and dim is not None
    if address.file and not address.file.exists():
        if not may_make:
            raise _none_there(url)
        _make_folder(address, url)
    with ExitStack() as opened:
        link = Link(url, address, Access.from_env())
        opened.callback(link.close)
        journal = Journal(link, writable=not read_only)
        link.load()
        if not link.has(RECORDS) or journal.state() is None:
            if not may_make or space_id is None or dim is None:
                raise _none_there(url)
            link.make(dim, address.index)
            about = {"space_id": space_id, "space_dim": str(dim), "space": description}
            journal.begin([record("meta", f"meta/{key}", text=value) for key, value in about.items()])
        found = journal.read(lambda: link.get(RECORDS, ["meta/space_id", "meta/space_dim"]))
        stored = body_of(found["meta/space_id"])
        same_space(url, stored, space_id)
        gallery = MilvusGallery(
            url, link, journal, space_id=stored, dim=int(body_of(found["meta/space_dim"])), read_only=read_only
        )
        gallery.unknowns.purge()
        opened.pop_all()  # all went well: nothing is closed
    return gallery


def exists(url: str) -> bool:
    """Whether there is a gallery. Raises: GalleryError where a server cannot be asked."""
    address = Address.parse(url)
    if address.file:
        return address.file.is_dir()
    with closing(Link(url, address, Access.from_env())) as link:
        return link.has(RECORDS)


def _none_there(url: str) -> GalleryError:
    return GalleryError(f"There is no gallery at {url}. Make one with `byteface enrol` or `byteface build-gallery`.")


def _make_folder(address: Address, url: str) -> None:
    assert address.file is not None
    try:
        address.file.parent.mkdir(parents=True, exist_ok=True)
        address.file.mkdir(mode=0o700)  # faces are nobody else's business
    except OSError as error:
        raise GalleryError(f"The gallery {url} cannot be made ({error.strerror}). Name another place.") from error
