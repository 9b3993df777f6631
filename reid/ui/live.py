"""Live: frames of the webcam in, boxes and a steady answer out. A frame is searched and forgotten."""

from __future__ import annotations

import base64
import binascii
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reid.actor import Role
from reid.audit.writing import within
from reid.errors import ImageDecodeError, NotAllowedError, ReidError
from reid.images import read_photograph
from reid.live import Track, Tracker
from reid.recognizer import Recognizer
from reid.types import Candidate, Photograph
from reid.ui.components.live_view import boxes, panel, parts
from reid.ui.handlers import Visit, declared, permit
from reid.ui.probing import FaceView, decide
from reid.ui.refusals import in_words
from reid.ui.session import LiveFeed, Sessions, Shot
from reid.ui.text import t, use_language

log = logging.getLogger(__name__)

MAX_FRAME = 4_000_000
"""Letters of a frame; the page sends about a hundred thousand."""
SHOWN = 3
"""Faces whose candidates are shown beside the video, the largest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One face of the stream as it is shown.

    Attributes:
        view: what its smoothed embedding finds now.
        said: the candidate that is held; None for nobody.
        kind: of the decision that is held.
    """

    track: Track
    view: FaceView
    said: Candidate | None
    kind: str


def frame_server(
    recognizer: Callable[[], Recognizer], sessions: Sessions, odds: Callable[[float], tuple[str, str]]
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The function that the page calls with each frame.

    Args:
        recognizer: the one in use when the frame comes.
        odds: the sentence about false alarms at a similarity, bold part first.
    """

    def live_frame(data: dict[str, Any]) -> dict[str, Any]:
        """Searches one frame.

        Args:
            data: `id` of the stream, empty for a new one; `frame`, a JPEG as a data address; `language`; or `stop`.

        Returns:
            `id`; `boxes` and `panel` as HTML; `key`, which changes when the panel must be drawn anew; `parts` of it
            that change with every frame; `error` as a sentence; `busy` where the frame before is still being searched.
        """
        Visit.now().enter()
        use_language(str(data.get("language", "")))
        try:
            permit(Role.VIEWER)
        except NotAllowedError as error:
            return {"id": "", "error": in_words(str(error))}
        session = sessions.open(str(data.get("id", "")))
        if data.get("stop"):
            if session.live:
                session.live.tally.end(recognizer().gallery.pen)
            session.live = None  # the faces of the last moments with it
            return {"id": ""}
        feed = session.live = session.live or LiveFeed()
        if not feed.busy.acquire(blocking=False):
            return {"id": session.id, "busy": True}
        try:
            photograph = _photograph(str(data.get("frame", "")))
            seen = _looked_at(recognizer(), feed, photograph)
            largest = sorted(seen, key=lambda one: -one.track.latest.face.area_px)[:SHOWN]
            shown = sorted(largest, key=lambda one: one.track.number)  # or they would change places
            return {
                "id": session.id,
                "boxes": boxes(seen, photograph.width_px, photograph.height_px),
                "panel": panel(shown, odds),
                "key": "|".join(f"{one.track.number}:{one.kind}:{one.track.answer}" for one in shown),
                "parts": parts(shown, odds),
                "faces": len(seen),
            }
        except ReidError as error:
            return {"id": session.id, "error": in_words(str(error))}
        except Exception as error:  # an entry point, like a handler: said in words, logged, and the page lives
            log.error("a live frame failed", exc_info=error)
            return {"id": session.id, "error": t("That did not work")}
        finally:
            feed.busy.release()

    return declared(live_frame, Role.VIEWER)


def _looked_at(recognizer: Recognizer, feed: LiveFeed, photograph: Photograph) -> list[Seen]:
    """As `look_live`, with the record of it: the tally writes what is found, not a row a frame."""
    pen = recognizer.gallery.pen
    feed.tally.begin(pen)
    with within():
        seen = look_live(recognizer, feed.tracker, photograph, time.monotonic())
    given = [one.said.identity.id for one in seen if one.said]
    feed.tally.count(pen, len(seen), given, recognizer.threshold.value)
    return seen


def look_live(recognizer: Recognizer, tracker: Tracker, photograph: Photograph, now_s: float) -> list[Seen]:
    """Finds, follows and decides the faces of one frame."""
    templates = recognizer.describe(photograph, recognizer.detect(photograph))
    tracks = tracker.follow(templates, now_s)
    shot = Shot("", "", "", photograph.width_px, photograph.height_px, b"", 1.0, [track.smoothed for track in tracks])
    views = decide(recognizer, shot, recognizer.threshold.value, 5)
    return [_held(track, view) for track, view in zip(tracks, views, strict=True)]


def _held(track: Track, view: FaceView) -> Seen:
    if view.assigned is None:
        return Seen(track, view, None, "unsearched")
    given = view.assigned.given
    answer = track.hear(given.identity.id if given else "")
    candidates = {candidate.identity.id: candidate for candidate in view.assigned.result.candidates}
    if answer and answer not in candidates:  # far from anybody's mind by now
        track.answer = answer = given.identity.id if given else ""
    return Seen(track, view, candidates.get(answer), "candidate" if answer else "stranger")


def _photograph(address: str) -> Photograph:
    head, _, body = address.partition(",")
    if len(address) > MAX_FRAME or not head.startswith("data:image/jpeg"):
        raise ImageDecodeError("The frame cannot be read. Stop and start again.")
    try:
        data = base64.b64decode(body, validate=True)
    except binascii.Error:
        raise ImageDecodeError("The frame cannot be read. Stop and start again.") from None
    return read_photograph(data, "frame")
