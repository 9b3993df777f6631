"""The page's parts without a browser: sessions, words, escaping, labels, verdicts, rates, feedback."""

from __future__ import annotations

import ast
import asyncio
import string
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from fakes import fake_recognizer, photograph
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from reid import actor
from reid.actor import Actor, Role, act_as
from reid.errors import NotAllowedError
from reid.feedback import without_rejected
from reid.leave_one_out import mated_similarities
from reid.settings import CHECKOUT
from reid.types import Candidate, Identity, Rejection, SearchResult, Threshold
from reid.ui import text
from reid.ui.components.tags import Box, lay_tags, place_tags
from reid.ui.drafting import add_shot, duplicate_of, rows_of
from reid.ui.handlers import check_declared, permit
from reid.ui.markup import button, scale
from reid.ui.probing import decide, look
from reid.ui.rates import Rate, bars_of_mated, bars_of_strangers
from reid.ui.roles import GALLERY
from reid.ui.session import LIFETIME_S, MAX_SESSIONS, MAX_SHOTS, Sessions, shot_of
from reid.ui.threshold_words import exact, odds, slider_value
from reid.ui.undo import Undos

# --- sessions --------------------------------------------------------------------------------------------------------


def test_a_session_is_forgotten_after_its_lifetime_and_not_before() -> None:
    now = [0.0]
    sessions = Sessions(clock=lambda: now[0])
    first = sessions.open(None)
    now[0] = LIFETIME_S
    assert sessions.find(first.id) is first
    now[0] = 2 * LIFETIME_S + 1
    assert sessions.find(first.id) is None
    assert sessions.open(first.id).id != first.id


def test_the_least_recently_used_session_makes_room() -> None:
    sessions = Sessions()
    first, second = sessions.open(None), sessions.open(None)
    sessions.find(first.id)
    for _ in range(MAX_SESSIONS - 1):
        sessions.open(None)
    assert len(sessions) == MAX_SESSIONS
    assert sessions.find(first.id) is first
    assert sessions.find(second.id) is None


def test_the_oldest_photograph_makes_room_and_the_newest_is_shown() -> None:
    session = Sessions().open(None)
    shots = [shot_of(photograph([0], f"{n}.png"), []) for n in range(MAX_SHOTS + 2)]
    for shot in shots:
        session.add(shot)
    assert len(session.shots) == MAX_SHOTS
    assert shots[0].id not in session.shots
    assert session.shot is shots[-1]
    session.select(3)
    assert session.face == 0


# --- words and escaping ----------------------------------------------------------------------------------------------


def _sentences() -> set[str]:
    found: set[str] = set()
    for path in (*(CHECKOUT / "reid" / "ui").rglob("*.py"), *(CHECKOUT / "reid" / "entrance").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"t", "count"}:
                arguments = node.args[:1] if node.func.id == "t" else node.args[1:3]
                for argument in arguments:
                    found |= {one.value for one in ast.walk(argument) if isinstance(one, ast.Constant)}
    return {one for one in found if isinstance(one, str)}


def test_every_sentence_is_in_the_german_catalogue_with_the_same_values() -> None:
    german = text.catalogue("de")
    assert {one for one in _sentences() if one not in german} == set()
    fields = {key: {field for _, field, _, _ in string.Formatter().parse(key) if field} for key in german}
    wrong = [
        key
        for key, value in german.items()
        if {field for _, field, _, _ in string.Formatter().parse(value) if field} != fields[key]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("accepted", "language"), [("de-CH,en;q=0.5", "de"), ("fr, de;q=0.3", "de"), ("fr", "en"), ("", "en"), (None, "en")]
)
def test_the_browser_decides_the_language(accepted: str | None, language: str) -> None:
    assert text.language_of(accepted) == language


def test_numbers_follow_the_language() -> None:
    text.use_language("de")
    assert (text.decimal(0.456), text.number_text(12_400), text.day("2026-03-01T10:00:00+00:00")) == (
        "0,46", "12.400", "1 März 2026",
    )  # fmt: skip
    text.use_language("en")
    assert (text.decimal(-0.001), text.number_text(12_400), text.day("long ago")) == ("0.00", "12,400", "long ago")


@given(st.text())
def test_whatever_a_name_is_it_stays_text(name: str) -> None:
    made = button(name, "act", label=name, id=name)
    assert Markup(made).striptags() is not None
    outside = made.replace(str(Markup.escape(name)), "")
    assert outside.count("<") == 2
    assert outside.count('"') % 2 == 0


def test_a_similarity_outside_the_line_is_drawn_at_its_end() -> None:
    assert "--s:0.0%" in scale(-0.3, 0.4)
    assert "--s:100.0%" in scale(1.2, 0.4)


# --- labels of faces -------------------------------------------------------------------------------------------------


def test_labels_stand_above_unless_that_would_cover_another_face() -> None:
    alone = place_tags([Box(300, 300, 80, 100)], [9], 700, 600)
    assert alone[0].name == "above"
    below_another = place_tags([Box(300, 300, 80, 100), Box(300, 260, 80, 36)], [9, 9], 700, 600)
    assert below_another[0].name == "below"
    at_the_top = place_tags([Box(300, 0, 80, 100)], [9], 700, 600)
    assert at_the_top[0].name == "below"


@given(st.lists(st.tuples(st.integers(0, 1900), st.integers(0, 1000), st.integers(1, 400)), max_size=30))
@settings(deadline=None)
def test_every_face_gets_a_label_inside_the_picture(boxes: list[tuple[int, int, int]]) -> None:
    placed = place_tags([Box.of((x, y, x + s, y + s), 1920, 1080) for x, y, s in boxes], [12] * len(boxes), 1920, 1080)
    assert len(placed) == len(boxes)
    assert all(0 <= place.x <= 1 and 0 <= place.y <= 1 for place in placed)


def test_a_crowd_is_numbered_without_words_but_for_the_chosen_face() -> None:
    def rows(columns: int, lines: int) -> list[Box]:
        wide, high = 1400 / columns, 700 / lines
        places = [(column * wide, line * high) for line in range(lines) for column in range(columns)]
        return [Box(left, top, wide * 0.8, high * 0.8) for left, top in places]

    styles = {len(boxes): lay_tags(boxes, [12] * len(boxes), 1400, 700).style for boxes in (rows(3, 1), rows(20, 10))}
    assert styles == {3: "words", 200: "number"}
    crowd = rows(20, 10)
    assert {place.name for place in lay_tags(crowd, [12] * 200, 1400, 700).places} == {"inside"}
    assert lay_tags(crowd, [12] * 200, 1400, 700, selected=105).places[105].name == "above"


# --- decisions -------------------------------------------------------------------------------------------------------


def test_deciding_again_asks_no_network(tmp_path: Path) -> None:
    recognizer = fake_recognizer(tmp_path)
    recognizer.enrol("Ann", [recognizer.sample(photograph([0]))])
    shot = look(recognizer, photograph([0, 3]))
    calls = recognizer.describer.detector.calls  # type: ignore[attr-defined]
    assert [view.kind for view in decide(recognizer, shot, 0.5, 5)] == ["candidate", "stranger"]
    assert [view.kind for view in decide(recognizer, shot, 1.1, 5)] == ["stranger", "stranger"]
    assert recognizer.describer.detector.calls == calls  # type: ignore[attr-defined]
    recognizer.close()


def _result(probe: np.ndarray, similarity: float) -> SearchResult:
    class One:
        embedding = probe

    ann = Candidate(Identity("ann", "Ann", 1, None, ""), similarity, None, None)
    return SearchResult(One(), (ann,), 0.4)  # type: ignore[arg-type]


def test_a_rejected_face_is_not_offered_again_but_the_person_still_is() -> None:
    stranger, ann = np.array([1, 0], np.float32), np.array([0.6, 0.8], np.float32)
    rejection = Rejection("r", "ann", "gate.png", "2026-01-01", stranger)
    kept, out = without_rejected(_result(stranger, 0.6), [rejection])
    assert kept.candidates == ()
    assert out[0][1] is rejection
    kept, out = without_rejected(_result(ann, 0.95), [rejection])
    assert len(kept.candidates) == 1
    assert out == ()


def test_a_draft_points_out_who_differs_and_who_is_enrolled_already(tmp_path: Path) -> None:
    recognizer = fake_recognizer(tmp_path)
    recognizer.enrol("Ann", [recognizer.sample(photograph([0]))])
    session = Sessions().open(None)
    for person in (0, 0, 3):
        add_shot(session, look(recognizer, photograph([person])))
    rows = rows_of(session, recognizer.threshold.value)
    assert [row.used for row in rows] == [True, True, False]
    found = duplicate_of(recognizer, session, rows, "Anna")
    assert found is not None
    assert found.identity.name == "Ann"
    assert duplicate_of(recognizer, session, rows, "Ann") is None
    session.different_from.add(found.identity.id)
    assert duplicate_of(recognizer, session, rows, "Anna") is None
    recognizer.close()


# --- rates -----------------------------------------------------------------------------------------------------------


def test_each_photograph_is_compared_with_the_others_of_its_person(tmp_path: Path) -> None:
    recognizer = fake_recognizer(tmp_path)
    recognizer.enrol("Ann", [recognizer.sample(photograph([0], patch_px=100 + n)) for n in range(3)])
    recognizer.enrol("Single", [recognizer.sample(photograph([1]))])
    ann = recognizer.gallery.find("Ann")
    assert ann is not None
    rows = np.stack([photo.embedding for photo in recognizer.gallery.photos(ann.id)])
    expected = [row @ (rows.sum(0) - row) / np.linalg.norm(rows.sum(0) - row) for row in rows]
    np.testing.assert_allclose(np.sort(mated_similarities(recognizer.gallery)), np.sort(expected), atol=1e-5)
    recognizer.close()


def test_an_interval_holds_its_share_and_narrows_with_the_count() -> None:
    few, many = Rate(1, 20), Rate(100, 2000)
    for rate in (few, many, Rate(0, 50), Rate(50, 50)):
        low, high = rate.interval
        assert 0 <= low <= rate.share <= high <= 1
    assert few.interval[1] - few.interval[0] > many.interval[1] - many.interval[0]


def test_bars_count_every_search_once() -> None:
    threshold = Threshold(0.4, "o", True, 0.1, 10, 5, None, (10, 10, 8, 8, 3, 3, 1))
    assert sum(bars_of_strangers(threshold)) == 10
    assert sum(bars_of_mated(np.array([-0.2, 0.5, 1.0], np.float32))) == 3


def test_odds_say_no_more_than_was_counted() -> None:
    threshold = Threshold(0.4, "o", True, 0.01, 300, 100, None, tuple([300] * 40 + [3] * 5))
    assert odds(threshold, 0.42, 100)[0] == "False alarm: about 1 in 100."
    assert odds(threshold, 0.9, 100)[0] == "False alarm: fewer than 1 in 100."
    assert odds(threshold, 0.9, 100)[1].startswith("None of 300 searches")
    assert odds(threshold, 0.42, 1000)[0] == "False alarm: about 1 in 10."
    assert odds(threshold, 0.1, 100)[0] == "Strangers often score this high."
    assert odds(Threshold(0.4, "o", False), 0.9, 100)[0] == "Odds unknown until this gallery is calibrated."


def test_the_slider_means_the_gallerys_own_threshold_in_full() -> None:
    threshold = Threshold(0.46122, "o", True)
    assert slider_value(threshold) == 0.46
    assert exact(threshold, 0.46) == 0.46122
    assert exact(threshold, 0.47) == 0.47


def test_a_better_run_is_told_with_the_command_that_takes_the_gallery_there(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from reid.ui import _better_run
    from reid.weights.choice import BestRun

    page = SimpleNamespace(recognizer=fake_recognizer(tmp_path))
    told = _better_run(BestRun(tmp_path / "<run>", 0.996, 0.982), page)  # type: ignore[arg-type]
    assert "byteface reembed --gallery people.db" in told
    assert "99.6 %" in told
    assert "98.2 %" in told
    assert "&lt;run&gt;" in told


# --- whose it is -----------------------------------------------------------------------------------------------------


def test_a_session_exists_only_for_whoever_opened_it() -> None:
    sessions = Sessions()
    with_name("ann")
    own = sessions.open(None)
    with_name("bo")
    assert sessions.find(own.id) is None
    assert sessions.open(own.id).id != own.id
    with_name("ann")
    assert sessions.find(own.id) is own


def test_only_whoever_did_something_takes_it_back_and_once() -> None:
    undos = Undos()
    with_name("ann")
    key = undos.offer(lambda: "taken back")
    with_name("bo")
    assert undos.take(key) is None
    with_name("ann")
    action = undos.take(key)
    assert action is not None
    assert action() == "taken back"
    assert undos.take(key) is None


def test_a_handler_without_a_role_is_not_built_into_a_page() -> None:
    async def build() -> None:  # outside a loop Gradio opens some and never closes them
        with gr.Blocks() as blocks:
            gr.Button("Press").click(lambda: None)
        check_declared(blocks)

    with pytest.raises(TypeError, match="say no role"):
        asyncio.run(build())


def test_an_act_that_nobody_named_needs_an_administrator() -> None:
    event = gr.EventData(None, {"act": "invented"})
    for role, allowed in ((Role.VIEWER, False), (Role.OPERATOR, False), (Role.ADMIN, True)):
        act_as(Actor("ann", role))
        if allowed:
            permit(GALLERY, (event,))
        else:
            with pytest.raises(NotAllowedError, match="needs the role admin"):
                permit(GALLERY, (event,))


def with_name(name: str) -> None:
    act_as(Actor(name, Role.VIEWER))


@pytest.fixture(autouse=True)
def _this_machine_again() -> Iterator[None]:
    before = actor._acting.get()
    yield
    actor._acting.set(before)
