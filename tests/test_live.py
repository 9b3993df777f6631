"""Live: faces followed by overlap, described by a mean, answered steadily; one frame at a time, none kept."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import drawn, fake_recognizer, photograph

from reid.images import encode_jpeg
from reid.live import GONE_S, LOST_S, STEADY_FRAMES, WINDOW_S, Tracker, overlaps
from reid.recognizer import Recognizer
from reid.types import Template
from reid.ui.live import frame_server, look_live
from reid.ui.session import Sessions


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path)
    for person, name in enumerate(("Ann", "Bob")):
        made.enrol(name, [made.sample(photograph([person], f"{name}.png"))])
    yield made
    made.close()


def _face(recognizer: Recognizer, left: float = 0, width: float = 100, embedding: Any = None) -> Template:
    template = recognizer.sample(photograph([0])).template
    face = replace(template.face, box_px=(left, 0.0, left + width, width))
    chosen = template.embedding if embedding is None else np.asarray(embedding, np.float32)
    return replace(template, face=face, embedding=chosen)


def test_overlap_is_intersection_over_union() -> None:
    found = overlaps([(0, 0, 10, 10)], [(0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30)])
    np.testing.assert_allclose(found, [[1, 50 / 150, 0]])
    assert overlaps([], [(0, 0, 1, 1)]).shape == (0, 1)


def test_a_face_that_moves_keeps_its_number_and_one_elsewhere_gets_another(recognizer: Recognizer) -> None:
    tracker = Tracker()
    first = tracker.follow([_face(recognizer, 0), _face(recognizer, 300)], 0.0)
    second = tracker.follow([_face(recognizer, 330), _face(recognizer, 40)], 0.1)
    assert [track.number for track in first] == [1, 2]
    assert [track.number for track in second] == [2, 1]
    assert [track.number for track in tracker.follow([_face(recognizer, 600)], 0.2)] == [3]


def test_a_face_is_lost_by_time_and_frames_but_not_between_two_slow_frames(recognizer: Recognizer) -> None:
    def numbers(*moments: tuple[float, bool]) -> list[int]:
        tracker = Tracker()
        faces = [_face(recognizer)]
        return [track.number for now, there in moments for track in tracker.follow(faces if there else [], now)]

    assert numbers((0, True), (LOST_S + 0.5, True)) == [1, 1]
    assert numbers((0, True), (1, False), (1.2, False), (1.4, True)) == [1, 1]
    assert numbers((0, True), (1, False), (1.2, False), (LOST_S + 0.5, True)) == [1, 2]
    assert numbers((0, True), (GONE_S + 1, True)) == [1, 2]


def test_the_embedding_is_the_mean_of_the_window_and_poor_sightings_do_not_count(recognizer: Recognizer) -> None:
    tracker, axes = Tracker(), np.eye(6)
    tracker.follow([_face(recognizer, embedding=axes[0])], 0.0)
    tracker.follow([_face(recognizer, embedding=axes[1])], WINDOW_S - 0.1)
    small = _face(recognizer, width=100, embedding=axes[3])
    small = replace(small, quality=replace(small.quality, sharpness=0.0))
    (track,) = tracker.follow([small], WINDOW_S)
    np.testing.assert_allclose(track.smoothed.embedding, (axes[0] + axes[1]) / np.sqrt(2), atol=1e-6)
    (track,) = tracker.follow([_face(recognizer, embedding=axes[2])], WINDOW_S + 0.1)
    np.testing.assert_allclose(track.smoothed.embedding, (axes[1] + axes[2]) / np.sqrt(2), atol=1e-6)


def test_an_answer_is_held_until_another_one_has_stood(recognizer: Recognizer) -> None:
    (track,) = Tracker().follow([_face(recognizer)], 0.0)
    heard = [track.hear(proposal) for proposal in ("ann", "", "ann", "", "bob", "bob", "bob", "")]
    assert STEADY_FRAMES == 3
    assert heard == ["ann", "ann", "ann", "ann", "ann", "ann", "bob", "bob"]


def test_a_stream_names_the_enrolled_and_not_the_stranger(recognizer: Recognizer) -> None:
    tracker = Tracker()
    for frame in range(3):
        seen = look_live(recognizer, tracker, photograph([0, 4]), frame / 5)
    assert [(one.kind, one.said.identity.name if one.said else None) for one in seen] == [
        ("candidate", "Ann"), ("stranger", None),
    ]  # fmt: skip
    assert list(seen[0].track.recent) == [seen[0].track.answer] * 3


def _data(people: list[int], **more: Any) -> dict[str, Any]:
    return {"frame": "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(drawn(people))).decode(), **more}


def test_a_frame_is_answered_with_boxes_and_forgotten_at_stop(recognizer: Recognizer) -> None:
    sessions = Sessions()
    server = frame_server(lambda: recognizer, sessions, lambda _: ("Odds.", ""))
    first = server(_data([0]))
    second = server(_data([0], id=first["id"]))
    assert "Ann" in first["panel"]
    assert 'class="face candidate"' in first["boxes"]
    assert first["key"] == second["key"]
    assert set(second["parts"]) == {"own-1", "score-1"}
    session = sessions.find(first["id"])
    assert session is not None
    assert session.shots == {}
    server({"id": first["id"], "stop": True})
    assert session.live is None


def test_a_second_frame_is_dropped_while_one_is_searched(recognizer: Recognizer) -> None:
    sessions = Sessions()
    server = frame_server(lambda: recognizer, sessions, lambda _: ("Odds.", ""))
    opened = server(_data([0]))["id"]
    session = sessions.find(opened)
    assert session is not None
    assert session.live is not None
    with session.live.busy:
        assert server(_data([0], id=opened)) == {"id": opened, "busy": True}
    assert "boxes" in server(_data([0], id=opened))


@pytest.mark.parametrize("frame", ["", "data:image/jpeg;base64,!!", "data:image/jpeg;base64,AAAA", "data:text/html,x"])
def test_what_is_no_frame_is_refused_in_words(recognizer: Recognizer, frame: str) -> None:
    server = frame_server(lambda: recognizer, Sessions(), lambda _: ("Odds.", ""))
    assert "cannot be read" in server({"frame": frame})["error"]
    assert "cannot be read" in server({"frame": "data:image/jpeg;base64," + "A" * 5_000_000})["error"]
