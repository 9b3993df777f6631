"""Several galleries in one folder, and which of them the work at hand means. Knows names and files, no page.

Whoever handles a request calls `choose` first; everything below asks `Shelf.current`. Galleries stay open once they
were used, so nobody's work is cut off when somebody else turns to another one.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import threading
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

from reid.errors import GalleryError
from reid.gallery import open_gallery
from reid.gallery.base import Gallery
from reid.gallery.migrations import APPLICATION_ID
from reid.transactions import open_to_read

_chosen: ContextVar[str] = ContextVar("byteface_gallery", default="")

_NAME = re.compile(r"\w(?:[\w .-]{0,58}\w)?")
_KEPT = ".before-"  # what a restore or a migration kept beside a gallery
_HEADER_AT = 68  # of the application id in SQLite's file format, four bytes, big-endian


def choose(name: str | None) -> None:
    """Says which gallery the rest of this thread's or task's work means; empty for the one that was started with."""
    _chosen.set(name or "")


class Shelf:
    """The gallery that was started with and those beside it, all of one embedding space. Safe for several threads."""

    def __init__(
        self, first: Gallery, *, dim: int, description: str, opened: Callable[[Gallery, bool], Gallery] | None = None
    ) -> None:
        """
        Args:
            first: stays open until `close`; whoever chooses nothing means this one.
            dim: D of its embedding space.
            description: of the space, for galleries that are made.
            opened: given each gallery and whether it was made just now; what it returns is used in its place.
        """
        file = Path(first.url.removeprefix("sqlite:")).expanduser()
        self._opened = opened or (lambda gallery, _: gallery)
        self.first = first = self._opened(first, False)
        self._folder = file.resolve().parent if file.suffix == ".db" and file.exists() else None
        self._first_name = file.stem if self._folder else first.url
        self._dim = dim
        self._description = description
        self._open: dict[str, Gallery] = {self._first_name: first}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Galleries that can be chosen: files of the folder that say that they are one."""
        if self._folder is None:
            return [self._first_name]
        found = {file.stem for file in self._folder.glob("*.db") if _KEPT not in file.name and is_gallery(file)}
        # a new one is in its write-ahead log only until it is closed, and its file says nothing yet
        found |= {name for name in self._open if (self._folder / f"{name}.db").exists()}
        return sorted(found, key=lambda name: (name.casefold(), name))

    def urls(self) -> list[str]:
        """Addresses of all of them."""
        if self._folder is None:
            return [self.first.url]
        return [str(self._folder / f"{name}.db") for name in self.names()]

    @property
    def name(self) -> str:
        """Of the current gallery."""
        chosen = _chosen.get()
        return chosen if chosen in self._open or chosen in self.names() else self._first_name

    def current(self) -> Gallery:
        """The gallery that was chosen; the first one where nobody chose, or where it is gone.

        Raises:
            EmbeddingSpaceError: its faces are of another space.
            GalleryError: it cannot be opened.
        """
        chosen = _chosen.get()
        with self._lock:
            if not chosen or (chosen not in self._open and chosen not in self.names()):
                return self.first
            if chosen not in self._open:
                assert self._folder is not None
                found = open_gallery(
                    str(self._folder / f"{chosen}.db"), space_id=self.first.space_id, dim=self._dim, create=False
                )
                self._open[chosen] = self._opened(found, False)
            return self._open[chosen]

    def create(self, name: str) -> None:
        """Makes an empty gallery beside the others.

        Raises:
            GalleryError: the name cannot be a file's, there is one of that name, or the folder cannot be written.
        """
        name = name.strip()
        if self._folder is None:
            raise GalleryError("Beside this gallery no other can be made. Start with a .db file.")
        if not _NAME.fullmatch(name) or _KEPT in f"{name}.":
            raise GalleryError(
                "A gallery's name has up to 60 letters, digits, spaces, dots and hyphens. Choose another."
            )
        with self._lock:
            taken = {file.stem.casefold() for file in self._folder.glob("*.db")}
            if name.casefold() in taken:
                raise GalleryError(f"There is a gallery {name} already. Choose it, or another name.")
            made = open_gallery(
                str(self._folder / f"{name}.db"),
                space_id=self.first.space_id,
                dim=self._dim,
                description=self._description,
            )
            self._open[name] = self._opened(made, True)

    def close(self) -> None:
        """Lets go of all of them."""
        for gallery in self._open.values():
            gallery.close()


def files_beside(gallery: Path) -> list[Path]:
    """Other galleries of its folder, by name; also one that another process or thread made just now."""
    found = (file for file in sorted(gallery.parent.glob("*.db")) if file != gallery and _KEPT not in file.name)
    return [file for file in found if _application_of(file) == APPLICATION_ID]


def _application_of(file: Path) -> int:
    """What SQLite says, which looks into the write-ahead log of an open one too."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(open_to_read(file)) as db,
    ):
        return int(db.execute("PRAGMA application_id").fetchone()[0])
    return 0


def is_gallery(file: Path) -> bool:
    """Whether a file says that it is a gallery."""
    try:
        with file.open("rb") as content:
            content.seek(_HEADER_AT)
            return content.read(4) == APPLICATION_ID.to_bytes(4, "big")
    except OSError:
        return False
