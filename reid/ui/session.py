"""What the page remembers between two clicks: photographs and their described faces, by an unguessable id.

A bounded store that forgets by age. Knows no gallery and no page; nothing of it reaches a disk.
"""

from __future__ import annotations

import io
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from reid.actor import acting
from reid.audit.streams import LiveTally
from reid.images import encode_jpeg
from reid.live import Tracker
from reid.types import Photograph, Template

MAX_SESSIONS = 64
MAX_SHOTS = 40
LIFETIME_S = 2 * 3600.0
SHOWN_PX = 2000
"""Longest side of the picture that is kept for the screen."""


VERDICTS = {
    "candidate": "Potential candidate",
    "stranger": "No candidate",
    "inconclusive": "Inconclusive",
    "unsuitable": "Unsuitable image",
}
"""What may be said after comparing, and its words in files."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a person said after comparing a face with somebody.

    Attributes:
        verdict: one of `VERDICTS`.
        identity_id: with whom it was compared.
        name: what that person was called then.
        similarity: of the two, cosine.
        similarity_shown: whether the comparison showed it before the verdict.
        reason: in the person's own words; may be empty.
        at: ISO 8601, UTC.
    """

    verdict: str
    identity_id: str
    name: str
    similarity: float
    threshold: float
    similarity_shown: bool
    reason: str
    at: str


@dataclass(slots=True, eq=False)
class Shot:
    """One photograph on somebody's screen.

    Attributes:
        jpeg: the picture, at most `SHOWN_PX` on its longer side.
        scale: pixels of `jpeg` for one pixel of the photograph.
        templates: its faces, in pixels of the photograph as it came.
        chosen: in enrolment, the index of the face that is meant; None while nobody has said.
        used: in enrolment, whether it is enrolled; None leaves it to its quality.
        opinions: what people said about each face, by its index, oldest first.
        started_at: when it began to be looked at, ISO 8601, UTC.
        searched: what it was searched with and is in the audit log: drawing it again is no other search.
    """

    id: str
    name: str
    sha256: str
    width_px: int
    height_px: int
    jpeg: bytes
    scale: float
    templates: list[Template]
    chosen: int | None = None
    used: bool | None = None
    opinions: dict[int, list[Opinion]] = field(default_factory=dict)
    started_at: str = ""
    searched: set[tuple[object, ...]] = field(default_factory=set)

    def chip_jpeg(self, face: int) -> bytes:
        """The upright crop of one face."""
        return encode_jpeg(self.templates[face].chip, 92)


def shot_of(photograph: Photograph, templates: Sequence[Template]) -> Shot:
    """Keeps of a photograph what the page shows."""
    scale = min(1.0, SHOWN_PX / max(photograph.width_px, photograph.height_px))
    image = Image.fromarray(photograph.pixels)
    if scale < 1:
        image = image.resize(
            (max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.BOX
        )
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return Shot(
        uuid.uuid4().hex,
        photograph.name,
        photograph.sha256,
        photograph.width_px,
        photograph.height_px,
        buffer.getvalue(),
        scale,
        list(templates),
    )


@dataclass(slots=True, eq=False)
class Pair:
    """What stands beside each other in verification.

    Attributes:
        first: id of the photograph on the left.
        second: id of the photograph on the right.
        person: id of the enrolled person on the right.
        against_person: whether the right side is a person and not a photograph.
        query: what was last typed to find the person.
    """

    first: str = ""
    second: str = ""
    person: str = ""
    against_person: bool = False
    query: str = ""


@dataclass(slots=True, eq=False)
class LiveFeed:
    """The faces of a running webcam stream and the lock that lets one frame in at a time."""

    tracker: Tracker = field(default_factory=Tracker)
    tally: LiveTally = field(default_factory=LiveTally)
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True, eq=False)
class Session:
    """Photographs of one browser tab and what is selected in it.

    Attributes:
        owner: name of whoever opened it; to anybody else it does not exist.
        opened: identity whose candidate card is open; None for the first.
        different_from: in enrolment, identities that somebody said the new person is not.
        report: the last import's table, as CSV.
        pair: in verification, what is compared.
        live: the running webcam stream; None while there is none.
        recorded: comparisons that are in the audit log: drawing them again is no other one.
    """

    id: str
    owner: str = ""
    shots: dict[str, Shot] = field(default_factory=dict)
    current: str | None = None
    face: int = 0
    opened: str | None = None
    different_from: set[str] = field(default_factory=set)
    report: bytes = b""
    pair: Pair = field(default_factory=Pair)
    live: LiveFeed | None = None
    recorded: set[tuple[object, ...]] = field(default_factory=set)
    touched: float = 0.0

    @property
    def shot(self) -> Shot | None:
        """The photograph that is shown."""
        return self.shots.get(self.current) if self.current else None

    def add(self, shot: Shot) -> None:
        """Shows one more photograph; beyond `MAX_SHOTS` the oldest goes."""
        self.shots[shot.id] = shot
        while len(self.shots) > MAX_SHOTS:
            del self.shots[next(iter(self.shots))]
        self.show(shot.id)

    def show(self, shot_id: str) -> None:
        """Turns to one photograph and its first face; unknown ids change nothing."""
        if shot_id in self.shots:
            self.current, self.face, self.opened = shot_id, 0, None

    def select(self, face: int) -> None:
        """Turns to one face of the photograph; what is not there changes nothing."""
        shot = self.shot
        if shot and 0 <= face < len(shot.templates):
            self.face, self.opened = face, None


class Sessions:
    """All sessions of this process, the least recently used forgotten first. Safe to call from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def open(self, session_id: str | None) -> Session:
        """The session of that id, a new one where it is unknown or was forgotten."""
        found = self.find(session_id)
        if found:
            return found
        session = Session(uuid.uuid4().hex, acting().name, touched=self._clock())
        with self._lock:
            self._sessions[session.id] = session
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def find(self, session_id: str | None) -> Session | None:
        """The session of that id while it lives, for whoever opened it."""
        now = self._clock()
        with self._lock:
            while self._sessions:
                oldest = next(iter(self._sessions.values()))
                if now - oldest.touched <= LIFETIME_S:
                    break
                del self._sessions[oldest.id]
            session = self._sessions.get(session_id or "")
            if session and session.owner != acting().name:
                return None
            if session:
                session.touched = now
                self._sessions.move_to_end(session.id)
            return session

    def shot(self, session_id: str, shot_id: str) -> Shot | None:
        """A photograph of a session, for the route that serves its picture."""
        session = self.find(session_id)
        return session.shots.get(shot_id) if session else None

    def __len__(self) -> int:
        return len(self._sessions)
