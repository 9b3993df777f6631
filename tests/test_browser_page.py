"""The page in a real browser, with a trivial detector and network so that nothing has to be waited for."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Surfer, enrol, go, search, shoot
from fakes import NASTY, FakeDetector, crowd, people_of_all_kinds, photograph, save

from reid.recognizer import Recognizer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    with people_of_all_kinds(tmp_path_factory.mktemp("page")) as made:
        yield made


def test_every_face_is_boxed_numbered_and_labelled(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "group.jpg", [0, 3, 2]))
    labels = [face.get_attribute("aria-label") for face in page.query_selector_all(".bf-over .face")]
    assert labels[0] is not None
    assert labels[0].startswith("Face 1: Potential candidate, Ann Sørensen, similarity ")
    assert labels[1] == "Face 2: No candidate"
    assert [tag.inner_text() for tag in page.query_selector_all(".bf-tag b")] == ["1", "2", "3"]
    shoot(page, "fake-probe")
    page.context.close()


def test_a_face_is_chosen_by_click_by_key_and_from_the_list(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "group.jpg", [0, 3, 2]))
    assert "Face 1 of 3" in page.inner_text(".bf-insp")
    page.click(".bf-over .face >> nth=1")
    page.wait_for_selector(".bf-insp:has-text('Face 2 of 3')")
    page.focus(".bf-over .face >> nth=2")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-insp:has-text('Face 3 of 3')")
    assert page.evaluate("document.activeElement.getAttribute('data-i')") == "2"
    page.click(".bf-facebtn >> nth=0")
    page.wait_for_selector(".bf-insp:has-text('Face 1 of 3')")
    page.context.close()


def test_one_person_is_given_to_one_face_of_a_photograph(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "twins.jpg", [0, 0], doubts=[0.0, 0.25]))
    labels = [face.get_attribute("aria-label") or "" for face in page.query_selector_all(".bf-over .face")]
    assert sum("Ann Sørensen" in label for label in labels) == 1
    page.click(".bf-facebtn:has-text('No candidate')")
    page.wait_for_selector(".bf-insp:has-text('Given to another face')")
    page.context.close()


def test_the_threshold_decides_again_without_looking_again(
    surfer: Surfer, recognizer: Recognizer, tmp_path: Path
) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "doubt.jpg", [0], doubts=[0.35]))
    detector = recognizer.describer.detector
    assert isinstance(detector, FakeDetector)
    calls = detector.calls
    page.fill(".bf-slider input[type=number]", "0.05")
    page.wait_for_selector(".bf-facebtn:has-text('Ann Sørensen')")
    page.fill(".bf-slider input[type=number]", "1")
    page.wait_for_selector(".bf-facebtn:has-text('No candidate')")
    assert "Set by you" in page.inner_text(".bf-strip")
    assert detector.calls == calls
    page.context.close()


def test_two_hundred_faces_are_numbered_and_chosen_by_click_and_key(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, crowd(tmp_path / "crowd.jpg"))
    assert page.locator(".bf-over .face").count() == 200
    assert page.locator(".bf-tag span:visible").count() == 1, "only the chosen face has words"
    page.click(".bf-over .face >> nth=150")
    page.wait_for_selector(".bf-insp:has-text('Face 151 of 200')")
    page.focus(".bf-over .face >> nth=150")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".bf-insp:has-text('Face 152 of 200')")
    page.wait_for_function("document.activeElement.getAttribute('data-i') === '151'")
    page.wait_for_function(
        """() => { const [face, list] = ['.bf-facebtn[aria-pressed=true]', '.bf-faces'].map(
        one => document.querySelector(one).getBoundingClientRect());
        return face.top >= list.top && face.bottom <= list.bottom; }"""
    )
    assert page.evaluate("document.querySelector('.bf-strip').getBoundingClientRect().bottom") < 1200
    page.context.close()


def test_names_are_text_everywhere(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "nasty.jpg", [1]))
    assert NASTY in page.inner_text(".bf-insp .bf-cand__name")
    go(page, "gallery")
    page.click(".bf-person:has-text('onerror')")
    page.wait_for_selector(".bf-phead")
    assert page.inner_text(".bf-phead h1") == NASTY
    page.click("button:has-text('Erase')")
    assert page.get_attribute("#erase-name", "placeholder") == NASTY
    assert page.evaluate("window.hacked") is None
    page.context.close()


def test_a_file_that_is_no_photograph_is_refused_in_words_and_the_others_are_searched(
    surfer: Surfer, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(save(tmp_path / "whole.jpg", [0]).read_bytes()[:900])
    page = surfer.open()
    search(page, broken, save(tmp_path / "fine.jpg", [0]))
    page.wait_for_selector(".bf-toast--error:has-text('broken.jpg cannot be read')")
    assert page.inner_text(".bf-insp .bf-cand__name") == "Ann Sørensen"
    page.context.close()


def test_an_upload_that_is_cut_off_is_said_in_words_and_the_page_goes_on(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    page.route("**/gradio_api/upload**", lambda route: route.abort("connectionreset"))
    page.set_input_files("#probe-files input[type=file]", str(save(tmp_path / "cut.jpg", [0])))
    page.wait_for_selector(".bf-toast:has-text('The upload was cut off')")
    page.unroute("**/gradio_api/upload**")
    search(page, save(tmp_path / "whole.jpg", [0]))
    assert page.inner_text(".bf-insp .bf-cand__name") == "Ann Sørensen"
    page.context.close()


def test_a_photograph_without_faces_says_so(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "empty.jpg", []))
    page.wait_for_selector(".bf-insp:has-text('No face found.')")
    assert page.locator(".bf-facebtn").count() == 0
    page.context.close()


def test_back_and_links_lead_to_tabs_and_people(surfer: Surfer) -> None:
    page = surfer.open("/?tab=gallery")
    page.click(".bf-person:has-text('Ann')")
    page.wait_for_selector(".bf-phead:has-text('Ann Sørensen')")
    link = page.url
    page.go_back()
    page.wait_for_selector(".bf-grid")
    go(page, "enrol")
    page.wait_for_selector("#bf-name")
    page.go_back()
    page.wait_for_selector(".bf-grid")
    other = surfer.open(link.removeprefix(surfer.url))
    other.wait_for_selector(".bf-phead:has-text('Ann Sørensen')")
    assert "person=" in link
    other.context.close()
    page.context.close()


def test_no_press_is_lost_while_an_earlier_one_is_answered(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "three.jpg", [0, 3, 2]))
    go(page, "gallery")
    page.wait_for_selector(".bf-person")
    go(page, "probe")
    page.wait_for_load_state("networkidle")
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    slow.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 300, "downloadThroughput": -1, "uploadThroughput": -1},
    )
    page.click(".bf-facebtn >> nth=1")
    page.click(".bf-facebtn >> nth=2")
    page.wait_for_selector(".bf-insp:has-text('Face 3 of 3')")
    go(page, "gallery")
    page.click(".bf-person:has-text('Ann')")
    page.wait_for_selector(".bf-phead:has-text('Ann Sørensen')")
    assert "Ann Sørensen" in page.inner_text(".bf-phead")
    page.context.close()


def test_somebody_is_enrolled_found_and_erased_after_a_second_question(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    enrol(page, "Bo", save(tmp_path / "bo-1.jpg", [4]), save(tmp_path / "bo-2.jpg", [4], patch_px=104))
    go(page, "gallery")
    page.click(".bf-person:has-text('Bo')")
    page.click("button:has-text('Erase')")
    assert page.is_disabled(".bf-btn--danger")
    page.keyboard.press("Escape")
    assert not page.is_visible("#erase-dialog")
    page.click("button:has-text('Erase')")
    page.fill("#erase-name", "Bo")
    page.click(".bf-btn--danger")
    page.wait_for_selector(".bf-toast:has-text('Bo is erased')")
    assert page.query_selector(".bf-person:has-text('Bo')") is None
    page.context.close()


def test_a_group_photograph_asks_whose_face_is_meant(surfer: Surfer, recognizer: Recognizer, tmp_path: Path) -> None:
    page = surfer.open("/?tab=enrol")
    page.set_input_files("#enrol-files input[type=file]", [str(save(tmp_path / "group.jpg", [0, 5, 2]))])
    page.wait_for_selector(".bf-ph-group")
    page.wait_for_selector("#bf-enrol-go[disabled]")
    page.click(".bf-pickface >> nth=1")
    page.wait_for_selector(".bf-ph-row")
    page.fill("#bf-name textarea, #bf-name input", "Mo")
    page.fill("#bf-enrol-consent textarea, #bf-enrol-consent input", "contract")
    page.fill("#bf-enrol-expires textarea, #bf-enrol-expires input", "next year")
    page.click("#bf-enrol-go")
    page.wait_for_selector(".bf-toast--error:has-text('next year is no date')")
    page.fill("#bf-enrol-expires textarea, #bf-enrol-expires input", "2099-12-31")
    page.click("#bf-enrol-go")
    page.wait_for_selector(".bf-toast:has-text('Mo is enrolled')")
    mo = recognizer.gallery.find("Mo")
    assert mo is not None
    found = recognizer.search(photograph([5]))[0].candidates[0]
    assert found.identity.id == mo.id
    assert dict(mo.metadata) == {"consent": "contract", "expires": "2099-12-31"}
    page.click(".bf-toast:has-text('Mo is enrolled') button:has-text('Undo')")
    page.wait_for_selector(".bf-toast:has-text('Mo is not enrolled any more')")
    assert recognizer.gallery.find("Mo") is None
    page.context.close()


def test_enrolling_without_a_name_is_refused_in_words(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open("/?tab=enrol")
    page.set_input_files("#enrol-files input[type=file]", [str(save(tmp_path / "nobody.jpg", [3]))])
    page.wait_for_selector(".bf-ph-row")
    page.click("#bf-enrol-go")
    page.wait_for_selector(".bf-toast--error:has-text('The name is missing')")
    assert page.is_visible(".bf-ph-row")
    page.context.close()


def test_the_webcam_takes_a_photograph(surfer: Surfer) -> None:
    page = surfer.open()
    page.click("button:has-text('Webcam')")
    page.wait_for_selector("#camera-dialog video")
    page.wait_for_function("document.querySelector('#camera-dialog video').videoWidth > 0")
    page.click("[data-shoot]")
    page.wait_for_selector(".bf-bar__t:has-text('webcam-')")
    assert not page.is_visible("#camera-dialog"), "the camera is let go of"
    page.context.close()


def test_pasted_pictures_are_searched(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    data = list(save(tmp_path / "pasted.jpg", [0]).read_bytes())
    page.evaluate(
        """bytes => { const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], 'pasted.jpg', { type: 'image/jpeg' }));
        document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true })); }""",
        data,
    )
    page.wait_for_selector(".bf-facebtn:has-text('Ann Sørensen')")
    assert page.is_visible("h1:has-text('pasted')")
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_screen(surfer: Surfer, tmp_path: Path, width: int, dark: bool) -> None:
    page = surfer.open(width=width, dark=dark)
    search(page, save(tmp_path / "group.jpg", [0, 3, 2, 1, 4]))
    for tab in ("probe", "gallery", "enrol"):
        go(page, tab)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        shoot(page, f"fake-{tab}-{width}-{'dark' if dark else 'light'}")
    assert page.evaluate("document.body.classList.contains('dark')") is dark
    page.context.close()


def test_light_and_dark_are_remembered(surfer: Surfer) -> None:
    page = surfer.open()
    page.click("[data-theme-toggle]")
    page.reload()
    page.wait_for_selector(".bf-top")
    assert page.evaluate("document.body.classList.contains('dark')") is True
    page.context.close()


def test_results_are_taken_away_as_table_details_and_picture(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open()
    search(page, save(tmp_path / "result.jpg", [0, 3]))
    found = {}
    for kind in ("csv", "json", "jpg"):
        page.click("#bf-probe-actions .bf-menu summary")
        with page.expect_download() as waiting:
            page.click(f".bf-menu a[href*='result.{kind}']")
        found[kind] = Path(waiting.value.path()).read_bytes()
    rows = list(csv.DictReader(found["csv"].decode("utf-8-sig").splitlines()))
    assert [row["predicted"] for row in rows] == ["Ann Sørensen", "doesn't_exist"]
    assert json.loads(found["json"])["photographs"][0]["faces"][0]["candidates"][0]["name"] == "Ann Sørensen"
    assert found["jpg"].startswith(b"\xff\xd8")
    page.context.close()


def test_the_page_speaks_the_browsers_language(surfer: Surfer, tmp_path: Path) -> None:
    page = surfer.open(language="de-DE")
    assert page.inner_text("#bf-tabs [data-tab-id=threshold]") == "Schwelle"
    assert "Fotos hier ablegen" in page.inner_text("#bf-probe-empty")
    search(page, save(tmp_path / "deutsch.jpg", [0]))
    assert "Ein Hinweis, keine Identifizierung." in page.inner_text(".bf-insp")
    page.click("#bf-probe-actions .bf-menu summary")
    assert "Tabelle, CSV" in page.inner_text("#bf-probe-actions .bf-menu__b")
    page.context.close()
