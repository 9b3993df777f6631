"""`python app.py` as a Space starts it: an ordinary user, a checkout that cannot be written, a Space's environment."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import ARGUMENTS, Surfer, chromium_path, search
from hub_stub import hub_stub
from hub_uploads import Uploads
from playwright.sync_api import sync_playwright

from reid.settings import CHECKOUT

_UID = 12345  # nobody's: what may be read must be so for everybody

# Root gives its rights up, but for one that lets it read an interpreter below a home folder that only root may enter.
_AS_NOBODY = [
    "setpriv", f"--reuid={_UID}", f"--regid={_UID}", "--clear-groups", "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=+dac_read_search", "--bounding-set=-all,+dac_read_search", "--no-new-privs",
]  # fmt: skip


@pytest.fixture
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy that nobody may write to."""
    folder = tmp_path_factory.mktemp("space") / "app"
    for name in ("reid", "assets"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "app.py", folder)
    paths = [folder, *folder.rglob("*")]
    for path in paths:
        path.chmod(path.stat().st_mode & ~0o222 | 0o444 | (0o111 if path.is_dir() else 0))
    for parent in (folder.parent, folder.parent.parent, folder.parent.parent.parent):
        parent.chmod(parent.stat().st_mode | 0o755)
    yield folder
    for path in paths:
        path.chmod(path.stat().st_mode | 0o200)


@pytest.mark.skipif(
    sys.platform != "linux" or (os.getuid() == 0 and shutil.which("setpriv") is None), reason="needs setpriv on Linux"
)
def test_a_space_s_user_starts_it_from_a_checkout_that_cannot_be_written(
    checkout: Path, tmp_path: Path, models_dir: Path, demo_dir: Path
) -> None:
    from reid.weights import ensure

    for name in ("sface", "yunet"):
        ensure(name, models_dir)
    home = checkout.parent / "home"
    home.mkdir()
    if os.getuid() == 0:
        os.chown(home, _UID, _UID)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with hub_stub() as hub:
        Uploads(hub)
        env = {
            "PATH": os.environ["PATH"], "HOME": str(home), "SPACE_ID": "me/faces", "SYSTEM": "spaces",
            "GRADIO_SERVER_PORT": str(port), "BYTEFACE_MODELS": str(models_dir), "BYTEFACE_SPACE": "sface",
            "BYTEFACE_DEMO": "0", "BYTEFACE_BACKUP_REPO": "me/kept", "OMP_NUM_THREADS": "1",
            "BYTEFACE_VISITORS": "1", "BYTEFACE_HF_ADMINS": "me", "OAUTH_CLIENT_ID": "id",
            "OAUTH_CLIENT_SECRET": "secret", "GRADIO_TEMP_DIR": str(home / "uploads"),
            **{key: value for key, value in hub.environment(home).items() if key.startswith("HF_")},
        }  # fmt: skip
        words = [*(_AS_NOBODY if os.getuid() == 0 else []), sys.executable, "app.py"]
        said = tmp_path / "said"
        with said.open("w") as out:
            server = subprocess.Popen(words, cwd=checkout, env=env, stdout=out, stderr=subprocess.STDOUT)
        try:
            health = json.loads(_get(f"http://127.0.0.1:{port}/health", server, said))
            seen = _visit(f"http://127.0.0.1:{port}", next(iter(sorted((demo_dir / "val" / "madonna").iterdir()))))
        finally:
            server.terminate()
            server.wait(30)
        saved = hub.commits.get("datasets/me/kept")
    assert saved, said.read_text()
    assert set(saved[-1][1]) >= {"gallery.byteface"}, "a Space that is stopped saves once more"
    assert health["people"] == 0
    assert "saved every 15 minutes" in seen["disk"]
    assert seen["tabs"] == ["Probe", "Verify", "Gallery", "Threshold"], "a visitor searches and looks, changes nothing"
    assert seen["way in"] == "Log in"
    assert seen["faces"] == 1
    assert "http://0.0.0.0:" in said.read_text(), "a Space is reached from outside"
    made = {path.relative_to(home).as_posix() for path in home.rglob("*.db")}
    assert ".local/share/byteface/data/gallery.db" in made
    assert not [path for path in checkout.rglob("*") if path.stat().st_uid == _UID]


def _visit(address: str, photograph: Path) -> dict[str, object]:
    """What somebody who is not logged in sees, and gets for a photograph."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium: install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        surfer = Surfer(browser, address)
        page = surfer.open()
        page.wait_for_selector("#bf-disk .bf-note")
        seen: dict[str, object] = {
            "disk": page.inner_text("#bf-disk"),
            "tabs": [tab.inner_text() for tab in page.query_selector_all("#bf-tabs [role=tab]") if tab.is_visible()],
            "way in": page.inner_text("#bf-top a.bf-btn"),
        }
        search(page, photograph)
        seen["faces"] = page.locator(".bf-facebtn").count()
        browser.close()
    assert set(surfer.foreign) <= set(surfer.refused), "on a Space Gradio would ask for Google's fonts"
    return seen


def _get(address: str, server: subprocess.Popen[bytes], said: Path) -> bytes:
    """What the server answers, once it does."""
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        assert server.poll() is None, said.read_text()
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return bytes(answer.read())
        except OSError:
            time.sleep(0.2)
    raise AssertionError(said.read_text())
