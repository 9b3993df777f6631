"""The operator's day in a real browser, with real weights and photographs, wide and light, then on a phone in the dark.

Four of five people are imported, a group picture of them and the stranger is searched, a name is corrected, a duplicate
merged, the threshold measured, the gallery exported and restored where nobody is; the answers are the same.
BYTEFACE_DEMO_WEBP=1 writes the README's moving picture from the wide run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import Film, Surfer, go, search, shoot, surfing
from PIL import Image
from playwright.sync_api import Page
from test_browser_access import violations

from reid.demo import DEMO_PEOPLE
from reid.recognizer import Recognizer
from reid.settings import CHECKOUT, Settings

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

STRANGER = "mindy_kaling"
STRANGERS = 120  # the page wants a hundred at least


@pytest.fixture
def recognizer(settings: Settings, tmp_path: Path) -> Iterator[Recognizer]:
    opened = Recognizer.open(replace(settings, gallery=str(tmp_path / "day.db"), demo=False), progress=False)
    yield opened
    opened.close()


@pytest.fixture
def surfer(recognizer: Recognizer) -> Iterator[Surfer]:
    with surfing(recognizer) as opened:
        yield opened


@pytest.fixture
def people(demo_dir: Path, tmp_path: Path) -> Path:
    """A folder a person with four photographs each, and one of them a second time under another name."""
    root = tmp_path / "people"
    for folder, name in DEMO_PEOPLE.items():
        photographs = sorted((demo_dir / "train" / folder).iterdir())
        _copy(photographs[:4], root / name)
    _copy(photographs[4:6], root / "M. Ciccone")
    return root


@pytest.fixture
def group(demo_dir: Path, tmp_path: Path) -> Path:
    """The four and the stranger side by side, on photographs that nobody enrolled."""
    parts = []
    for folder in (*DEMO_PEOPLE, STRANGER):
        with Image.open(sorted((demo_dir / "val" / folder).iterdir())[2]) as image:
            parts.append(np.asarray(image.convert("RGB").resize((image.width * 320 // image.height, 320))))
    path = tmp_path / "group.png"
    Image.fromarray(np.concatenate(parts, axis=1)).save(path)
    return path


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["wide", "phone"])
def test_the_operators_day(
    surfer: Surfer, recognizer: Recognizer, people: Path, group: Path, lfw_dev: Path, tmp_path: Path,
    width: int, dark: bool,
) -> None:  # fmt: skip
    page = surfer.open("/?tab=enrol&person=many", width=width, dark=dark)
    film = Film(page, wanted=width == 1280 and bool(os.environ.get("BYTEFACE_DEMO_WEBP")))
    _import(page, people, film)
    _correct(page, group, film)
    _merge_the_duplicate(page, recognizer, film)
    _calibrate(page, recognizer, lfw_dev, film)
    before = _answers(page, group)
    for name in (*DEMO_PEOPLE.values(), "Mindy Kaling"):
        assert sum(name in words and "Potential candidate" in words for words in before) == 1, before
    _export_wipe_restore(page, tmp_path / "people.byteface")
    assert _answers(page, group) == before
    for tab in ("probe", "gallery", "threshold"):
        go(page, tab)
        page.wait_for_load_state("networkidle")
        shoot(page, f"day-{tab}-{width}")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
    film.save(CHECKOUT / "assets" / "demo.webp")
    page.context.close()


def _copy(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for file in files:
        shutil.copy(file, folder / file.name)


def _import(page: Page, people: Path, film: Film) -> None:
    page.set_input_files("input[webkitdirectory]", str(people))
    page.wait_for_selector(".bf-chosen:has-text('18 photographs of 5 people')")
    film.shoot(1.5)
    page.click("#bf-import-go")
    page.wait_for_selector(".bf-toast:has-text('5 people imported')", timeout=120_000)
    film.shoot(2.5)


def _correct(page: Page, group: Path, film: Film) -> None:
    """The stranger is nobody at first; then somebody knows her, and the next search does too."""
    go(page, "probe")
    search(page, group)
    page.wait_for_selector(".bf-facebtn >> nth=4")
    film.shoot(2)
    stranger = page.locator(".bf-facebtn:has-text('No candidate')")
    assert stranger.count() == 1
    stranger.click()
    page.wait_for_selector(".bf-facebtn[aria-pressed=true]:has-text('No candidate')")
    film.shoot(2)
    page.fill("#bf-who", "Mindy Kaling")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-toast:has-text('Mindy Kaling')")
    film.shoot(2)


def _merge_the_duplicate(page: Page, recognizer: Recognizer, film: Film) -> None:
    go(page, "gallery")
    page.wait_for_selector(".bf-dup:has-text('M. Ciccone')")
    film.shoot(2)
    page.click(".bf-dup:has-text('M. Ciccone') button:has-text('Merge')")
    page.wait_for_selector(".bf-toast:has-text('is merged into')")
    film.shoot(1.5)
    assert recognizer.gallery.count() == 5
    if recognizer.gallery.find("Madonna") is None:  # the smaller name was kept: give her the one that she goes by
        kept = recognizer.gallery.find("M. Ciccone")
        assert kept is not None
        recognizer.gallery.rename(kept.id, "Madonna")


def _calibrate(page: Page, recognizer: Recognizer, lfw_dev: Path, film: Film) -> None:
    rows = pd.read_csv(lfw_dev / "unknown_val.csv")["image_path"][:STRANGERS]
    go(page, "threshold")
    page.wait_for_selector("#stranger-files", state="attached")
    page.set_input_files("#stranger-files input[type=file]", [str(lfw_dev / "images" / name) for name in rows])
    page.wait_for_selector(".bf-toast:has-text('Calibrated with')", timeout=240_000)
    film.shoot(3)
    assert recognizer.threshold.calibrated
    assert recognizer.threshold.searches >= STRANGERS - 5


def _answers(page: Page, group: Path) -> list[str]:
    """What a fresh page says about each face: the name, the decision, the similarity."""
    page.goto(page.url.split("?")[0])
    page.wait_for_selector("#bf-top .bf-top")
    search(page, group)
    page.wait_for_selector(".bf-facebtn >> nth=4")
    return page.locator(".bf-facebtn").all_inner_texts()


def _export_wipe_restore(page: Page, file: Path) -> None:
    go(page, "gallery")
    page.click("#bf-tabs .bf-menu summary:has-text('Export') >> visible=true")
    with page.expect_download() as download:
        page.click("a:has-text('Everything, as one file')")
    download.value.save_as(file)
    _start_over(page)
    page.click("button:has-text('Restore a backup') >> visible=true")
    page.wait_for_selector("#restore-dialog:not([hidden])")
    page.set_input_files("#restore-files input[type=file]", str(file))
    page.wait_for_selector(".bf-toast:has-text('5 people restored')")


def _start_over(page: Page) -> None:
    """An empty gallery, as on a new machine. Whoever is erased instead stays erased: no backup brings them back."""
    page.click(".bf-shelf summary")
    page.fill("[data-gallery-new] input", "After the fire")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bf-where:has-text('After the fire'):has-text('0 people')")
    page.wait_for_selector(".bf-empty:has-text('Nobody is enrolled yet') >> visible=true")
