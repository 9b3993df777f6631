"""What an operator answers on the page: duplicates, names, verdicts, missed faces, by keyboard too."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Surfer, search, shoot
from fakes import people_of_all_kinds, save

from reid.recognizer import Recognizer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    with people_of_all_kinds(tmp_path_factory.mktemp("page")) as made:
        yield made


def test_a_likely_duplicate_must_be_answered_before_saving(
    surfer: Surfer, recognizer: Recognizer, tmp_path: Path
) -> None:
    page = surfer.open("/?tab=enrol")
    page.set_input_files("#enrol-files input[type=file]", [str(save(tmp_path / "again.jpg", [0], patch_px=120))])
    page.wait_for_selector(".bf-dupq:has-text('Is this Ann Sørensen, who is enrolled already?')")
    page.wait_for_selector("#bf-enrol-go[disabled]")
    shoot(page, "fake-duplicate")
    page.click(".bf-dupq button:has-text('Enrol as a different person')")
    page.wait_for_selector("#bf-enrol-go:not([disabled])")
    page.fill("#bf-name textarea, #bf-name input", "Ann's twin")
    page.click("#bf-enrol-go")
    page.wait_for_selector('.bf-toast:has-text("Ann\'s twin is enrolled")')
    twin = recognizer.gallery.find("Ann's twin")
    assert twin is not None
    recognizer.gallery.remove(twin.id)
    page.set_input_files("#enrol-files input[type=file]", [str(tmp_path / "again.jpg")])
    page.click(".bf-dupq button:has-text('Add these photographs to Ann')")
    page.wait_for_selector(".bf-toast:has-text('Added to Ann Sørensen')")
    ann = recognizer.gallery.find("Ann Sørensen")
    assert ann is not None
    assert ann.photo_count == 4
    page.context.close()


def test_a_face_that_is_not_somebody_is_not_offered_that_person_again(
    surfer: Surfer, recognizer: Recognizer, tmp_path: Path
) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "lookalike.jpg", [2], doubts=[0.2]))
    page.fill(".bf-slider input[type=number]", "0.5")
    page.wait_for_selector(".bf-insp button:has-text('Not this person')")
    page.click(".bf-insp button:has-text('Not this person')")
    page.wait_for_selector(".bf-toast:has-text('is remembered as not')")
    page.wait_for_selector(".bf-insp:has-text('1 rejected earlier')")
    assert page.inner_text(".bf-facebtn .bf-facebtn__n bdi") == "No candidate"
    page.click(".bf-toast [data-act=undo]")
    page.wait_for_selector(".bf-facebtn:has-text('ليلى حداد')")
    who = recognizer.gallery.find("ليلى حداد")
    assert who is not None
    assert recognizer.gallery.rejections([who.id]) == []
    page.context.close()


def test_a_confirmed_face_is_enrolled_and_taken_back(surfer: Surfer, recognizer: Recognizer, tmp_path: Path) -> None:
    who = recognizer.gallery.find("ليلى حداد")
    assert who is not None
    page = surfer.open()
    search(page, save(tmp_path / "confirmed.jpg", [2], patch_px=111))
    page.click(".bf-insp button:has-text('This is ليلى')")
    page.wait_for_selector(".bf-toast:has-text('has 4 photographs now')")
    page.keyboard.press("Control+z")
    page.wait_for_selector(".bf-toast:has-text('The photograph was taken away')")
    assert recognizer.gallery.identity(who.id).photo_count == 3
    page.context.close()


def test_a_stranger_is_enrolled_from_the_inspector(surfer: Surfer, recognizer: Recognizer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "new.jpg", [4]))
    page.fill("#bf-who", "Eva")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-toast:has-text('Eva is enrolled')")
    page.wait_for_selector(".bf-insp .bf-cand__name:has-text('Eva')")
    eva = recognizer.gallery.find("Eva")
    assert eva is not None
    recognizer.gallery.remove(eva.id)
    page.context.close()


def test_two_faces_are_compared_in_four_views_with_one_zoom(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "compare.jpg", [2]))
    page.click(".bf-insp button:has-text('Compare')")
    page.wait_for_selector("#compare-dialog .bf-cmp")
    shoot(page, "fake-compare")
    for key, mode in (("2", "curtain"), ("3", "overlay"), ("4", "blink"), ("1", "side")):
        page.keyboard.press(key)
        assert page.get_attribute(".bf-cmp", "data-mode") == mode
    page.keyboard.press("+")
    zoomed = page.evaluate("[...document.querySelectorAll('.bf-cmp__img')].map(i => i.style.transform)")
    assert len(set(zoomed)) == 1
    assert "scale(1.5)" in zoomed[0]
    first = page.get_attribute("#compare-dialog [data-evidence]", "src")
    page.keyboard.press("]")
    assert page.get_attribute("#compare-dialog [data-evidence]", "src") != first
    page.keyboard.press("2")
    page.focus(".bf-cmp__cut")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute(".bf-cmp__cut", "aria-valuenow") == "52"
    page.keyboard.press("Escape")
    assert not page.is_visible("#compare-dialog")
    page.click(".bf-insp button:has-text('Compare')")
    page.wait_for_selector("#compare-dialog .bf-cmp", state="visible")
    page.context.close()


def test_a_verdict_is_recorded_with_its_reason_and_taken_away_with_the_result(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "verdict.jpg", [2]))
    page.click(".bf-insp button:has-text('Compare')")
    page.wait_for_selector("#compare-dialog .bf-verdict")
    page.check("#compare-dialog [data-hide]")
    assert not page.is_visible("#compare-dialog .bf-cmp__score")
    page.keyboard.press("Escape")
    page.click(".bf-insp button:has-text('Compare')")
    page.wait_for_selector("#compare-dialog .bf-verdict")
    assert not page.is_visible("#compare-dialog [data-seen]"), "hidden from the start this time"
    page.check("#compare-dialog input[value=inconclusive]")
    page.fill("#bf-reason", "ear covered <b>")
    shoot(page, "fake-verdict")
    page.click("#compare-dialog button:has-text('Record verdict')")
    page.wait_for_selector(".bf-toast:has-text('Recorded: Inconclusive')")
    assert not page.is_visible("#compare-dialog")
    page.wait_for_selector(".bf-insp .bf-said:has-text('Similarity hidden until then. ear covered <b>')")
    found = {}
    for kind in ("csv", "json"):
        page.click("#bf-probe-actions .bf-menu summary")
        with page.expect_download() as waiting:
            page.click(f".bf-menu a[href*='result.{kind}']")
        found[kind] = Path(waiting.value.path()).read_bytes()
    (row,) = csv.DictReader(found["csv"].decode("utf-8-sig").splitlines())
    assert (row["verdict"], row["verdict_reason"]) == ("Inconclusive", "ear covered <b>")
    (said,) = json.loads(found["json"])["photographs"][0]["faces"][0]["verdicts"]
    assert (said["verdict"], said["similarity_shown"]) == ("inconclusive", False)
    page.click(".bf-toast [data-act=undo]")
    page.wait_for_selector(".bf-toast:has-text('The verdict is taken back')")
    page.wait_for_selector(".bf-insp:not(:has(.bf-said))")
    page.context.close()


def test_a_missed_face_is_drawn_and_searched(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "missed.jpg", [0, 2]))
    page.click("[data-draw]")
    frame = page.locator(".bf-pic[data-drop]").bounding_box()
    assert frame is not None
    page.mouse.move(frame["x"] + 4, frame["y"] + 4)
    page.mouse.down()
    page.mouse.move(frame["x"] + 60, frame["y"] + 70)
    page.mouse.up()
    page.wait_for_selector(".bf-insp:has-text('Face 3 of 3')")
    assert len(page.query_selector_all(".bf-over .face")) == 3
    page.context.close()


def test_letters_and_arrows_work_on_the_photograph(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "keys.jpg", [0, 3, 2]))
    page.focus(".bf-over .face >> nth=0")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".bf-insp:has-text('Face 2 of 3')")
    page.keyboard.press("3")
    page.wait_for_selector(".bf-insp:has-text('Face 3 of 3')")
    page.keyboard.press("c")
    page.wait_for_selector("#compare-dialog .bf-cmp")
    assert page.is_visible("#compare-dialog")
    page.context.close()
