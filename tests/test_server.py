"""The routes beside the page: crops, probes, health, and what no answer lacks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from browser import application, served
from fakes import fake_recognizer, photograph
from fastapi.testclient import TestClient

from reid.recognizer import Recognizer


@pytest.fixture
def recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path)
    made.enrol("Ann", [made.sample(photograph([0], "ann.png"))])
    yield made
    made.close()


@pytest.fixture
def client(recognizer: Recognizer) -> Iterator[TestClient]:
    with TestClient(application(recognizer), base_url="http://127.0.0.1") as opened:
        yield opened


def test_a_crop_is_served_and_never_stored(client: TestClient, recognizer: Recognizer) -> None:
    (ann,) = recognizer.gallery.identities()
    answer = client.get(f"/crops/{ann.cover_photo_id}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xff\xd8")


def test_a_crop_is_gone_with_its_person(client: TestClient, recognizer: Recognizer) -> None:
    (ann,) = recognizer.gallery.identities()
    recognizer.gallery.remove(ann.id)
    assert client.get(f"/crops/{ann.cover_photo_id}").status_code == 404


@pytest.mark.parametrize("path", ["/probes/none/none.jpg", "/probes/none/none/0.jpg", "/probes/none/none/-1.jpg"])
def test_a_probe_needs_its_session(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_health_counts_people_and_names_the_space(client: TestClient, recognizer: Recognizer) -> None:
    assert client.get("/health").json() == {"status": "ok", "people": 1, "space": recognizer.space.id}


def test_every_answer_forbids_other_hosts(client: TestClient) -> None:
    answers = [client.get(path) for path in ("/", "/health", "/crops/none", "/config", "/gradio_api/file=http://a.b/c")]
    refused = [client.get("/", headers=one) for one in ({"host": "evil.example.org"}, {"origin": "https://evil.org"})]
    assert {one.status_code for one in refused} == {403}
    for answer in (*answers, *refused):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy


def test_the_page_does_not_fetch_for_others(client: TestClient) -> None:
    for address in ("http://example.org/x", "https://example.org/x", "http%3A%2F%2Fexample.org%2Fx"):
        assert client.get(f"/gradio_api/file={address}").status_code == 403


def test_the_page_shows_no_names_of_gradio_and_keeps_no_history(client: TestClient) -> None:
    config = client.get("/config").json()
    assert config["footer_links"] == []
    assert config["analytics_enabled"] is False
    assert config.get("run_history") is not True


def test_another_name_or_another_sites_page_is_turned_away(client: TestClient) -> None:
    assert client.get("/health", headers={"host": "evil.example.org"}).status_code == 403
    assert client.post("/gradio_api/queue/join", headers={"origin": "https://evil.example.org"}).status_code == 403
    assert client.get("/crops/none", headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_the_same_photograph_uploaded_twice_has_two_places(client: TestClient) -> None:
    first, second = (
        client.post("/gradio_api/upload", files={"files": ("a.jpg", b"the same bytes")}).json()[0] for _ in range(2)
    )
    assert first != second
    Path(first).unlink()
    assert Path(second).read_bytes() == b"the same bytes"
    Path(second).unlink()


def test_two_hundred_clients_that_never_finish_hold_up_nobody(recognizer: Recognizer) -> None:
    with served(application(recognizer)) as address, ExitStack() as open_ones:
        place = urlsplit(address)
        for number in range(200):
            slow = open_ones.enter_context(socket.create_connection((place.hostname, place.port)))
            if number % 2:  # a request that is never whole, and an upload that never comes
                slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            else:
                slow.sendall(
                    b"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n"
                    b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
                )
        answer = httpx.get(f"{address}/health", timeout=10)
        assert answer.json()["people"] == 1
