"""Live search in a real browser, with a made-up stream as its webcam."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Surfer, go, shoot, surfing
from fakes import drawn, fake_recognizer, photograph
from playwright.sync_api import Page

from reid.recognizer import Recognizer

pytestmark = pytest.mark.browser


def _stream(path: Path, people: list[int]) -> Path:
    """Ten frames of people who move a little, as an uncompressed video that Chromium takes for a webcam."""
    picture = drawn(people)
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H360 F10:1 Ip A1:1 C420jpeg\n")
        for step in range(10):
            frame = np.full((360, 640, 3), 128, np.uint8)
            frame[60 : 60 + picture.shape[0], 40 + 4 * step : 40 + 4 * step + picture.shape[1]] = picture
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())
    return path


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path_factory.mktemp("live"))
    made.enrol("Ann <i>", [made.sample(photograph([0], f"{n}.png", patch_px=100 + n)) for n in range(2)])
    yield made
    made.close()


@pytest.fixture(scope="module")
def surfer(recognizer: Recognizer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surfer]:
    video = _stream(tmp_path_factory.mktemp("camera") / "camera.y4m", [0, 4])
    with surfing(recognizer, f"--use-file-for-fake-video-capture={video}") as opened:
        yield opened


def _camera_is_off(page: Page) -> bool:
    return bool(page.evaluate("!document.querySelector('.bf-live video')?.srcObject"))


def test_the_webcam_is_searched_until_it_is_stopped_a_frame_is_kept_or_another_tab_is_opened(surfer: Surfer) -> None:
    page = surfer.open(width=390)
    page.click("#bf-probe-empty [data-live]")
    page.wait_for_selector(".bf-live .bf-cand:has-text('Ann <i>')")
    assert page.is_visible(".bf-livetag:has-text('the camera is on')")
    assert not page.is_visible("#bf-probe-empty")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.wait_for_selector(".bf-live .bf-over .face.candidate")
    page.wait_for_selector(".bf-live .bf-over .face.stranger")
    page.wait_for_selector(".bf-live .bf-frames:has-text('of the last')")
    assert "A lead, not an identification." in page.inner_text(".bf-live")
    shoot(page, "fake-live")
    page.click("[data-live-stop]")
    page.wait_for_selector("#bf-probe-empty")
    assert _camera_is_off(page)
    page.click("#bf-probe-empty [data-live]")
    page.wait_for_selector(".bf-live .bf-cand")
    page.click("[data-live-keep]")
    page.wait_for_selector(".bf-bar__t:has-text('webcam-')")
    page.wait_for_selector(".bf-facebtn:has-text('Ann <i>')")
    assert _camera_is_off(page)
    page.click("#bf-probe-actions [data-live]")
    page.wait_for_selector(".bf-live .bf-cand")
    go(page, "gallery")
    page.wait_for_function("!document.body.classList.contains('bf-living')")
    assert _camera_is_off(page)
    page.context.close()
