"""Many people on the page: checked, imported, stopped, taken back; a gallery exported, wiped and restored."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from browser import Surfer, enrol, go, search, shoot, surfing
from fakes import FakeDetector, FakeNetwork, photograph, save
from playwright.sync_api import Page
from test_browser_access import violations

from reid.gallery import open_gallery
from reid.recognizer import Recognizer
from reid.space import EmbeddingSpace
from reid.types import RGB, Face
from reid.ui.many import ManyPart

pytestmark = pytest.mark.browser

STUCK_PX = 90
"""Height of the photograph at which an import waits for somebody to press Cancel."""


class Waiting(FakeDetector):
    """The fake, until it sees the photograph of `STUCK_PX`: then it waits until the page has been told to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = threading.Event()

    def detect(self, images: Sequence[RGB]) -> list[list[Face]]:
        if any(image.shape[0] == STUCK_PX for image in images):
            self.stopped.wait(60)
        return super().detect(images)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    space = EmbeddingSpace([FakeNetwork()], [1.0])
    file = tmp_path_factory.mktemp("import") / "people.db"
    made = Recognizer(Waiting(), space, open_gallery(str(file), space_id=space.id, dim=space.dim))
    made.enrol("Ann", [made.sample(photograph([0], "before.png", patch_px=120))])
    yield made
    made.close()


@pytest.fixture(scope="module")
def surfer(recognizer: Recognizer) -> Iterator[Surfer]:
    with pytest.MonkeyPatch.context() as patch:
        stop = ManyPart.stop

        def told(self: ManyPart, session_id: str) -> dict[object, object]:
            found = stop(self, session_id)
            recognizer.describer.detector.stopped.set()  # type: ignore[attr-defined]
            return found

        patch.setattr(ManyPart, "stop", told)
        patch.setattr("reid.ui.many._EVERY_S", 0)
        patch.setattr("reid.intake.importing._BATCH", 4)
        with surfing(recognizer) as opened:
            yield opened


@pytest.fixture
def volunteers(tmp_path: Path) -> Path:
    """A folder a person: one looks like Ann, one has photographs that cannot be used, one's name is not harmless."""
    root = tmp_path / "volunteers"
    for name, person in {"Lund, Erik": 4, "Ruth <b>Adler ${7*7}": 5, "Sorensen, Anna": 0}.items():
        (root / name).mkdir(parents=True)
        for number in range(3):
            save(root / name / f"{number}.jpg", [person], patch_px=100 + 3 * number)
    save(root / "Lund, Erik" / "small.jpg", [4], patch_px=20)
    (root / "Lund, Erik" / "broken.jpg").write_bytes(b"\xff\xd8\xffcut off")
    save(root / "loose.jpg", [3])
    return root


def _drop(page: Page, folder: Path) -> None:
    page.set_input_files("input[webkitdirectory]", str(folder))
    page.wait_for_selector(".bf-chosen")


def _rows(page: Page) -> list[list[str]]:
    rows: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('.bf-imported tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))"
    )
    return rows


def _names(recognizer: Recognizer) -> list[str]:
    return [one.name for one in recognizer.gallery.identities()]


def test_a_folder_is_checked_and_imported_with_a_report_and_a_question(
    surfer: Surfer, recognizer: Recognizer, volunteers: Path
) -> None:
    page = surfer.open("/?tab=gallery", width=390, dark=True)
    page.click("[data-part=many] >> visible=true")
    page.wait_for_selector("[data-many] >> visible=true")
    assert page.is_disabled("#bf-import-go")
    _drop(page, volunteers)
    assert "12 photographs of 3 people, 1 cannot be used" in page.inner_text(".bf-chosen")
    page.click("#bf-import-check")
    page.wait_for_selector(".bf-toast:has-text('3 people would be enrolled')")
    assert _names(recognizer) == ["Ann"]
    page.click("#bf-import-go")
    page.wait_for_selector(".bf-toast:has-text('3 people imported')")
    shoot(page, "fake-import-done")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    rows = {row[1]: (row[0], row[2], row[3]) for row in _rows(page)}
    assert rows["Lund, Erik"][:2] == ("Enrolled", "3 of 5 photographs")
    assert rows["Ruth <b>Adler ${7*7}"] == ("Enrolled", "3 of 3 photographs", "")
    assert rows["Sorensen, Anna"][0] == "Question"
    assert "Resembles Ann, 1.00." in rows["Sorensen, Anna"][2]
    assert rows["volunteers/loose.jpg"][0] == "Left out"
    with page.expect_download() as download:
        page.click("a:has-text('Report as CSV')")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as handle:
        table = list(csv.DictReader(handle))
    assert sorted(row["status"] for row in table) == [*["enrolled"] * 9, "poor", "refused", "unreadable"]
    page.click(".bf-chip:has-text('Questions')")
    page.wait_for_function("document.querySelectorAll('.bf-imported tbody tr').length === 1")
    page.click("button:has-text('Merge the two')")
    page.wait_for_selector(".bf-toast:has-text('Sorensen, Anna is merged into Ann')")
    page.click(".bf-toast:not([hidden]) [data-act=undo]")
    page.wait_for_selector(".bf-toast:has-text('are two people again')")
    assert "Sorensen, Anna" in _names(recognizer)
    page.context.close()
    recognizer.gallery.remove_photos(
        [
            photo.id
            for one in recognizer.gallery.identities()
            if one.name != "Ann"
            for photo in recognizer.gallery.photos(one.id)
        ]
    )


def test_an_import_that_is_cancelled_keeps_what_is_enrolled_and_can_be_undone(
    surfer: Surfer, recognizer: Recognizer, volunteers: Path
) -> None:
    recognizer.describer.detector.stopped.clear()  # type: ignore[attr-defined]
    (volunteers / "Zoe").mkdir()
    save(volunteers / "Zoe" / "stuck.jpg", [2], patch_px=STUCK_PX - 80)
    page = surfer.open("/?tab=enrol&person=many")
    _drop(page, volunteers)
    page.click("#bf-import-go")
    page.wait_for_selector(".bf-progress:has-text('running it again adds nothing twice')")
    page.wait_for_selector(".bf-imported tr:has-text('Ruth')")
    shoot(page, "fake-import-running")
    page.click("#bf-import-stop")
    page.wait_for_selector(".bf-toast:has-text('Stopped:')")
    assert "Zoe" not in _names(recognizer)
    assert "Lund, Erik" in _names(recognizer)
    page.click(".bf-toast:not([hidden]) [data-act=undo]")
    page.wait_for_selector(".bf-toast:has-text('The import is taken back')")
    assert _names(recognizer) == ["Ann"]
    page.context.close()


def test_a_gallery_is_imported_exported_spoilt_and_restored_with_the_same_answers(
    surfer: Surfer, recognizer: Recognizer, volunteers: Path, tmp_path: Path
) -> None:
    gallery = recognizer.gallery
    page = surfer.open("/?tab=enrol&person=many")
    _drop(page, volunteers)
    page.click("#bf-import-go")
    page.wait_for_selector(".bf-toast:has-text('3 people imported')")
    probe = recognizer.describe(photograph([4, 5]), recognizer.detect(photograph([4, 5])))
    before, people = [one.candidates for one in recognizer.decide(probe)], gallery.identities()
    go(page, "gallery")
    page.click("#bf-tabs .bf-menu summary:has-text('Export') >> visible=true")
    with page.expect_download() as download:
        page.click("a:has-text('Everything, as one file')")
    download.value.save_as(tmp_path / "people.byteface")
    for one in people[1:]:  # by mistake; whoever was erased is not brought back by a backup
        gallery.merge(one.id, people[0].id)
    page.reload()
    page.click("#bf-tabs .bf-menu summary:has-text('Export') >> visible=true")
    page.click("button:has-text('Restore a backup') >> visible=true")
    page.wait_for_selector("#restore-dialog:not([hidden])")
    assert violations(page) == []
    page.set_input_files("#restore-files input[type=file]", str(tmp_path / "people.byteface"))
    page.wait_for_selector(".bf-toast:has-text('4 people restored')")
    page.wait_for_selector(".bf-person:has-text('Lund, Erik')")
    assert "4 people" in page.inner_text(".bf-where")
    assert gallery.identities() == people
    assert [one.candidates for one in recognizer.decide(probe)] == before
    go(page, "probe")
    search(page, save(tmp_path / "erik.jpg", [4], patch_px=110))
    assert page.inner_text(".bf-insp .bf-cand__name") == "Lund, Erik"
    go(page, "gallery")
    (tmp_path / "cut.byteface").write_bytes((tmp_path / "people.byteface").read_bytes()[:5000])
    page.set_input_files("#restore-files input[type=file]", str(tmp_path / "cut.byteface"))
    page.wait_for_selector(".bf-toast--error:has-text('is not restored')")
    assert gallery.identities() == people
    page.context.close()


def test_two_browsers_work_in_two_galleries(surfer: Surfer, recognizer: Recognizer, tmp_path: Path) -> None:
    people = recognizer.gallery.count()
    page, other = surfer.open("/?tab=gallery"), surfer.open("/?tab=gallery")
    page.click(".bf-shelf summary")
    page.fill("[data-gallery-new] input", "../up")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-toast:has-text('name has up to 60 letters')")
    page.fill("[data-gallery-new] input", "Staff")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-where:has-text('Staff'):has-text('0 people')")
    page.wait_for_selector(".bf-empty:has-text('Nobody is enrolled yet') >> visible=true")
    assert violations(page) == []
    enrol(page, "Zoe", save(tmp_path / "zoe.jpg", [2]))
    go(page, "gallery")
    page.wait_for_selector(".bf-person:has-text('Zoe')")
    page.wait_for_function("[...document.querySelectorAll('.bf-person img')].every(i => i.naturalWidth > 0)")
    other.reload()
    other.wait_for_selector(f".bf-where:has-text('people'):has-text('{people} ')")
    assert other.query_selector(".bf-person:has-text('Zoe')") is None
    assert "Zoe" not in _names(recognizer)
    other.click(".bf-shelf summary")
    other.click("[data-gallery='Staff']")
    other.wait_for_selector(".bf-person:has-text('Zoe')")
    page.context.close()
    other.context.close()
