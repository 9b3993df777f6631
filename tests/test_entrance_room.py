"""What uploads leave on the disk: no more than one user may, nothing of an upload that broke off or a killed server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import served
from fastapi.testclient import TestClient
from people_of_roles import House, house
from test_entrance_uploads import uploaded

from reid.actor import Role
from reid.entrance import room, uploads
from reid.entrance.room import NoRoomError, Room, private_folder


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("room")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
        with house(folder) as made:
            yield made


def lying() -> list[Path]:
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    return [file for file in folder.rglob("*") if file.is_file()]


def sent(client: TestClient, size: int, headers: dict[str, str]) -> int:
    files = {"files": ("face.png", b"x" * size)}
    return client.post("/gradio_api/upload", files=files, headers=headers).status_code


def test_a_user_has_so_much_room_and_gets_it_back(opened: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "EACH", 300_000)
    mine, theirs = opened.as_(Role.VIEWER), opened.as_(Role.OPERATOR)
    kept = uploaded(opened.client, b"x" * 200_000, mine)
    refused = opened.client.post("/gradio_api/upload", files={"files": ("b.png", b"x" * 200_000)}, headers=mine)
    assert refused.status_code == 413
    assert "Use what is there" in refused.text
    assert lying() == [Path(kept)], "what had come of the refused one is gone"
    assert sent(opened.client, 200_000, theirs) == 200
    Path(kept).unlink()  # as a search does with what it has read
    assert sent(opened.client, 200_000, mine) == 200


def test_several_files_of_one_upload_count_together(opened: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "EACH", 1_000_000)
    before = lying()
    many = [("files", (f"{n}.png", b"x" * 300_000)) for n in range(4)]
    assert opened.client.post("/gradio_api/upload", files=many, headers=opened.as_(Role.ADMIN)).status_code == 413
    assert lying() == before


def test_the_last_of_the_disk_is_left_to_the_gallery() -> None:
    with pytest.raises(NoRoomError, match="nearly full"):
        Room(reserve=1 << 60).take("Vi", 1, None)


def test_an_upload_whose_sender_goes_away_leaves_nothing(opened: House) -> None:
    before = lying()
    with served(opened.app) as address:
        place = urlsplit(address)
        key = opened.keys[Role.VIEWER]
        with socket.create_connection((place.hostname, place.port)) as going:
            part = '--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
            going.sendall(
                f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {key}\r\n"
                f"Content-Length: 9000000\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n{part}".encode()
                + b"a face" * 50_000
            )
            until(lambda: len(lying()) > len(before))
        until(lambda: len(lying()) == len(before))
        assert lying() == before, "it went, and what was there stayed"


def until(come: object) -> None:
    for _ in range(600):
        if come():  # type: ignore[operator]
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


# what is temporary


def test_temporary_files_are_private_and_go_with_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    with private_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        with tempfile.NamedTemporaryFile(delete=False) as file:
            assert Path(file.name).is_relative_to(folder)
        assert Path(os.environ["GRADIO_TEMP_DIR"]).is_relative_to(folder)
        with private_folder():
            assert folder.exists(), "another process does not remove what is in use"
    assert list(tmp_path.iterdir()) == []
    assert tempfile.tempdir == str(tmp_path)
    assert "GRADIO_TEMP_DIR" not in os.environ


def test_what_a_killed_process_left_goes_at_the_next_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    work = (
        "import sys, time, tempfile\nfrom reid.entrance.room import private_folder\n"
        "with private_folder() as folder:\n (folder / 'probe.jpg').write_bytes(b'a face')\n print(folder, flush=True)\n"
        " time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", work], stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert child.stdout
    left = Path(child.stdout.readline().strip())
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert (left / "probe.jpg").exists()
    mine = tmp_path / f"{room._PREFIX}of-somebody-just-starting"
    mine.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with private_folder():
        assert not left.exists()
        assert mine.exists()
