"""One writer at a time, on however many machines: Lamport's bakery with claims that end. Knows no change.

Milvus has neither locks nor compare-and-set, but a strongly consistent read sees every write that ended before it, and
that is all this algorithm needs: whoever wants to write takes a number above all that are there and waits for the lower
ones. A claim ends by itself, so that a writer that was killed holds nobody up for longer than `LEASE_S`; the clocks of
the machines must agree to within some seconds. A writer that is slow begins no request that could outlast its claim.

Source: L. Lamport, A new solution of Dijkstra's concurrent programming problem, CACM 17 (8), 1974.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator

from reid.errors import GalleryError
from reid.gallery.milvus.link import REQUEST_S, Link, Row
from reid.gallery.milvus.rows import record
from reid.gallery.milvus.schema import RECORDS

LEASE_S = 60.0
"""How long a claim lasts unless it is renewed."""

PATIENCE_S = 120.0
"""How long one waits for others before giving up."""

_PAUSE_S = 0.005
_LONGEST_PAUSE_S = 0.5
_PROCESS = uuid.uuid4().hex


class Turn:
    """The right to write, while it lasts."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._id = f"claim/{_PROCESS}/{uuid.uuid4().hex}"
        self._number = 0
        self._until = 0.0

    def claim(self, number: int) -> None:
        """Takes a number, 0 while choosing one, or makes it last longer."""
        began = time.monotonic()
        row = record("claim", self._id, owner=self._id, at=f"{time.time() + LEASE_S:020.3f}", text=str(number))
        self._link.put(RECORDS, [row])
        self._number, self._until = number, began + LEASE_S

    def still(self) -> None:
        """Before each request. Raises: GalleryError where it could end after the claim does."""
        left = self._until - time.monotonic()
        if left < LEASE_S / 2 and left > REQUEST_S:
            self.claim(self._number)
        elif left <= REQUEST_S:
            raise GalleryError(
                "Milvus took too long, and another process may be writing by now. The change is finished or forgotten "
                "as a whole; look at it and try again."
            )

    def wait(self) -> None:
        """Until nobody is before us. Raises: GalleryError after `PATIENCE_S`."""
        give_up, pause = time.monotonic() + PATIENCE_S, _PAUSE_S
        while self._ahead():
            if time.monotonic() > give_up:
                raise GalleryError(
                    f"The gallery {self._link.url} is being written by others all the time. Nothing was changed; "
                    "try again in a moment."
                )
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            if self._until - time.monotonic() < LEASE_S / 2:
                self.claim(self._number)

    def _ahead(self) -> bool:
        own = (self._number, self._id)
        return any(number == 0 or (number, claim_id) < own for number, claim_id in self.others())

    def others(self) -> list[tuple[int, str]]:
        """Numbers and ids of all claims but ours that have not ended; those that have are taken away."""
        now = f"{time.time():020.3f}"
        found = [row for row in self._link.where(RECORDS, 'kind == "claim"') if row["id"] != self._id]
        dead = [row["id"] for row in found if row["at"] < now or self._is_of_a_process_that_ended(row)]
        self._link.drop(RECORDS, dead)
        return [(int(row["body"][0]), row["id"]) for row in found if row["id"] not in dead]

    def _is_of_a_process_that_ended(self, row: Row) -> bool:
        return self._link.own_file and not row["id"].startswith(f"claim/{_PROCESS}/")

    def end(self) -> None:
        with contextlib.suppress(GalleryError):  # it ends by itself
            self._link.drop(RECORDS, [self._id])


class Turns:
    """Hands out turns: to one thread of this process at a time, then to one process."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def turn(self) -> Iterator[Turn]:
        """Waits until nobody else writes. Raises: GalleryError."""
        with self._lock:
            turn = Turn(self._link)
            try:
                turn.claim(0)
                turn.claim(1 + max((number for number, _ in turn.others()), default=0))
                turn.wait()
                yield turn
            finally:
                turn.end()
