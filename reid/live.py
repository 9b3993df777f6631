"""Faces of a stream: followed from frame to frame by overlap, described by the mean of the last moments, answered
steadily. Knows boxes and embeddings, no camera, no gallery and no page.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from reid.types import Template
from reid.verdicts import not_searched

WINDOW_S = 2.0
"""How long a sighting counts: the embedding is the mean of those."""
LOST_S, LOST_FRAMES, GONE_S = 1.5, 2, 6.0
"""A face that was missed for so long and in so many frames, or for so long whatever the frames, is another one when it
comes back. A slow machine sees a frame a second, and must not lose everybody between two."""
MIN_OVERLAP = 0.2
STEADY_FRAMES = 3
"""A new answer must stand in so many frames in a row before it is given."""
SHOWN_FRAMES = 10

Box = tuple[float, float, float, float]


@dataclass(slots=True, eq=False)
class Track:
    """One face over several frames.

    Attributes:
        number: from 1, never given twice.
        latest: the sighting of the last frame.
        best: the sighting of best quality among those that count.
        seen_s: when it was last seen.
        missed: frames since then.
        sightings: those good enough to be searched, with their time, oldest first.
        answer: what is said about it: an identity's id, empty for nobody; None before the first answer.
        recent: what each of the last frames would have said, oldest first.
    """

    number: int
    latest: Template
    best: Template
    seen_s: float
    missed: int = 0
    sightings: deque[tuple[float, Template]] = field(default_factory=deque)
    answer: str | None = None
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=SHOWN_FRAMES))

    @property
    def smoothed(self) -> Template:
        """The best sighting with the mean embedding of those that count; the latest one where none does."""
        if not self.sightings:
            return self.latest
        mean = np.mean([template.embedding for _, template in self.sightings], axis=0)
        embedding = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return replace(self.best, embedding=embedding)

    def lost(self, now_s: float) -> bool:
        """Whether it is given up before the frame of that time."""
        ago = now_s - self.seen_s
        return ago > GONE_S or (ago > LOST_S and self.missed >= LOST_FRAMES)

    def hear(self, proposal: str) -> str:
        """Takes what a frame would say and returns what is said: the old answer until another one has stood.

        Args:
            proposal: an identity's id, or empty for nobody.
        """
        self.recent.append(proposal)
        last = list(self.recent)[-STEADY_FRAMES:]
        if self.answer is None or (len(last) == STEADY_FRAMES and set(last) == {proposal}):
            self.answer = proposal
        return self.answer

    def see(self, template: Template, now_s: float) -> None:
        """One more sighting; what is older than the window stops counting."""
        self.latest, self.seen_s, self.missed = template, now_s, 0
        if not_searched(template) is None:
            self.sightings.append((now_s, template))
        while self.sightings and now_s - self.sightings[0][0] > WINDOW_S:
            self.sightings.popleft()
        self.best = max((one for _, one in self.sightings), key=lambda one: one.quality.score, default=template)


class Tracker:
    """The faces of one stream. Not safe to call from several threads at once."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._made = 0

    def follow(self, templates: Sequence[Template], now_s: float) -> list[Track]:
        """Gives each face of a frame to the track that it overlaps most, or to a new one.

        Args:
            templates: all faces of the frame.
            now_s: seconds on a clock that only goes forward.

        Returns:
            the tracks that are seen in this frame, in the order of `templates`.
        """
        self._tracks = [track for track in self._tracks if not track.lost(now_s)]
        from scipy.optimize import linear_sum_assignment  # not before the first frame

        overlap = overlaps(
            [template.face.box_px for template in templates], [track.latest.face.box_px for track in self._tracks]
        )
        rows, columns = linear_sum_assignment(overlap, maximize=True)
        followed = {
            int(row): self._tracks[column]
            for row, column in zip(rows, columns, strict=True)
            if overlap[row, column] >= MIN_OVERLAP
        }
        for track in self._tracks:
            track.missed += 1  # of this frame too, until it is seen
        seen = []
        for index, template in enumerate(templates):
            if index not in followed:
                self._made += 1
                followed[index] = Track(self._made, template, template, now_s)
                self._tracks.append(followed[index])
            followed[index].see(template, now_s)
            seen.append(followed[index])
        return seen


def overlaps(first: Sequence[Box], second: Sequence[Box]) -> NDArray[np.float64]:
    """(N, M) intersection over union of boxes, in [0, 1]."""
    a = np.asarray(first, np.float64).reshape(-1, 1, 4)
    b = np.asarray(second, np.float64).reshape(1, -1, 4)
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    common = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = [np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 0), axis=-1) for boxes in (a, b)]
    return np.asarray(common / np.maximum(areas[0] + areas[1] - common, 1e-9), np.float64)
