"""A Space as it is seen: in a frame of the Hub's page on another site, over TLS, and in a tab of its own.

Both sites are stand-ins on this machine under the real names; Chromium keeps other sites' cookies away.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import ARGUMENTS, chromium_path, search, served
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fakes import save
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from people_of_roles import WORDS, House, house
from playwright.sync_api import Browser, Frame, Page, sync_playwright
from test_entrance_hub import Provider

from reid.settings import Doors, HubLogin

pytestmark = pytest.mark.browser

HUB, SPACE = "https://huggingface.co", "https://me-faces.hf.space"


def _certificate(folder: Path) -> dict[str, str]:
    """Made for nobody in particular: the browser is told not to look."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return {"ssl_certfile": str(folder / "cert.pem"), "ssl_keyfile": str(folder / "key.pem")}


def _hub(provider: Provider) -> FastAPI:
    """The Hub's page with the Space in a frame, and its question whether one may log in there."""
    app = FastAPI()

    @app.get("/spaces/me/faces")
    def page() -> HTMLResponse:
        return HTMLResponse(f'<title>Hub</title><iframe id="space" src="{SPACE}/" width="1200" height="800"></iframe>')

    @app.get("/oauth/authorize")
    def authorize(request: Request) -> RedirectResponse:
        asked = request.query_params
        provider.challenges["a code"] = asked["code_challenge"]
        return RedirectResponse(f"{asked['redirect_uri']}?code=a%20code&state={asked['state']}")

    return app


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Browser]]:
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium: install the package chromium")
    folder = tmp_path_factory.mktemp("space")
    provider = Provider(person={"preferred_username": "me"}, authorize=f"{HUB}/oauth/authorize")
    tls = _certificate(folder)
    with ExitStack() as held:
        login = HubLogin("the id", "the secret", held.enter_context(served(provider.app())), urlsplit(SPACE).netloc,
                         admins=("me",))  # fmt: skip
        made = held.enter_context(house(folder, Doors(space=True, visitors=True, hub=login), started=False))
        ports = [urlsplit(held.enter_context(served(app, **tls))).port for app in (_hub(provider), made.app)]
        names = [urlsplit(one).netloc for one in (HUB, SPACE)]
        mapped = ",".join(f"MAP {name} 127.0.0.1:{port}" for name, port in zip(names, ports, strict=True))
        playwright = held.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=path,
            args=[*ARGUMENTS, f"--host-resolver-rules={mapped}", "--ignore-certificate-errors",
                  "--test-third-party-cookie-phaseout"],
        )  # fmt: skip
        yield made, browser
        browser.close()


def framed(page: Page) -> Frame:
    """The Space in the Hub's page, ready to be used."""
    page.set_default_timeout(30_000)
    page.goto(f"{HUB}/spaces/me/faces")
    frame = next(one for one in page.frames if one.url.startswith(SPACE))
    frame.wait_for_selector("#bf-top .bf-top")
    return frame


def test_in_the_hubs_frame_a_visitor_searches_and_an_account_logs_in(
    opened: tuple[House, Browser], tmp_path: Path
) -> None:
    _, browser = opened
    context = browser.new_context()
    page = context.new_page()
    frame = framed(page)
    search(frame, save(tmp_path / "probe.png", [0]))
    assert frame.locator(".bf-facebtn").count() == 1
    frame.click("#bf-top a.bf-btn")
    frame.fill("#name", "Olu")
    frame.fill("#password", WORDS)
    frame.press("#password", "Enter")
    frame.wait_for_selector("#bf-tabs [role=tab]:has-text('Enrol'):visible")
    (session,) = [one for one in context.cookies(SPACE) if one["name"] == "byteface_session"]
    assert (session["sameSite"], session["secure"], session["httpOnly"]) == ("None", True, True)
    assert session["partitionKey"] == HUB, "apart for each site that shows the frame"
    own = context.new_page()
    own.goto(SPACE)
    own.wait_for_selector("#bf-top a.bf-btn:has-text('Log in')")
    context.close()


def test_in_a_tab_of_its_own_somebody_logs_in_with_the_hub(opened: tuple[House, Browser], tmp_path: Path) -> None:
    _, browser = opened
    context = browser.new_context()
    page = context.new_page()
    frame = framed(page)
    frame.click("#bf-top a.bf-btn")
    with context.expect_page() as window:
        frame.click("a.bf-login__hub")
    own = window.value
    own.set_default_timeout(60_000)
    own.wait_for_selector("#bf-tabs [role=tab]:has-text('Audit'):visible")
    assert own.url.startswith(SPACE)
    search(own, save(tmp_path / "probe.png", [0]))
    assert own.locator(".bf-facebtn").count() == 1
    context.close()


def test_no_other_site_shows_it_in_a_frame(opened: tuple[House, Browser]) -> None:
    _, browser = opened
    context = browser.new_context()
    page = context.new_page()
    with page.expect_console_message(lambda said: "frame-ancestors" in said.text, timeout=30_000):
        page.set_content(f'<iframe src="{SPACE}/"></iframe>')
    assert not [one for one in page.frames if one.query_selector("#bf-top")]
    context.close()
