"""A stream of frames in the log: not a row a frame, and nobody who was named in it left out. Knows no camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reid.audit.rows import Phase, utc_now
from reid.audit.writing import Pen

EVERY_S = 60.0
"""How often a stream that goes on is written down."""


@dataclass(slots=True, eq=False)
class LiveTally:
    """What a stream has done since its last row; a new person is written down at once.

    Attributes:
        named: ids of everybody who was given as an answer since the stream began.
        frames: since the last row.
        faces: most in one frame, since the last row.
    """

    clock: Callable[[], float] = time.monotonic
    named: set[str] = field(default_factory=set)
    frames: int = 0
    faces: int = 0
    started_at: str = ""
    _written: float = 0.0

    def begin(self, pen: Pen) -> None:
        """Before the first frame is searched. Raises: PurposeError where one is required and missing."""
        if self.started_at:
            return
        pen.ask_purpose()
        self.started_at = utc_now()
        pen.log.append(pen.entry("live", "begun"))
        self._written = self.clock()

    def count(self, pen: Pen, faces: int, given: Sequence[str], threshold: float) -> None:
        """After a frame: who was given for its faces."""
        self.frames, self.faces = self.frames + 1, max(self.faces, faces)
        new = set(given) - self.named
        self.named |= new
        if new or self.clock() - self._written >= EVERY_S:
            self._write(pen, "going", sorted(new), threshold)

    def end(self, pen: Pen) -> None:
        """When it is stopped."""
        if self.started_at:
            self._write(pen, "done", sorted(self.named))
            self.started_at = ""

    def _write(self, pen: Pen, phase: Phase, people: Sequence[str], threshold: float | None = None) -> None:
        details = {"frames": self.frames, "faces": self.faces}
        more = {} if threshold is None else {"threshold": round(threshold, 6)}
        entry = pen.entry("live", phase, subjects=people, details={**details, **more}, started_at=self.started_at)
        pen.log.append(entry)
        self.frames, self.faces, self._written = 0, 0, self.clock()
