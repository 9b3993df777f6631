"""A checkout uploaded as a Space to a stand-in of the Hub: what goes, who may do what, and how it says no."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stub import Answer, HubStub, hub_stub
from hub_uploads import Uploads

from reid.cli import main
from reid.commands.deploy_space import to_upload
from reid.settings import CHECKOUT

SPACE = "spaces/me/faces"


@pytest.fixture
def hub() -> Iterator[HubStub]:
    with hub_stub() as made:
        yield made


def deploy(hub: HubStub, home: Path, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from reid.cli import entry; entry()", "deploy-space", "--repo-id", "me/faces", *more],
        env=hub.environment(home, **env), cwd=CHECKOUT, capture_output=True, text=True,
    )  # fmt: skip


def test_a_space_is_made_with_what_it_needs_and_again_only_updated(hub: HubStub, tmp_path: Path) -> None:
    uploads = Uploads(hub)
    done = deploy(hub, tmp_path, "--operators", "ann", "museum", "--backup-repo", "me/kept")
    assert done.returncode == 0, done.stderr
    made = uploads.created[0]
    assert (made["type"], made["sdk"], made["hardware"]) == ("space", "gradio", "cpu-basic")
    assert {one["key"]: one["value"] for one in made["variables"]} == {  # type: ignore[attr-defined]
        "BYTEFACE_VISITORS": "1", "BYTEFACE_HF_ADMINS": "me", "BYTEFACE_HF_OPERATORS": "ann,museum",
        "BYTEFACE_BACKUP_REPO": "me/kept",
    }  # fmt: skip
    _, files = hub.commits[SPACE][-1]
    assert set(files) == {*to_upload(CHECKOUT), ".gitattributes"}
    assert files["app.py"] == (CHECKOUT / "app.py").read_bytes()
    assert "HF_TOKEN" in done.stdout
    again = deploy(hub, tmp_path)
    assert again.returncode == 0, again.stderr
    assert "there already" in again.stdout
    assert uploads.variables == {"BYTEFACE_VISITORS": "1", "BYTEFACE_HF_ADMINS": "me"}


@pytest.mark.parametrize("status", [402, 403])
def test_an_account_that_may_create_no_space_is_told_what_would_do(hub: HubStub, tmp_path: Path, status: int) -> None:
    Uploads(hub).refuse["/api/repos/create"] = Answer.json({"error": "no"}, status)
    done = deploy(hub, tmp_path)
    assert done.returncode == 1
    assert "may not create the Space me/faces on cpu-basic" in done.stderr
    assert "--hardware zero-a10g" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not hub.commits


@pytest.mark.parametrize(
    ("where", "answer", "words"),
    [
        ("/api/repos/create", Answer.json({}, 401), "The Hub does not accept the token. Make a new one"),
        ("/preupload/", Answer.json({}, 403), "The token may not write to me/faces. Use one with write access"),
        ("/commit/", Answer(429, b"{}", {"Retry-After": "3600"}), "asks for fewer requests. Wait some minutes"),
        ("/commit/", Answer(drop=True), "The Hub could not be reached"),
    ],
)
def test_every_no_of_the_hub_is_one_sentence_and_another_run_goes_through(
    hub: HubStub, tmp_path: Path, where: str, answer: Answer, words: str
) -> None:
    uploads = Uploads(hub)
    uploads.refuse[where] = answer
    done = deploy(hub, tmp_path)
    said = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert said.startswith("byteface deploy-space: ")
    assert words in said
    assert "Traceback" not in done.stderr
    assert not [files for _, files in hub.commits.get(SPACE, []) if "app.py" in files], "all of it or nothing"
    uploads.refuse.clear()
    assert deploy(hub, tmp_path).returncode == 0


def test_a_dry_run_asks_the_hub_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy-space", "--repo-id", "me/faces", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "app.py" in out
    assert "BYTEFACE_HF_ADMINS=me" in out


def test_nothing_of_anybody_goes_with_it(tmp_path: Path) -> None:
    for name in ("app.py", "reid/x.py", "reid/data.db", "reid/__pycache__/x.py", "data/gallery.db", "models/a.npy",
                 "tests/t.py", ".env", "assets/face.jpg", "assets/a.css", "docs/a.md"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert to_upload(tmp_path) == ["app.py", "reid/x.py", "docs/a.md", "assets/a.css"]


# --- the card that the Hub reads -------------------------------------------------------------------------------------


def card() -> dict[str, str]:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    return {key: value.strip('"') for key, value in (line.split(": ", 1) for line in text.strip().splitlines())}


def test_the_card_says_what_a_space_must_know() -> None:
    found = card()
    assert (found["sdk"], found["app_file"], found["hf_oauth"]) == ("gradio", "app.py", "true")
    assert found["python_version"] in {"3.12", "3.12.12"}, "what ZeroGPU has"
    assert len(found["short_description"]) <= 60
    locked = re.search(r"^gradio==(.+)$", (CHECKOUT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    assert locked
    assert found["sdk_version"] == locked[1], "a Space installs the version that everything here was tested with"


def test_the_ranges_allow_what_zerogpu_has_and_hold_what_is_locked() -> None:
    from packaging.requirements import Requirement

    lines = (CHECKOUT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ranges = {one.name.lower(): one for line in lines if line and line[0] != "#" for one in [Requirement(line)]}
    locked = dict(
        line.lower().replace("_", "-").split("==")
        for line in (CHECKOUT / "requirements.lock").read_text("utf-8").splitlines() if line[0] != "#"
    )  # fmt: skip
    for version in ("2.8.0", "2.9.1", "2.10.0", "2.11.0"):
        assert version in ranges["torch"].specifier
    for name, one in ranges.items():
        assert locked[name.replace("_", "-")] in one.specifier, name
