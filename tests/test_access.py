"""Nobody but this machine, and no page but its own, reaches the page unless somebody said so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from reid.access import LOOPBACK, OnlyOwnPages, allowed_hosts
from reid.errors import SettingsError
from reid.settings import Settings

HERE = "http://127.0.0.1:7860"


@pytest.fixture
def client() -> TestClient:
    return TestClient(OnlyOwnPages(PlainTextResponse("in"), LOOPBACK), base_url=HERE)


def settings(tmp_path: Path, **changes: object) -> Settings:
    return replace(Settings.from_env({"BYTEFACE_DATA": str(tmp_path)}), **changes)


# where it listens


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1", "[::1]"])
def test_an_address_of_this_machine_answers_to_its_names(tmp_path: Path, host: str) -> None:
    assert allowed_hosts(settings(tmp_path, host=host)) == LOOPBACK


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "faces.example.org"])
def test_another_address_is_refused_until_somebody_says_that_it_is_meant(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match="BYTEFACE_OPEN_TO_NETWORK=1 if that is meant"):
        allowed_hosts(settings(tmp_path, host=host))
    assert allowed_hosts(settings(tmp_path, host=host, open_to_network=True)) is None


def test_a_proxy_without_accounts_is_refused_until_somebody_says_that_it_is_meant(tmp_path: Path) -> None:
    env = {"BYTEFACE_DATA": str(tmp_path), "BYTEFACE_HOSTS": "faces.example.org", "BYTEFACE_PROXIES": "127.0.0.1"}
    behind = Settings.from_env(env)
    with pytest.raises(SettingsError, match="BYTEFACE_OPEN_TO_NETWORK=1 if that is meant"):
        allowed_hosts(behind)
    assert allowed_hosts(behind, accounts=True) == (*LOOPBACK, "faces.example.org")
    assert allowed_hosts(replace(behind, open_to_network=True)) == (*LOOPBACK, "faces.example.org")


def test_the_name_of_a_proxy_is_added(tmp_path: Path) -> None:
    env = {"BYTEFACE_DATA": str(tmp_path), "BYTEFACE_HOSTS": "faces.example.org, cctv.example.org"}
    assert allowed_hosts(Settings.from_env(env)) == (*LOOPBACK, "faces.example.org", "cctv.example.org")


def test_a_space_is_open_by_what_it_is(tmp_path: Path) -> None:
    env = {"BYTEFACE_DATA": str(tmp_path), "SPACE_ID": "owner/name", "GRADIO_SERVER_NAME": "0.0.0.0"}
    assert allowed_hosts(Settings.from_env(env)) is None


# who asks


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860", "localhost"])
def test_names_of_this_machine_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).text == "in"


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.example.org:7860", "", "@127.0.0.1@evil.org"])
def test_a_foreign_name_that_leads_here_is_not(client: TestClient, host: str) -> None:
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 403
    assert "BYTEFACE_HOSTS" in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "http://127.0.0.1:9", "http://localhost:7860"])
@pytest.mark.parametrize("method", ["POST", "GET", "HEAD", "OPTIONS"])
def test_a_page_of_another_site_changes_and_reads_nothing(client: TestClient, origin: str, method: str) -> None:
    assert client.request(method, "/", headers={"origin": origin}).status_code == 403


def test_its_own_page_and_a_program_may(client: TestClient) -> None:
    assert client.post("/", headers={"origin": HERE}).text == "in"
    assert client.post("/").text == "in"


def test_a_page_of_another_site_embeds_nothing_but_may_link(client: TestClient) -> None:
    for site in ("cross-site", "same-site"):
        assert client.get("/", headers={"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}).status_code == 403
    assert client.get("/", headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}).text == "in"
    assert client.get("/", headers={"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}).text == "in"
