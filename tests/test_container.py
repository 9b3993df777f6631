"""The container's files, as far as no engine is needed: hadolint, the steps of make, nothing secret, nothing open."""

from __future__ import annotations

import fnmatch
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reid.cli import _parser
from reid.settings import CHECKOUT

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def lines(word: str, text: str = DOCKERFILE) -> list[str]:
    return [line.removeprefix(word).strip() for line in text.splitlines() if line.startswith(f"{word} ")]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((CHECKOUT / "compose.yaml").read_text(encoding="utf-8")))


def test_hadolint_has_nothing_to_say() -> None:
    found = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if found is None:
        pytest.skip("hadolint is not installed here")
    done = subprocess.run([found, str(CHECKOUT / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout == ""


def test_it_installs_what_make_installs() -> None:
    def pips(text: str) -> list[str]:
        return [re.sub(r"\s+", " ", found).strip() for found in re.findall(r"-m pip install ([^&\n]+)", text)]

    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    rule = makefile[makefile.index(".venv/.ready: ") : makefile.index(".venv/.ready-dev: ")]
    milvus = "--disable-pip-version-check -c requirements.lock -r requirements-milvus.txt"
    assert [one for one in pips(DOCKERFILE) if one != milvus] == pips(rule)
    assert milvus in pips(DOCKERFILE)


def test_what_runs_it_cannot_change_the_code_and_is_watched() -> None:
    last = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    assert DOCKERFILE.count("\nFROM ") == 2, "what builds is left behind"
    assert lines("USER", last) == ["1000"]
    assert lines("VOLUME", last) == ["/data"]
    assert "chown" not in last
    assert "--chown" not in last
    assert "/health" in lines("HEALTHCHECK", last)[0]
    (command,) = lines("CMD", last)
    assert command == '["python", "app.py"]'


def test_only_what_is_copied_reaches_the_engine() -> None:
    ignore = (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignore[0] == "*"
    let_in = [line[1:] for line in ignore if line.startswith("!")]
    copied = [word for line in lines("COPY") if "--from" not in line for word in shlex.split(line)[:-1]]
    assert all((CHECKOUT / one).exists() for one in copied)
    assert not [one for one in copied if not any(fnmatch.fnmatch(one, pattern) for pattern in let_in)]
    for secret in ("data", "models", ".git", ".env", ".venv", "tests"):
        assert not any(fnmatch.fnmatch(secret, pattern) for pattern in let_in)


def test_nothing_secret_is_written_down_and_only_this_machine_reaches_it(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"app", "backups", "milvus"}
    for name, service in services.items():
        for key, value in service["environment"].items():
            if "PASSWORD" in key:
                assert value.startswith("${MILVUS_PASSWORD:?"), f"{name}: {key}"
    assert [port for service in services.values() for port in service.get("ports", [])] == ["127.0.0.1:7860:7860"]
    for name in ("app", "backups"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    used = {volume.split(":")[0] for service in services.values() for volume in service["volumes"]}
    assert used == set(compose["volumes"])


def test_the_nightly_copy_is_a_command_that_there_is(compose: dict[str, Any]) -> None:
    script = compose["services"]["backups"]["command"][-1].replace("$$", "$")
    (line,) = [line.strip() for line in script.splitlines() if line.strip().startswith("byteface ")]
    words = shlex.split(line)[1:]
    args = _parser(words[0]).parse_args(words)
    assert args.sources == [compose["services"]["app"]["environment"]["BYTEFACE_GALLERY"]]
    assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
