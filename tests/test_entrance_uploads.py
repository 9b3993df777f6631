"""Whose uploaded file is whose, whose conversation with the page, and what is no file at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import save
from fastapi.testclient import TestClient
from people_of_roles import House, house

from reid.actor import Role


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("uploads")) as made:
        yield made


def uploaded(client: TestClient, content: bytes, headers: dict[str, str] | None = None) -> str:
    answer = client.post("/gradio_api/upload", files={"files": ("face.png", content)}, headers=headers or {})
    assert answer.status_code == 200
    (path,) = answer.json()
    return str(path)


def told(client: TestClient, path: object, headers: dict[str, str], how: str = "run/search") -> tuple[int, str]:
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    answer = client.post(f"/gradio_api/{how}", json={"data": [[file], None, 5, ""]}, headers=headers)
    return answer.status_code, answer.text


def test_an_upload_is_its_senders_alone(opened: House, tmp_path: Path) -> None:
    mine, theirs = opened.as_(Role.VIEWER), opened.as_(Role.ADMIN)
    path = uploaded(opened.client, save(tmp_path / "a.jpg", [0]).read_bytes(), mine)
    assert opened.client.get(f"/gradio_api/file={path}", headers=theirs).status_code == 404
    assert opened.client.get(f"/gradio_api/file={path}", headers=mine).status_code == 200
    for how in ("run/search", "api/search", "call/search", "queue/join"):
        status, said = told(opened.client, path, theirs, how)
        assert (status, said) == (404, "You uploaded no such file to this server. Upload it again."), how
    named = {"photographs": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
    assert opened.client.post("/gradio_api/call/v2/search", json=named, headers=theirs).status_code == 404
    status, said = told(opened.client, path, mine)
    assert status == 200
    assert "Ann" in said


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "http://127.0.0.1/health", "https://example.org/x.png", "", "accounts.db", {"path": "/etc/passwd"}],
)
def test_no_path_of_this_machine_and_no_address_is_a_file(opened: House, path: object) -> None:
    assert told(opened.client, path, opened.as_(Role.ADMIN))[0] == 404


def test_a_file_is_found_however_deep_it_is_hidden(opened: House) -> None:
    deep: object = {"path": "/etc/passwd"}
    for _ in range(50):
        deep = {"value": [deep]}
    answer = opened.client.post("/gradio_api/run/people", json={"data": [deep]}, headers=opened.as_(Role.ADMIN))
    assert answer.status_code == 404


def test_what_is_no_json_or_too_large_goes_no_further(opened: House) -> None:
    headers = opened.as_(Role.ADMIN)
    assert opened.client.post("/gradio_api/queue/join", content=b"{", headers=headers).status_code == 400
    assert opened.client.post("/gradio_api/queue/join", content=b"[" * 100_000, headers=headers).status_code == 400
    large = b'{"data": ["' + b"x" * (33 << 20) + b'"]}'
    assert opened.client.post("/gradio_api/queue/join", content=large, headers=headers).status_code == 413
    files = {"file": ("x.png", b"x"), "path": (None, "/etc/passwd")}
    assert opened.client.post("/gradio_api/component_server", files=files, headers=headers).status_code == 415


def test_nobody_hears_or_ends_anothers_conversation(opened: House) -> None:
    mine, theirs = opened.as_(Role.VIEWER), opened.as_(Role.ADMIN)
    body = {"data": ["", 1, 10], "session_hash": "mine"}
    assert opened.client.post("/gradio_api/run/people", json=body, headers=mine).status_code == 200
    for answer in (
        opened.client.get("/gradio_api/queue/data?session_hash=mine", headers=theirs),
        opened.client.get("/gradio_api/queue/data?session_hash=other&session_hash=mine", headers=theirs),
        opened.client.get("/gradio_api/heartbeat/mine", headers=theirs),
        opened.client.post("/gradio_api/run/people", json=body, headers=theirs),
        opened.client.post(
            "/gradio_api/cancel", json={"session_hash": "mine", "fn_index": 1, "event_id": "1"}, headers=theirs
        ),
    ):
        assert answer.status_code == 404
        assert "somebody else" in answer.text


@pytest.mark.parametrize("path", ["queue/data%0A?session_hash=mine", "upload%0A", "cancel%0a", "run/people%0d"])
def test_a_line_break_at_the_end_of_a_path_leads_nowhere(opened: House, path: str) -> None:
    for method in ("GET", "POST"):
        assert opened.client.request(method, f"/gradio_api/{path}", headers=opened.as_(Role.ADMIN)).status_code == 404
