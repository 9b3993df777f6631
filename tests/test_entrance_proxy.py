"""Behind a proxy with TLS and below a path: addresses, cookies and who is asking are those that the browser knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from people_of_roles import WORDS, House, house
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from reid.actor import Role
from reid.settings import Doors

FORWARDED = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("proxy"), Doors(root_path="/faces", requests_per_minute=0)) as made:
        yield made


def behind(opened: House, trusted: str) -> TestClient:
    """What a proxy passes on that takes `/faces` away; the test's client is the proxy."""
    app = ProxyHeadersMiddleware(opened.app, trusted)  # as uvicorn puts it before the application
    return TestClient(app, base_url="http://localhost", headers=FORWARDED, follow_redirects=False)


def test_whoever_is_led_somewhere_stays_below_the_path(opened: House) -> None:
    page = {"accept": "text/html"}
    client = behind(opened, "testclient")
    assert client.get("/?tab=gallery", headers=page).headers["location"] == "/faces/login?next=/%3Ftab%3Dgallery"
    assert '<base href="/faces/">' in client.get("/login").text
    answer = client.post("/login", data={"name": "Vi", "password": WORDS, "next": "/?tab=gallery"})
    assert answer.headers["location"] == "/faces/?tab=gallery"
    assert answer.headers["set-cookie"].endswith("; Path=/faces; HttpOnly; SameSite=Lax; Secure")
    assert client.post("/logout").headers["location"] == "/faces/login"


def test_the_page_names_its_own_address_as_the_browser_knows_it(opened: House) -> None:
    client = behind(opened, "testclient")
    assert client.get("/config", headers=opened.as_(Role.VIEWER)).json()["root"] == "https://localhost/faces"


def test_only_a_proxy_that_is_named_is_believed(opened: House) -> None:
    stranger = behind(opened, "192.0.2.1")
    answer = stranger.post("/login", data={"name": "Vi", "password": WORDS})
    assert not answer.headers["set-cookie"].endswith("Secure")


def test_failures_are_counted_for_the_browsers_address_behind_the_proxy(opened: House) -> None:
    client = behind(opened, "testclient")

    def tried(address: str, number: int) -> int:
        data = {"name": f"nobody {number}", "password": "not the words"}
        return client.post("/login", data=data, headers={"x-forwarded-for": address}).status_code

    assert {tried("203.0.113.8", number) for number in range(20)} == {401}
    assert tried("203.0.113.8", 20) == 429
    assert tried("203.0.113.9", 21) == 401
