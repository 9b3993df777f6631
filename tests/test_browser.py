"""The operator's first hour in a real browser: real weights, the demonstration people and their stranger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Surfer, enrol, go, search, shoot

from reid.demo import ensure_demo
from reid.recognizer import Recognizer
from reid.settings import CHECKOUT, Settings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # the first brings weights and enrols seventy photographs


@pytest.fixture(scope="module")
def recognizer(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    own = replace(settings, gallery=str(tmp_path_factory.mktemp("page") / "demonstration.db"))
    opened = Recognizer.open(own, progress=False)
    ensure_demo(own, opened, progress=False)
    yield opened
    opened.close()


def _val(demo_dir: Path, person: str) -> list[Path]:
    return sorted((demo_dir / "val" / person).iterdir())


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("ben_afflek", "Ben Affleck"),
        ("elton_john", "Elton John"),
        ("jerry_seinfeld", "Jerry Seinfeld"),
        ("madonna", "Madonna"),
    ],
)
def test_an_enrolled_person_is_found_on_a_photograph_that_was_not_enrolled(
    surfer: Surfer, demo_dir: Path, folder: str, name: str
) -> None:
    page = surfer.open()
    search(page, _val(demo_dir, folder)[2])
    assert page.inner_text(".bf-insp .bf-cand__name") == name
    assert "Potential candidate" in page.inner_text(".bf-facebtn[aria-pressed=true]")
    assert "A lead, not an identification." in page.inner_text(".bf-insp")
    page.context.close()


def test_a_stranger_who_was_kept_is_enrolled_from_the_unknowns(
    surfer: Surfer, recognizer: Recognizer, demo_dir: Path
) -> None:
    first, second, third, *_ = _val(demo_dir, "mindy_kaling")
    page = surfer.open("/?tab=unknowns")
    page.wait_for_selector("#bf-unknowns .bf-empty:has-text('No faces are kept')")
    page.check("#bf-keep input")
    page.wait_for_selector(".bf-toast:has-text('are kept for 30 days')")
    go(page, "probe")
    search(page, first, second)
    page.wait_for_selector(".bf-toast:has-text('2 faces without a candidate are kept for 30 days')")
    go(page, "unknowns")
    page.wait_for_selector(".bf-group:has-text('2 sightings in 2 photographs, Today')")
    page.wait_for_function(
        "[...document.querySelectorAll('#bf-unknowns .bf-sight img')].every(i => i.naturalWidth > 0)"
    )
    page.fill(".bf-group input[name=value]", "Mindy Kaling")
    page.click(".bf-group button:has-text('Enrol as a person')")
    page.wait_for_selector(".bf-toast:has-text('Mindy Kaling is enrolled with 2 photographs')")
    page.wait_for_selector("#bf-unknowns .bf-empty")
    go(page, "probe")
    search(page, third)
    assert page.inner_text(".bf-insp .bf-cand__name") == "Mindy Kaling"
    assert recognizer.gallery.unknowns.count() == 0, "whoever is found is not kept"
    found = recognizer.gallery.find("Mindy Kaling")
    assert found is not None
    recognizer.gallery.remove(found.id)  # the tests after this one want her unknown
    page.context.close()
    page = surfer.open("/?tab=unknowns")  # a page that has come to rest: one being drawn sets its switch again
    page.uncheck("#bf-keep input")
    page.wait_for_selector(".bf-toast:has-text('No more faces are kept')")
    page.context.close()


def test_a_stranger_has_no_candidate_until_enrolled(surfer: Surfer, demo_dir: Path) -> None:
    first, second, third, *_ = _val(demo_dir, "mindy_kaling")
    page = surfer.open()
    search(page, first)
    assert "No candidate" in page.inner_text(".bf-facebtn")
    assert "doesn't_exist" in page.inner_text(".bf-insp")
    enrol(page, "Mindy Kaling", second, third)
    go(page, "probe")
    page.wait_for_selector(".bf-facebtn:has-text('Mindy Kaling')")
    assert page.inner_text(".bf-insp .bf-cand__name") == "Mindy Kaling"
    search(page, _val(demo_dir, "mindy_kaling")[3])
    assert page.inner_text(".bf-insp .bf-cand__name") == "Mindy Kaling"
    go(page, "gallery")
    page.wait_for_selector(".bf-person:has-text('Mindy Kaling')")
    assert "5 people" in page.inner_text(".bf-where")
    page.context.close()


def test_evidence_is_a_photograph_of_the_candidate(surfer: Surfer, recognizer: Recognizer, demo_dir: Path) -> None:
    page = surfer.open()
    search(page, _val(demo_dir, "madonna")[1])
    source = page.get_attribute(".bf-pair figure:nth-child(2) img", "src")
    assert source is not None
    photo = recognizer.gallery.photo(source.removeprefix("crops/"))
    assert photo is not None
    assert photo.identity_name == "Madonna"
    page.wait_for_function(
        "[...document.querySelectorAll('.bf-insp img')].every(i => i.complete && i.naturalWidth > 0)"
    )
    page.context.close()


def test_the_page_is_photographed_for_the_readme(surfer: Surfer, demo_dir: Path) -> None:
    """Writes assets/demo.png where BYTEFACE_DEMO_PNG is set, and always looks for what would spoil it."""
    page = surfer.open()
    search(page, *(_val(demo_dir, person)[2] for person in ("jerry_seinfeld", "madonna", "elton_john")))
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    shoot(page, "readme")
    if os.environ.get("BYTEFACE_DEMO_PNG"):
        page.wait_for_timeout(500)
        page.screenshot(path=CHECKOUT / "assets" / "demo.png", full_page=False)
    page.context.close()
