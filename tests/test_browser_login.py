"""Logging in as a person does it: by keyboard, without scripts, light and dark; what a viewer then sees; the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import ARGUMENTS, chromium_path, search, served
from fakes import save
from people_of_roles import WORDS, House, house
from playwright.sync_api import Browser, Page, sync_playwright
from test_browser_access import violations

from reid.actor import Role

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("login"), started=False) as made:
        yield made


@pytest.fixture(scope="module")
def url(opened: House) -> Iterator[str]:
    with served(opened.app) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(url: str) -> Iterator[Browser]:  # noqa: ARG001, first the application: Playwright leaves a loop running
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def log_in(page: Page, name: str, password: str = WORDS) -> None:
    page.fill("#name", name)
    page.fill("#password", password)
    page.keyboard.press("Enter")


def test_somebody_logs_in_by_keyboard_and_the_page_is_accessible(chromium: Browser, url: str) -> None:
    for scheme, language, refused in (("light", "en-GB", "do not belong"), ("dark", "de-DE", "gehören nicht")):
        context = chromium.new_context(color_scheme=scheme, locale=language)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{url}/?tab=gallery")
        assert violations(page) == []
        page.keyboard.type("Vi")  # the name has the focus
        page.keyboard.press("Tab")
        page.keyboard.type("not the words")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"[role=alert]:has-text('{refused}')")
        assert violations(page) == []
        page.keyboard.type(WORDS)  # the password has it now
        with page.expect_response(f"{url}/?tab=gallery") as answered:
            page.keyboard.press("Enter")
        assert answered.value.status == 200
        context.close()


def test_logging_in_needs_no_script(chromium: Browser, url: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    log_in(page, "Vi")
    page.wait_for_url(f"{url}/")
    assert {one["name"]: (one["httpOnly"], one["sameSite"]) for one in context.cookies()} == {
        "byteface_session": (True, "Lax")
    }
    context.close()


def test_a_viewer_searches_sees_nothing_that_is_not_theirs_and_leaves(
    chromium: Browser, url: str, opened: House, tmp_path: Path
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(url)
    log_in(page, "Vi")
    page.wait_for_selector("#bf-top .bf-top[data-role=viewer]")
    page.wait_for_load_state("networkidle")
    search(page, save(tmp_path / "ann.jpg", [0]))
    shown = page.get_attribute("img[src^='probes/']", "src")
    assert context.request.get(f"{url}/{shown}").status == 200
    theirs = context.request.get(f"{url}/{shown}", headers=opened.as_(Role.ADMIN))
    assert theirs.status == 404, "somebody else's photograph"
    assert page.is_visible(".bf-insp [data-act=compare]")
    for act in ("confirm", "reject"):
        assert page.locator(f".bf-insp [data-act={act}]").count() == 1
        assert not page.is_visible(f".bf-insp [data-act={act}]")
    assert [one.inner_text() for one in page.query_selector_all("#bf-tabs [data-tab-id]") if one.is_visible()] == [
        "Probe", "Verify", "Gallery", "Threshold",
    ]  # fmt: skip
    page.evaluate("window.bytefaceVisit({ tab: 'unknowns', person: '' })")
    page.click(".bf-who summary")
    assert "Enrolling and changing need an operator" in page.inner_text(".bf-who")
    page.click(".bf-who form button")
    page.wait_for_selector("#password")
    log_in(page, "Vi")
    page.wait_for_selector("#bf-top .bf-top[data-role=viewer]")
    page.wait_for_load_state("networkidle")
    opened.accounts.people.disable("Vi")
    page.click("#bf-tabs [data-tab-id=gallery]")
    page.wait_for_selector("#password")  # the login that ended leads back to it
    assert page.url == f"{url}/login?next=%2F%3Ftab%3Dgallery"
    opened.accounts.people.disable("Vi", disabled=False)
    context.close()
