"""What the browser tests share: the real page in a thread, headless Chromium, and the list of what it asked for."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import socket
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from PIL import Image
from playwright.sync_api import Browser, Frame, Page, Request, sync_playwright

from reid.access import LOOPBACK
from reid.entrance.entry import Entry
from reid.recognizer import Recognizer
from reid.server import create_app

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


def chromium_path() -> str | None:
    """Where the system's browser is."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def served(app: Any, **config: Any) -> Iterator[str]:
    """The application on a free port of this machine, as an address.

    Args:
        config: further words for uvicorn, such as a certificate.
    """
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", **config))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def application(
    recognizer: Recognizer, entry: Entry | None = None, hosts: Collection[str] | None = LOOPBACK
) -> FastAPI:
    """`create_app`, in a running event loop: outside one Gradio opens loops for its locks and never closes them."""

    async def make() -> FastAPI:
        return create_app(recognizer, hosts, entry)

    return asyncio.run(make())


class Surfer:
    """One Chromium and the pages of one application; knows every address that any of them asked for.

    Attributes:
        foreign: requests to other hosts; a test that ends with one fails.
        refused: those of them that the page's own policy let the browser not even send.
        errors: what the pages' scripts threw.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self.foreign: list[str] = []
        self.refused: list[str] = []
        self.errors: list[str] = []

    def open(self, path: str = "/", *, width: int = 1280, dark: bool = False, language: str = "en-GB") -> Page:
        """A new page of its own context, ready to be used."""
        phone = width < 600
        context = self._browser.new_context(
            viewport={"width": width, "height": 844 if phone else 900},
            color_scheme="dark" if dark else "light",
            locale=language,
            is_mobile=phone,
            has_touch=phone,
            permissions=["camera", "clipboard-read", "clipboard-write"],
        )
        # what a test waits for must not have gone again before a busy machine comes to look
        context.add_init_script("window.bytefaceToastsStayMs = { undo: 25000, plain: 25000 };")
        page = context.new_page()
        page.set_default_timeout(60_000)  # machines of continuous integration are slow and shared
        page.on("request", self._asked)
        page.on("requestfailed", self._failed)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(self.url + path)
        page.wait_for_selector("#bf-top .bf-top")
        page.wait_for_load_state("networkidle")
        return page

    def _failed(self, request: Request) -> None:
        if request.failure == "csp":
            self.refused.append(request.url)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(request.url)


@contextmanager
def surfing(recognizer: Recognizer, *arguments: str) -> Iterator[Surfer]:
    """Serves a recognizer and opens Chromium, with more arguments; skips with the reason where there is none."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium: install the package chromium")
    with served(application(recognizer)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *arguments])
        surfer = Surfer(browser, url)
        yield surfer
        browser.close()
    assert surfer.foreign == []
    assert surfer.errors == []


def search(page: Page | Frame, *files: Path) -> None:
    """Adds photographs on the Probe tab and waits until all are searched."""
    page.set_input_files("#probe-files input[type=file]", [str(file) for file in files])
    page.wait_for_selector(".bf-facebtn, .bf-insp__b, .bf-toast--error")
    page.wait_for_selector(".bf-busy", state="detached")


def go(page: Page, tab: str) -> None:
    """Opens a tab by its own button."""
    page.click(f"#bf-tabs [data-tab-id={tab}]")
    page.wait_for_selector(f"[role=tabpanel][id*={tab}], #bf-tabs [data-tab-id={tab}].selected")


def enrol(page: Page, name: str, *files: Path) -> None:
    """Enrols somebody by photographs of one face each."""
    go(page, "enrol")
    page.set_input_files("#enrol-files input[type=file]", [str(file) for file in files])
    page.wait_for_selector(f".bf-ph-row >> nth={len(files) - 1}")
    page.wait_for_selector(".bf-busy", state="detached")
    page.fill("#bf-name textarea, #bf-name input", name)
    page.click("#bf-enrol-go")
    page.wait_for_selector(f".bf-toast:has-text({name!r})")


def shoot(page: Page, name: str) -> None:
    """A picture of the page for people, where BYTEFACE_SHOTS names a folder for them."""
    folder = os.environ.get("BYTEFACE_SHOTS")
    if folder:
        page.wait_for_timeout(400)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


class Film:
    """A moving picture of what a test does, or nothing where it is not wanted."""

    def __init__(self, page: Page, *, wanted: bool) -> None:
        self._page = page
        self._wanted = wanted
        self._frames: list[tuple[Image.Image, float]] = []

    def shoot(self, seconds: float) -> None:
        """One frame, shown for so long."""
        if self._wanted:
            self._page.wait_for_timeout(400)
            self._page.evaluate("window.scrollTo(0, 0)")
            with Image.open(io.BytesIO(self._page.screenshot())) as frame:
                self._frames.append((frame.convert("RGB").resize((960, 675), Image.Resampling.LANCZOS), seconds))

    def save(self, path: Path) -> None:
        """Writes an animated WebP that goes on for ever."""
        if self._frames:
            pictures, seconds = zip(*self._frames, strict=True)
            pictures[0].save(
                path,
                append_images=pictures[1:],
                save_all=True,
                duration=[round(1000 * each) for each in seconds],
                loop=0,
                quality=72,
                method=6,
            )
