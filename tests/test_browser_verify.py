"""The Verify tab and the right person's share in a real browser: two photographs, a person, an assumption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Surfer, go, search, shoot
from fakes import fake_recognizer, photograph, save
from gallery_records import photo, unit
from playwright.sync_api import Page

from reid.recognizer import Recognizer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path_factory.mktemp("verify"))
    made.enrol("Ann", [made.sample(photograph([0], f"{n}.png", doubts=[0.1 * n])) for n in range(3)])
    made.enrol("Bob <b>", [made.sample(photograph([1], "bob.png"))])
    yield made
    made.close()


def _add(page: Page, side: str, file: Path) -> None:
    page.set_input_files(f"#verify-{side} input[type=file]", str(file))
    page.wait_for_selector(f".bf-pic[data-drop=verify-{side}] img[alt='{file.name}']")


def _answer(page: Page) -> str:
    return page.inner_text("#bf-verify-answer .bf-dec")


def test_two_photographs_are_compared_and_another_face_of_a_group_can_be_meant(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open("/?tab=verify")
    page.wait_for_selector("#bf-verify-answer:has-text('Add a photograph of the face in question.')")
    _add(page, "first", save(tmp_path / "group.jpg", [3, 2, 0]))
    _add(page, "second", save(tmp_path / "one.jpg", [2]))
    page.wait_for_selector("#bf-verify-answer .bf-scale")
    assert _answer(page) == "No candidate"
    assert "A lead, not an identification." in page.inner_text("#bf-verify-answer")
    page.click(".bf-pic[data-drop=verify-first] .face >> nth=1")
    page.wait_for_selector("#bf-verify-answer .bf-dec--candidate")
    assert "First, face 2" in page.inner_text("#bf-verify-answer .bf-pair")
    shoot(page, "fake-verify")
    page.click("#bf-verify-answer [data-act=compare]")
    page.wait_for_selector("#verify-dialog .bf-cmp")
    page.keyboard.press("2")
    assert page.get_attribute("#verify-dialog .bf-cmp", "data-mode") == "curtain"
    page.keyboard.press("Escape")
    assert not page.is_visible("#verify-dialog")
    page.click("button:has-text('Start again')")
    page.wait_for_selector(".bf-side .bf-drop >> nth=1")
    page.context.close()


def test_a_photograph_is_compared_with_each_photograph_of_a_person(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    go(page, "verify")
    page.click(".bf-seg button:has-text('A person')")
    page.fill("[data-act-form=find] input", "bob")
    page.keyboard.press("Enter")
    assert page.inner_text(".bf-whorow bdi") == "Bob <b>"
    page.fill("[data-act-form=find] input", "an")
    page.keyboard.press("Enter")
    page.click(".bf-whorow:has-text('Ann')")
    _add(page, "first", save(tmp_path / "probe.jpg", [0], patch_px=120))
    page.wait_for_selector(".bf-photorow >> nth=2")
    assert _answer(page) == "Potential candidate"
    own = [float(row.inner_text()) for row in page.query_selector_all(".bf-photorow b")]
    assert own == sorted(own, reverse=True)
    page.context.close()


def test_on_a_phone_two_photographs_added_together_stand_on_both_sides(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open("/?tab=verify", width=390)
    files = [str(save(tmp_path / f"{n}.jpg", people)) for n, people in enumerate(([4], [0, 3, 2, 1, 4]))]
    page.set_input_files("#verify-second input[type=file]", files)
    page.wait_for_selector("#bf-verify-answer .bf-scale")
    assert [one.get_attribute("alt") for one in page.query_selector_all(".bf-side .bf-pic__img")] == ["1.jpg", "0.jpg"]
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    _add(page, "first", save(tmp_path / "nobody.jpg", []))
    page.wait_for_selector(".bf-side:has-text('No face found.')")
    page.wait_for_selector("#bf-verify-answer:has-text('shows no face')")
    assert page.query_selector("#bf-verify-answer .bf-scale") is None
    page.context.close()


def test_a_first_candidate_is_told_with_the_share_that_is_assumed(
    surfer: Surfer, recognizer: Recognizer, tmp_path: Path
) -> None:
    page = surfer.open("/?tab=threshold")
    page.click(".bf-chance button:has-text('Work it out')")
    page.wait_for_selector(".bf-chance:has-text('Too few to say.')")
    crowd = [
        photo(f"{person}-{n}", f"crowd-{person}", embedding=unit(100 + person, recognizer.space.dim))
        for person in range(12)
        for n in range(3)
    ]
    recognizer.gallery.add(crowd)
    page.click(".bf-toast:not([hidden]) [data-act=close]")
    page.click(".bf-chance button:has-text('Work it out again')")
    page.wait_for_selector(".bf-chance svg polyline")
    assert "if 1 in 10 of the people you search are enrolled" in page.inner_text(".bf-chance .bf-odds")
    page.click(".bf-chance button:has-text('9 in 10')")
    page.wait_for_selector(".bf-toast:has-text('Assumed from now on: 9 in 10')")
    go(page, "probe")
    search(page, save(tmp_path / "ann.jpg", [0]))
    assert "if 9 in 10 of the people you search are enrolled" in page.inner_text(".bf-insp")
    page.click(".bf-insp a:has-text('Assume another share')")
    page.wait_for_selector(".bf-chance [data-share='0.9'][aria-pressed=true]")
    page.reload()  # to a page that has come to rest: what is pressed while a tab is drawn again goes nowhere
    page.wait_for_load_state("networkidle")
    page.click(".bf-chance button:has-text('half')")
    page.click(".bf-toast:has-text('half') [data-act=undo]")
    page.wait_for_selector(".bf-chance [data-share='0.9'][aria-pressed=true]")
    for person in range(12):
        recognizer.gallery.remove(f"crowd-{person}")
    page.context.close()
