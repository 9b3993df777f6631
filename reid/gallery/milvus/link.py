"""One connection to Milvus: its requests, bounded in size and time, and its errors in words. Knows no gallery."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from reid.errors import GalleryError
from reid.gallery.milvus.address import Access, Address
from reid.gallery.milvus.schema import COLLECTIONS, CROPS, SCALARS, VECTOR, make

Row = dict[str, Any]

REQUEST_S = 20.0
"""How long one request may take; less than half of a turn, see `turns`."""

MOST_ROWS = 16_384
"""Rows that one answer of Milvus may have."""

_IDS_AT_ONCE = 500
_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 4 << 20

_servers: dict[str, int] = {}  # how many links of this process use the server of a file
_servers_lock = threading.Lock()


class Link:
    """Safe for several threads: the client is."""

    def __init__(self, url: str, address: Address, access: Access) -> None:
        """Connects. Raises: GalleryError."""
        try:
            import pymilvus
        except ImportError as error:
            raise GalleryError(
                f"The gallery {url} needs Milvus' client, which is not installed. Run pip install 'byteface[milvus]'."
            ) from error
        for name in ("pymilvus", "milvus_lite"):  # their own messages quote the request, names included
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self.url = url
        self.own_file = address.file is not None  # no other process can have it open
        self._file = str(address.file) if address.file else ""
        self._closed = False
        self._errors: tuple[type[Exception], ...] = (pymilvus.MilvusException, OSError, ValueError)
        arguments = {"uri": self._file} if self._file else access.arguments(address.server)
        if address.database:
            arguments["db_name"] = address.database
        with self.explained():
            self._client = pymilvus.MilvusClient(timeout=REQUEST_S, **arguments)
        if self._file:
            with _servers_lock:
                _servers[self._file] = _servers.get(self._file, 0) + 1

    # --- collections -------------------------------------------------------------------------------------------------

    def has(self, collection: str) -> bool:
        with self.explained():
            return bool(self._client.has_collection(collection, timeout=REQUEST_S))

    def make(self, dim: int, index: str) -> None:
        """Makes the collections that are not there; another process may be doing the same."""
        for collection in COLLECTIONS:
            if not self.has(collection):
                try:
                    with self.explained():
                        make(self._client, collection, dim, index)
                except GalleryError:
                    if not self.has(collection):
                        raise

    def load(self) -> None:
        """Has the server keep the collections in memory that are there, where it does not yet."""
        for collection in COLLECTIONS:
            if self.has(collection):
                with self.explained():
                    self._client.load_collection(collection)

    def compact(self) -> None:
        """Asks the server to take what was erased out of its files, whenever it comes to it."""
        for collection in COLLECTIONS:
            with contextlib.suppress(GalleryError), self.explained():  # erased it is, also where nothing is compacted
                self._client.compact(collection, timeout=REQUEST_S)

    # --- rows --------------------------------------------------------------------------------------------------------

    def get(self, collection: str, ids: Iterable[str], *, vector: bool = False) -> dict[str, Row]:
        """The rows with those keys that are there."""
        found: dict[str, Row] = {}
        for some in _parted(list(dict.fromkeys(ids)), 50 if collection == CROPS else _IDS_AT_ONCE):
            for row in self.where(collection, f"id in {quoted(some)}", vector=vector):
                found[row["id"]] = row
        return found

    def where(self, collection: str, condition: str, *, vector: bool = False, fields: Sequence[str] = ()) -> list[Row]:
        """All rows that meet a condition, however many."""
        return list(self.each(collection, condition, vector=vector, fields=fields))

    def each(
        self, collection: str, condition: str, *, vector: bool = False, fields: Sequence[str] = ()
    ) -> Iterator[Row]:
        """The same one after the other, by key."""
        wanted = [*(fields or SCALARS[collection]), *([VECTOR[collection]] if vector else [])]
        size = 50 if collection == CROPS else 1000
        with self.explained():
            condition.encode()
            first = self._client.query(collection, condition, wanted, timeout=REQUEST_S, limit=size)
        if len(first) < size:
            yield from (dict(row) for row in first)
            return
        with self.explained():
            pages = self._client.query_iterator(
                collection, batch_size=size, filter=condition, output_fields=wanted, timeout=REQUEST_S
            )
        try:
            while True:
                with self.explained():
                    page = pages.next()
                if not page:
                    return
                yield from (dict(row) for row in page)
        finally:
            pages.close()

    def count(self, collection: str, condition: str = "") -> int:
        with self.explained():
            (row,) = self._client.query(collection, condition, ["count(*)"], timeout=REQUEST_S)
        return int(row["count(*)"])

    def put(self, collection: str, rows: Sequence[Row], before: Callable[[], None] = lambda: None) -> None:
        """Adds rows; one with a known key replaces it. `before` is called before each request."""
        for some in _bounded(rows):
            before()
            with self.explained():
                self._client.upsert(collection, some, timeout=REQUEST_S)

    def drop(self, collection: str, ids: Iterable[str], before: Callable[[], None] = lambda: None) -> None:
        """Erases rows; unknown keys are not an error. `before` is called before each request."""
        for some in _parted(list(ids), _IDS_AT_ONCE):
            before()
            with self.explained():
                self._client.delete(collection, ids=some, timeout=REQUEST_S)

    def nearest(self, collection: str, vectors: Any, limit: int, fields: Sequence[str]) -> list[list[Row]]:
        """Rows of each vector by inner product, descending, as `distance` and `entity`."""
        with self.explained():
            found = self._client.search(
                collection, data=list(vectors), limit=limit, output_fields=list(fields), timeout=REQUEST_S,
                search_params={"metric_type": "IP", "params": {"ef": max(400, 4 * limit)}},
            )  # fmt: skip
        return [list(hits) for hits in found]

    # --- errors ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turns the client's errors into one sentence of what happened and one of what to do."""
        if self._closed:
            raise GalleryError(f"The gallery {self.url} was closed. Open it again.")
        try:
            yield
        except UnicodeEncodeError as error:
            raise GalleryError(
                "A name or an id holds half a character, which cannot be stored. Type it again."
            ) from error
        except self._errors as error:
            raise GalleryError(self._in_words(error)) from None  # the client's text quotes the request, names included

    def _in_words(self, error: Exception) -> str:
        text = str(getattr(error, "message", error)).lower()
        if self._file and "open local milvus" in text:
            return (
                f"The gallery {self.url} cannot be opened: another process has it, or its folder cannot be written. "
                "One process at a time uses such a file; use a Milvus server for several."
            )
        if any(word in text for word in ("unauthenticated", "auth check", "permission", "password")):
            return f"The Milvus server does not let us open {self.url}. Check the token, or the user and password."
        if "database not found" in text:
            return f"The Milvus server has no database of {self.url}. Make it there, or name another."
        if any(word in text for word in ("connect", "unavailable", "deadline", "timeout", "timed out", "refused")):
            return f"The Milvus server of {self.url} did not answer. Nothing is half done; try again when it runs."
        code = getattr(error, "code", 0)
        return f"Milvus could not do that to {self.url} (code {code}, {type(error).__name__}). Look at its log."

    def close(self) -> None:
        """The last one of this process to use a file lets go of it."""
        if self._closed:
            return
        self._closed = True
        self._client.close()
        if self._file:
            with _servers_lock:
                _servers[self._file] -= 1
                last = not _servers[self._file]
            if last:
                from milvus_lite.server_manager import server_manager_instance

                server_manager_instance.release_server(self._file)


def quoted(value: str | Sequence[str]) -> str:
    """A text or texts as Milvus' expressions write them; nothing in them can end the literal."""
    return json.dumps(value, ensure_ascii=False)


def _parted(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _bounded(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Requests of some megabytes: a server refuses larger ones."""
    some: list[Row] = []
    size = 0
    for row in rows:
        bytes_of_row = 2_000 + sum(map(len, row.get("body", ())))
        if some and (size + bytes_of_row > _BYTES_AT_ONCE or len(some) == _ROWS_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(row)
        size += bytes_of_row
    if some:
        yield some
