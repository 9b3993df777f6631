"""Published runs from a stand-in for the Hub, each in a process of its own."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_stub import HubStub, hub_stub

from reid.errors import WeightsError
from reid.weights import ensure

REPOSITORY = "somebody/faces"
WEIGHTS = b"not really tensors" * 1000
# what the child prints: the digest, what the config says, or the sentence of the error
CODE = """
import sys
from pathlib import Path
from reid.errors import WeightsError
from reid.weights import ensure
try:
    weights = ensure(sys.argv[1], Path(sys.argv[2]), progress=False, force=len(sys.argv) > 3)
    print(weights.sha256, weights.config["origin"], weights.source)
except WeightsError as error:
    print(error)
"""
Bring = Callable[..., str]


def run_of(weights: bytes = WEIGHTS, **changed: object) -> dict[str, bytes]:
    config = {
        "architecture": "inception_resnet_v1",
        "embedding_dim": 128,
        "crop_px": 160,
        "standardisation": "per_image",
        "weights_sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        "licence": "MIT",
    }
    return {"model.safetensors": weights, "config.json": json.dumps(config | changed).encode()}


@pytest.fixture
def hub() -> Iterator[HubStub]:
    with hub_stub() as running:
        yield running


@pytest.fixture
def bring(hub: HubStub, tmp_path: Path) -> Bring:
    def bring(source: str, *more: str, models: str = "models") -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", CODE, source, str(tmp_path / models), *more],
            env=hub.environment(tmp_path / "home"), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return bring


def test_a_published_run_comes_with_its_commit_and_stays(hub: HubStub, bring: Bring, tmp_path: Path) -> None:
    commit = hub.commit(REPOSITORY, run_of())
    sha256 = hashlib.sha256(WEIGHTS).hexdigest()
    assert bring(f"hub:{REPOSITORY}") == f"{sha256} hub:{REPOSITORY}@{commit} hub:{REPOSITORY}"
    hub.commit(REPOSITORY, run_of(b"other", weights_sha256=hashlib.sha256(b"other").hexdigest()))
    asked = len(hub.requests)
    # in this process, which knows nothing of the stub: what is there is used without asking anybody
    assert ensure(f"hub:{REPOSITORY}", tmp_path / "models").sha256 == sha256
    assert len(hub.requests) == asked
    assert bring(f"hub:{REPOSITORY}", "force").startswith(hashlib.sha256(b"other").hexdigest())


def test_a_revision_names_one_commit(hub: HubStub, bring: Bring) -> None:
    first = hub.commit(REPOSITORY, run_of())
    hub.commit(REPOSITORY, run_of(b"other"))
    assert bring(f"hub:{REPOSITORY}@{first}").startswith(hashlib.sha256(WEIGHTS).hexdigest())


def test_weights_that_are_not_what_their_config_says_are_refused(hub: HubStub, bring: Bring, tmp_path: Path) -> None:
    hub.commit(REPOSITORY, run_of(WEIGHTS[::-1]))
    assert "it was thrown away" in bring(f"hub:{REPOSITORY}")
    assert [path.name for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_a_config_that_points_elsewhere_cannot(hub: HubStub, bring: Bring, tmp_path: Path) -> None:
    hub.commit(REPOSITORY, run_of(weights_file="../../home/secret"))
    assert bring(f"hub:{REPOSITORY}").startswith(hashlib.sha256(WEIGHTS).hexdigest())
    config = json.loads((tmp_path / "models" / "hub--somebody--faces" / "config.json").read_text())
    assert config["weights_file"] == "model.safetensors"


def test_every_no_of_the_hub_is_one_sentence_with_a_way_out(hub: HubStub, bring: Bring) -> None:
    assert bring("hub:nobody/nothing") == (
        "The Hub has no nobody/nothing, or it is private. Check the name; for a private one set HF_TOKEN."
    )
    hub.commit(REPOSITORY, {"README.md": b"a dataset, perhaps"})
    assert "holds no model.safetensors" in bring(f"hub:{REPOSITORY}")
    assert "has no revision v9" in bring(f"hub:{REPOSITORY}@v9")
    hub.commit("somebody/other", {**run_of(), "config.json": b'{"model_type": "bert"}'})
    assert "does not say its architecture" in bring("hub:somebody/other")
    hub.gated.add(REPOSITORY)
    assert "consent" in bring(f"hub:{REPOSITORY}")


def test_a_hub_that_drops_connections_ends_in_a_sentence_or_in_the_cache(hub: HubStub, bring: Bring) -> None:
    hub.commit(REPOSITORY, run_of())
    hub.down = True
    assert "could not be asked" in bring(f"hub:{REPOSITORY}")
    hub.down = False
    bring(f"hub:{REPOSITORY}")
    hub.down = True
    assert bring(f"hub:{REPOSITORY}", models="elsewhere").startswith(hashlib.sha256(WEIGHTS).hexdigest())


@pytest.mark.parametrize("address", ["hub:", "hub:one", "hub:a/b/c", "hub:../..@x y", "hub:a/b@"])
def test_an_address_that_is_none_is_refused_without_asking(address: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="Write hub:owner/name"):
        ensure(address, tmp_path)
