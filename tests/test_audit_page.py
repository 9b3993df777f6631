"""What is done on the page and through its endpoints is in the log: searches, verdicts, looks at people, downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import enrolled, photograph

from reid.audit.reading import Filters, rows_of
from reid.audit.rows import Row
from reid.audit.streams import LiveTally
from reid.audit.writing import within
from reid.errors import PurposeError
from reid.live import Tracker
from reid.recognizer import Recognizer
from reid.ui.editing import view_of
from reid.ui.live import look_live
from reid.ui.probing import decide, look
from reid.ui.reporting import result_csv
from reid.ui.session import Session
from reid.ui.verifying import put, sides_of


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    yield from enrolled(tmp_path, "Ann", "Bo")


def written(recognizer: Recognizer, action: str) -> list[Row]:
    return rows_of(recognizer.audit, Filters(action=action))[::-1]


def test_drawing_a_search_again_is_no_other_search_and_another_threshold_is(recognizer):
    probe = photograph([0, 3])
    shot = look(recognizer, probe)
    for threshold in (0.5, 0.5, 0.6, 0.5):
        decide(recognizer, shot, threshold, 5)
    first, second = written(recognizer, "search")
    ann = recognizer.gallery.find("Ann")
    assert first.started_at == shot.started_at < first.at
    assert (first.facts["inputs"], first.subject_ids) == ([probe.sha256], [ann.id])
    assert [face["given"] is None for face in first.facts["found"]] == [False, True]
    assert second.facts["threshold"] == 0.6
    recognizer.enrol("Cy", [recognizer.sample(photograph([2]))])
    decide(recognizer, shot, 0.5, 5)
    assert len(written(recognizer, "search")) == 3, "the gallery is another one"


def test_what_is_taken_away_is_on_record_with_everybody_who_is_in_it(recognizer):
    session = Session("s")
    for person in (0, 1):
        session.add(look(recognizer, photograph([person])))
    with recognizer.gallery.pen.use("disclose", kind="csv", recipient="the court"):
        result_csv(recognizer, session, 0.5, 5)
    (row,) = written(recognizer, "disclose")
    assert set(row.subject_ids) == {one.id for one in recognizer.gallery.identities()}
    assert not written(recognizer, "search")


def test_a_verification_is_one_row_however_often_it_is_drawn(recognizer):
    session = Session("s")
    for side, person in (("first", 0), ("second", 0)):
        put(session, side, look(recognizer, photograph([person], patch_px=100 if side == "first" else 101)))
    for _ in range(3):
        sides_of(recognizer, session)
    (row,) = written(recognizer, "verify")
    assert row.facts["decision"] == "candidate"
    assert len(row.facts["inputs"]) == 2
    session.pair.against_person, session.pair.person = True, recognizer.gallery.find("Bo").id
    sides_of(recognizer, session)
    assert written(recognizer, "verify")[1].subject_ids == [recognizer.gallery.find("Bo").id]


def test_a_stream_is_written_when_it_begins_when_somebody_is_new_and_when_it_ends(recognizer):
    now = [0.0]
    tally, tracker, pen = LiveTally(clock=lambda: now[0]), Tracker(), recognizer.gallery.pen
    for frame in range(6):
        tally.begin(pen)
        with within():
            seen = look_live(recognizer, tracker, photograph([0] if frame < 4 else [0, 1]), frame / 10)
        tally.count(pen, len(seen), [one.said.identity.id for one in seen if one.said], 0.5)
    now[0] = 61.0
    tally.count(pen, 0, [], 0.5)
    tally.end(pen)
    tally.end(pen)
    rows = written(recognizer, "live")
    ann, bo = (recognizer.gallery.find(name).id for name in ("Ann", "Bo"))
    assert [row.phase for row in rows] == ["begun", "going", "going", "going", "done"]
    assert [row.subject_ids for row in rows] == [[], [ann], [bo], [], sorted([ann, bo])]
    assert sum(row.facts.get("frames", 0) for row in rows) == 7
    assert not written(recognizer, "search")


def test_a_stream_asks_for_its_purpose_too(recognizer):
    recognizer.audit.asking = "required"
    with pytest.raises(PurposeError):
        LiveTally().begin(recognizer.gallery.pen)


def test_measuring_a_person_against_the_others_is_no_search_of_its_own(recognizer):
    view_of(recognizer, recognizer.gallery.find("Ann").id)
    assert not written(recognizer, "search")
