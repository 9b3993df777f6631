"""The audit log, the time of people and what is held about one, in the real page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from browser import Surfer, go, search
from fakes import fake_recognizer, photograph, save

from reid.audit.reading import Filters, rows_of
from reid.recognizer import Recognizer
from reid.rights.expiry import expires_on
from reid.ui.components.audit_view import PAGE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path_factory.mktemp("records"))
    for person, name in enumerate(("Ann", "<b>Bo</b>")):
        made.enrol(name, [made.sample(photograph([person], patch_px=100 + n)) for n in range(2)])
    for number in range(PAGE):
        made.search(photograph([number % 2]))
    made.audit.asking = "required"
    yield made
    made.close()


def test_a_search_waits_for_its_purpose_and_is_in_the_log_with_it(
    surfer: Surfer, recognizer: Recognizer, tmp_path: Path
):
    page = surfer.open("/")
    file = save(tmp_path / "probe.jpg", [0])
    search(page, file)
    assert "Nobody said what this search is for" in page.inner_text(".bf-toast--error")
    page.fill("#bf-purpose [data-purpose]", "case 7 <i>")
    search(page, file)
    page.wait_for_selector(".bf-facebtn, .bf-insp__b")
    row = rows_of(recognizer.audit, Filters(action="search"))[0]
    assert row.purpose == "case 7 <i>"
    with page.expect_download():
        page.click("#bf-probe-actions summary")
        page.click("a[href*='result.csv']")
    taken = rows_of(recognizer.audit, Filters(action="disclose"))[0]
    assert (taken.purpose, taken.facts["kind"]) == ("case 7 <i>", "csv")
    go(page, "verify")
    page.wait_for_function("document.querySelector('#bf-verify-purpose [data-purpose]')?.value === 'case 7 <i>'")
    page.goto(surfer.url + "/?tab=audit")
    page.wait_for_selector(".bf-audit tbody tr")
    assert "case 7 <i>" in page.inner_text(".bf-audit tbody tr >> nth=0")
    page.context.close()


def test_the_log_is_filtered_turned_over_checked_and_taken_away(surfer: Surfer):
    page = surfer.open("/?tab=audit", width=390)
    page.wait_for_selector(".bf-audit tbody tr")
    assert page.locator(".bf-audit tbody tr").count() == PAGE
    page.click(".bf-audit__p [data-act=page]:not([disabled])")
    page.wait_for_selector("text=page 2 of 2")
    page.select_option(".bf-audit__f [name=what]", "enrol")
    page.fill(".bf-audit__f [name=person]", "<b>Bo</b>")
    page.click(".bf-audit__f .bf-btn")
    page.wait_for_selector("text=1 row")
    assert "<b>Bo</b>" in page.inner_text(".bf-audit tbody")
    with page.expect_download() as taken:
        page.click("text=All of it as CSV")
    assert taken.value.path().read_text(encoding="utf-8-sig").count("enrol") == 2, "begun and done"
    page.click("[data-act=check]")
    assert "as they were written" in page.inner_text(".bf-toast--news")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()


def test_a_default_is_chosen_and_whoever_ends_soon_is_renewed_with_one_press(surfer: Surfer, recognizer: Recognizer):
    gallery = recognizer.gallery
    ann = gallery.find("Ann")
    soon = date.today() + timedelta(days=3)
    gallery.edit(ann.id, metadata={"expires": soon.isoformat()})
    page = surfer.open("/?tab=audit")
    page.fill("#bf-rules [name=days]", "400")
    page.check("#bf-rules [name=existing]")
    page.click("#bf-rules .bf-btn")
    page.wait_for_selector(".bf-toast:has-text('1 person without a last day got one')")
    go(page, "gallery")
    page.click("#bf-ending [data-act=renew]")
    page.wait_for_selector(".bf-toast:has-text('held through')")
    assert expires_on(gallery.find("Ann")) == soon + timedelta(days=400)
    page.wait_for_selector("#bf-ending [data-act=renew]", state="detached")
    page.click(".bf-toast:has-text('held through') button:has-text('Undo')")
    page.wait_for_selector("#bf-ending [data-act=renew]")
    assert expires_on(gallery.find("Ann")) == soon
    page.context.close()


def test_what_is_held_about_a_person_is_taken_away_with_its_recipient(surfer: Surfer, recognizer: Recognizer):
    ann = recognizer.gallery.find("Ann")
    page = surfer.open(f"/?tab=gallery&person={ann.id}")
    page.click("[data-dialog=held-dialog]")
    page.fill("#held-dialog [name=recipient]", "Ann herself")
    with page.expect_download() as taken:
        page.click("#held-dialog .bf-btn--primary")
    with zipfile.ZipFile(io.BytesIO(taken.value.path().read_bytes())) as archive:
        assert {"README.txt", "person.json", "log.csv"} <= set(archive.namelist())
    row = rows_of(recognizer.audit, Filters(action="disclose"))[0]
    assert row.facts["recipient"] == "Ann herself"
    assert page.is_hidden("#held-dialog")
    page.context.close()
