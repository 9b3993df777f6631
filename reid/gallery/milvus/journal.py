"""All of a change or none of it, on an engine without transactions. Knows rows and collections, not what they mean.

A change is written twice, in this order:

1. under a turn (`turns`), so that one process writes at a time, the whole change goes into the journal, a few records
   that nobody reads;
2. the record `state` says that it is decided, with the journal's digest: one row, and the moment of commit;
3. the change is carried out: crops, photographs, people, records, then what is erased;
4. `state` says that it is done and counts one up; the journal is erased.

A writer that is killed before 2 has changed nothing, and its journal is swept by the next one. Killed after 2, whoever
comes next finds the decided change and carries it out from the journal; carrying it out twice does no harm. A reader
looks at `state` before and after: while a change is decided and not done it helps to finish it, and where the count has
moved it reads again. So nobody sees half a change.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from reid.errors import GalleryError, ReidError
from reid.gallery.milvus.link import Link
from reid.gallery.milvus.plan import Plan
from reid.gallery.milvus.rows import body_of, record
from reid.gallery.milvus.schema import COLLECTIONS, PART_CHARS, RECORDS
from reid.gallery.milvus.turns import LEASE_S, Turn, Turns

T = TypeVar("T")

_ROW_CHARS = 16 * PART_CHARS
_ATTEMPTS = 5
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class State:
    """How far a gallery is.

    Attributes:
        sequence: changes that are done.
        revision: as the protocol of galleries.
        rows: of the journal of a change that is decided and not done; 0 when there is none.
        digest: SHA-256 of that journal.
        revises: whether that change counts the revision up.
    """

    sequence: int = 0
    revision: int = 0
    rows: int = 0
    digest: str = ""
    revises: bool = False

    def write(self, link: Link) -> None:
        text = json.dumps([self.sequence, self.revision, self.rows, self.digest, self.revises])
        link.put(RECORDS, [record("state", "state", text=text)])


class Journal:
    """Changes and reads of one gallery."""

    def __init__(self, link: Link, *, writable: bool) -> None:
        self._link = link
        self._writable = writable
        self._turns = Turns(link)

    def begin(self, rows: list[dict[str, object]]) -> None:
        """Makes a gallery of empty collections, once: these records and the state after them."""
        with self._turns.turn() as turn:
            if self.state() is None:
                self._link.put(RECORDS, rows, turn.still)
                State().write(self._link)

    def change(self, build: Callable[[Plan], T]) -> T:
        """What `build` returns, after everything that it planned is done.

        Raises:
            GalleryError: read-only, or Milvus cannot be reached; the change is then done as a whole, later, or not.
        """
        if not self._writable:
            raise GalleryError(f"The gallery {self._link.url} is read-only here. Open it where it can be written.")
        with self._turns.turn() as turn:
            state = self._finished(turn)
            plan = Plan(self._link)
            result = build(plan)
            if plan:
                self._carry_out(turn, self._decide(turn, state, plan), plan)
        return result

    def read(self, work: Callable[[], T]) -> T:
        """What `work` returns of one state of the gallery."""
        for _ in range(_ATTEMPTS):
            before = self._settled()
            try:
                found = work()
            except (ReidError, KeyError):
                if self.state() == before:
                    raise
                continue
            if self.state() == before:
                return found
        if not self._writable:
            raise GalleryError(f"The gallery {self._link.url} is being changed all the time. Try again in a moment.")
        with self._turns.turn() as turn:
            self._finished(turn)
            return work()

    def revision(self) -> int:
        return self._settled().revision

    def state(self) -> State | None:
        """What the gallery says of itself; None where no gallery was begun."""
        found = self._link.get(RECORDS, ["state"])
        return State(*json.loads(body_of(found["state"]))) if found else None

    def _known_state(self) -> State:
        state = self.state()
        if state is None:
            raise GalleryError(f"The gallery {self._link.url} is gone. Restore it from a backup.")
        return state

    def _settled(self) -> State:
        """A state in which no change is under way."""
        give_up = time.monotonic() + LEASE_S
        while (state := self._known_state()).rows:
            if self._writable:
                with self._turns.turn() as turn:
                    return self._finished(turn)
            if time.monotonic() > give_up:
                raise GalleryError(
                    f"A change of the gallery {self._link.url} was stopped half-way. "
                    "Open it once where it can be written."
                )
            time.sleep(_PAUSE_S)
        return state

    def _finished(self, turn: Turn) -> State:
        """Carries out what a stopped writer had decided, and sweeps what it had not."""
        state = self._known_state()
        if state.rows:
            rows = self._link.get(RECORDS, _ids(state.rows))
            text = "".join(body_of(rows[one]) for one in _ids(state.rows) if one in rows)
            if hashlib.sha256(text.encode()).hexdigest() != state.digest:
                raise GalleryError(f"The journal of the gallery {self._link.url} is damaged. Restore it from a backup.")
            return self._carry_out(turn, state, Plan.from_text(self._link, text))
        self._sweep(turn)
        return state

    def _decide(self, turn: Turn, state: State, plan: Plan) -> State:
        text = plan.to_text()
        cut = [text[start : start + _ROW_CHARS] for start in range(0, len(text), _ROW_CHARS)]
        rows = [record("journal", one, text=some) for one, some in zip(_ids(len(cut)), cut, strict=True)]
        self._link.put(RECORDS, rows, turn.still)
        turn.still()
        digest = hashlib.sha256(text.encode()).hexdigest()
        decided = State(state.sequence, state.revision, len(rows), digest, plan.revises)
        decided.write(self._link)
        return decided

    def _carry_out(self, turn: Turn, state: State, plan: Plan) -> State:
        for collection in COLLECTIONS:
            self._link.put(collection, plan.puts(collection), turn.still)
        for collection in COLLECTIONS:
            self._link.drop(collection, plan.drops(collection), turn.still)
        turn.still()
        done = State(state.sequence + 1, state.revision + state.revises)
        done.write(self._link)
        self._sweep(turn)
        return done

    def _sweep(self, turn: Turn) -> None:
        left = [row["id"] for row in self._link.where(RECORDS, 'kind == "journal"', fields=["id"])]
        self._link.drop(RECORDS, left, turn.still)


def _ids(count: int) -> list[str]:
    return [f"journal/{number:06}" for number in range(count)]
