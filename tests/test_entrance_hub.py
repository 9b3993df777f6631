"""Logging in with Hugging Face, against a stand-in of its login on this machine. A real Space was never tried."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import served
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.testclient import TestClient
from people_of_roles import HERE, House, house

from reid.accounts.logins import LONGEST_S
from reid.entrance.entry import SESSION
from reid.entrance.hub import BROWSER, Waiting
from reid.settings import Doors, HubLogin


@dataclass
class Provider:
    """What the stand-in saw and what it says."""

    person: dict[str, Any] = field(default_factory=dict)
    challenges: dict[str, str] = field(default_factory=dict)
    broken: str = ""
    authorize: str = ""  # where people are asked, if not here

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def discovery(request: Request) -> dict[str, str]:
            if self.broken == "discovery":
                raise HTTPException(500)
            places = ("authorization", "authorize"), ("token", "token"), ("userinfo", "userinfo")
            found = {f"{name}_endpoint": f"{request.base_url}oauth/{path}" for name, path in places}
            return found | ({"authorization_endpoint": self.authorize} if self.authorize else {})

        @app.post("/oauth/token")
        def token(
            request: Request, code: Annotated[str, Form()], code_verifier: Annotated[str, Form()],
            redirect_uri: Annotated[str, Form()], grant_type: Annotated[str, Form()],
        ) -> Any:  # fmt: skip
            known = base64.b64encode(b"the id:the secret").decode()
            proof = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
            good = (
                request.headers["authorization"] == f"Basic {known}" and self.challenges.pop(code, "") == proof
                and redirect_uri == "https://me-faces.hf.space/login/callback" and grant_type == "authorization_code"
            )  # fmt: skip
            if not good:
                raise HTTPException(400)
            return ["no object"] if self.broken == "token" else {"access_token": f"token for {code}"}

        @app.get("/oauth/userinfo")
        def userinfo(request: Request) -> dict[str, Any]:
            assert request.headers["authorization"].startswith("Bearer token for ")
            return self.person

        return app


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[House]:
    with served(provider.app()) as address:
        hub = HubLogin(
            "the id", "the secret", address, "me-faces.hf.space", admins=("ada",), operators=("museum",)
        )  # fmt: skip
        with house(tmp_path_factory.mktemp("hub"), Doors(space=True, visitors=True, hub=hub)) as made:
            yield made


@pytest.fixture
def browser(opened: House, provider: Provider) -> TestClient:
    provider.broken = ""
    # https, as a Space is reached: its cookies are for nothing else
    return TestClient(opened.app, base_url=HERE.replace("http", "https"), follow_redirects=False)


def begun(browser: TestClient, provider: Provider, there: str = "/") -> dict[str, str]:
    """Goes to the provider, which gives a code; returns what the browser brings back."""
    answer = browser.get(f"/login/hub?next={there}")
    assert answer.status_code == 303
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert asked["redirect_uri"] == "https://me-faces.hf.space/login/callback"
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == (
        "code",
        "openid profile",
        "S256",
    )
    provider.challenges["a code"] = asked["code_challenge"]
    return {"code": "a code", "state": asked["state"]}


def test_somebody_who_is_named_logs_in_with_their_role(browser: TestClient, opened: House, provider: Provider) -> None:
    provider.person = {"sub": "1", "preferred_username": "Ada", "orgs": []}
    back = browser.get("/login/callback", params=begun(browser, provider, "/%3Ftab%3Daudit"))
    assert (back.status_code, back.headers["location"]) == (303, "/?tab=audit")
    session = next(one for one in back.headers.get_list("set-cookie") if one.startswith(SESSION))
    assert session.endswith("; HttpOnly; SameSite=None; Secure; Partitioned")
    assert browser.get("/gallery/people.csv").status_code == 200
    opened.clock.now += LONGEST_S + 1
    assert browser.get("/gallery/people.csv").status_code == 403, "a visitor again"


def test_an_organisation_gives_its_role_and_nobody_else_gets_in(browser: TestClient, provider: Provider) -> None:
    provider.person = {"preferred_username": "olu", "orgs": [{"preferred_username": "museum"}, {"name": "other"}, 7]}
    assert browser.get("/login/callback", params=begun(browser, provider)).status_code == 303
    assert browser.get("/imports/x/report.csv").status_code == 404
    assert browser.get("/gallery/people.csv").status_code == 403
    browser.cookies.clear()
    provider.person = {"preferred_username": "eve", "orgs": [{"preferred_username": "evil"}]}
    refused = browser.get("/login/callback", params=begun(browser, provider))
    assert refused.status_code == 403
    assert "may not log in here" in refused.text
    assert SESSION not in browser.cookies


def test_an_answer_counts_once_and_for_the_browser_that_asked(
    browser: TestClient, opened: House, provider: Provider
) -> None:
    provider.person = {"preferred_username": "ada"}
    brought = begun(browser, provider)
    other = TestClient(opened.app, base_url="https://127.0.0.1", follow_redirects=False)
    assert other.get("/login/callback", params=brought).status_code == 401, "somebody's code foisted on another"
    assert browser.get("/login/callback", params=brought).status_code == 401, "and used up"
    brought = begun(browser, provider)
    assert browser.get("/login/callback", params={**brought, "state": "invented"}).status_code == 401
    assert (
        browser.get("/login/callback", params={"error": "access_denied", "state": brought["state"]}).status_code == 401
    )
    assert browser.get("/login/callback").status_code == 401
    assert SESSION not in browser.cookies


def test_a_code_without_its_proof_opens_nothing(browser: TestClient, provider: Provider) -> None:
    provider.person = {"preferred_username": "ada"}
    brought = begun(browser, provider)
    provider.challenges["a code"] = "of another login"
    refused = browser.get("/login/callback", params=brought)
    assert refused.status_code == 502
    assert "did not say who that is" in refused.text


@pytest.mark.parametrize("broken", ["discovery", "token", "person"])
def test_a_provider_that_fails_is_told_in_a_sentence(browser: TestClient, provider: Provider, broken: str) -> None:
    provider.person = {} if broken == "person" else {"preferred_username": "ada"}
    brought = begun(browser, provider)
    provider.broken = broken
    refused = browser.get("/login/callback", params=brought)
    assert refused.status_code == 502
    assert "Try again, or log in with an account" in refused.text
    if broken == "discovery":
        assert browser.get("/login/hub").status_code == 502


def test_a_login_that_takes_too_long_is_forgotten() -> None:
    now = [0.0]
    waiting = Waiting(lambda: now[0])
    state, started = waiting.begin("/")
    now[0] = 601
    assert waiting.take(state, started.browser) is None


def test_the_login_page_offers_it_in_a_window_of_its_own(browser: TestClient) -> None:
    page = browser.get("/login?next=/%3Ftab%3Daudit").text
    assert 'href="/login/hub?next=%2F%3Ftab%3Daudit" target="_blank"' in page
    assert BROWSER not in browser.cookies
    assert "frame-ancestors 'self' https://huggingface.co" in browser.get("/login").headers["content-security-policy"]
