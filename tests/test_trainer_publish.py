"""The gate, the card, and a publication to a stand-in of the Hub on this machine, fetched back."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from hub_stub import Answer, HubStub, hub_stub
from hub_uploads import Uploads

from reid.errors import GateError, WeightsError
from reid.networks.facenet import FaceNet
from reid.networks.inception import inception_resnet_v1
from reid.weights.store import read_weights, write_run
from trainer import publish, runs
from trainer.card import model_card
from trainer.recipes import OPEN_SET

ROOT = Path(__file__).resolve().parents[1]
SECRET_LABEL = "person_with_a_name"

GOOD = {
    "training": {"people": 125, "photographs": 1462, "unlabelled": 7, "validation": "the validation CSV"},
    "evaluation": {
        "facenet": {
            **{
                role: {
                    "closed_set": {"rank1": 1.0},
                    "open_set": {
                        "mated": 491, "nonmated": 2572,
                        "dir_at_fpir": {"0.01": {"value": value, "low": 0.96, "high": 0.999, "support": "hint"}},
                    },
                    "gallery": {"people": 125, "photographs": 1462},
                    "verification": {"pairs": 2001, "ten_fold": {"value": 0.993, "low": 0.99, "high": 0.996}},
                    "groups": None,
                }
                for role, value in (("frozen", 0.982), ("tuned", 0.995))
            },
            "difference": {
                "dir_at_fpir": {"0.01": {"value": 0.013, "low": 0.004, "high": 0.02, "support": "hint"}},
                "verification": -0.0002,
            },
            "probes": {"eval_csv": "probes_test.csv"},
        }
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that passes the gate, with everything beside it that must never leave."""
    folder = tmp_path_factory.mktemp("models") / "best"
    torch.manual_seed(0)
    config = {
        "architecture": "inception_resnet_v1", "embedding_dim": 16, "crop_px": 96, "standardisation": "per_image",
        "source": "best", "base": {"source": "ms1m", "weights_sha256": "a" * 64, "training_data": "MS-Celeb-1M"},
        "licence": "MIT (the archive's)", "training_data": "MS-Celeb-1M; fine-tuned", "recipe": asdict(OPEN_SET),
        "alpha": 0.75, "seed": 0, "preprocessing": {"detector": "yunet", "min_face_px": 12, "face": "central"},
        "thresholds": {}, "labels": [SECRET_LABEL],
    }  # fmt: skip
    write_run(folder, inception_resnet_v1(16).state_dict(), config)
    runs.merge_metrics(folder, GOOD)
    for name in ("det.png", "training.png"):
        (folder / name).write_bytes(b"\x89PNG")
    (folder / "label_errors.csv").write_text(f"kind,label\nother-face,{SECRET_LABEL}\n")
    (folder / "skipped.csv").write_text(f"image_path\n{SECRET_LABEL}/1.jpg\n")
    (folder / "checkpoints").mkdir()
    return folder


@pytest.fixture
def hub() -> Iterator[HubStub]:
    with hub_stub() as stub:
        yield stub


PUBLISH = """
import argparse, json, sys, time
from reid.errors import ReidError
from trainer.commands import publish as command

parser = argparse.ArgumentParser()
command.add_arguments(parser)
for arguments in json.loads(sys.argv[1]):
    started, sentence = time.monotonic(), ""
    try:
        command.run(parser.parse_args(arguments))
    except ReidError as error:
        sentence = str(error)
    print(json.dumps({"sentence": sentence, "seconds": time.monotonic() - started}), flush=True)
"""


def byteface(hub: HubStub, home: Path, *commands: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    """`byteface publish`, once with each list of arguments, in one process; a line of JSON ends what each printed."""
    environment = hub.environment(home, PYTHONPATH=str(ROOT), **more)
    words = [sys.executable, "-c", PUBLISH, json.dumps(commands)]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=250, check=True)


def outcomes(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def changed(**difference: object) -> dict[str, object]:
    metrics = copy.deepcopy(GOOD)
    metrics["evaluation"]["facenet"]["difference"] |= difference  # type: ignore[index]
    return metrics


def test_gate_lets_a_better_run_pass() -> None:
    assert publish.refusals(GOOD) == []


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({}, "not measured"),
        (changed(dir_at_fpir={"0.01": {"value": 0.004, "low": 0.0, "high": 0.01}}), "not better beyond the interval"),
        (changed(dir_at_fpir={}), "too few searches"),
        (changed(verification=-0.0011), "more than 0.1 point"),
        (changed(verification=None), "--pairs-csv"),
    ],
)
def test_gate_refuses_what_is_not_better_and_says_why(metrics: dict[str, object], reason: str) -> None:
    assert any(reason in one for one in publish.refusals(metrics))


def test_gate_names_the_way_around_it(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="--force"):
        publish.gate(tmp_path, force=False)
    assert publish.gate(tmp_path, force=True)


def test_only_backbone_config_plots_card_and_metrics_are_packed(run: Path) -> None:
    with publish.packed(run, "owner/name", []) as package:
        names = {name for name, _ in package.files}
        assert names == {"model.safetensors", "config.json", "metrics.json", "README.md", "det.png", "training.png"}
        for path in package.folder.iterdir():
            assert SECRET_LABEL.encode() not in path.read_bytes()
        assert "labels" not in json.loads((package.folder / "config.json").read_text())
        assert read_weights(package.folder, "packed", rehash=True).sha256 == read_weights(run, "run").sha256


def test_weights_with_a_head_in_them_stay_here(tmp_path: Path, run: Path) -> None:
    config = read_weights(run, "run").config
    state = inception_resnet_v1(16).state_dict() | {"head.weight": torch.zeros(125, 16)}
    write_run(tmp_path, state, config)
    with pytest.raises(WeightsError, match=r"head\.weight"), publish.packed(tmp_path, "owner/name", []):
        pass


def test_card_shows_frozen_and_tuned_and_whether_it_was_forced(run: Path) -> None:
    config = read_weights(run, "run").config
    card = model_card(config, GOOD, "owner/name", [])
    assert "| DIR at FPIR 1.0% | 0.9820 [0.960, 0.999] (hint) | 0.9950 [0.960, 0.999] (hint) |" in card
    assert "+0.0130 [+0.0040, +0.0200]" in card
    assert card.startswith("---\nlicense: mit\n")
    for heading in ("Intended use", "Data", "Measured", "Limits", "Licence"):
        assert f"## {heading}" in card
    assert "against the gate" not in card
    assert "- it lost" in model_card(config, GOOD, "owner/name", ["it lost"])
    assert "Nothing was measured" in model_card(config, {}, "owner/name", [])


def test_published_run_is_private_and_comes_back_with_the_same_hash_and_embeddings(
    tmp_path: Path, run: Path, hub: HubStub
) -> None:
    uploads = Uploads(hub)
    done = byteface(hub, tmp_path / "home", ["--run", str(run), "--repo-id", "owner/faces"])
    assert outcomes(done)[0]["sentence"] == ""
    assert uploads.created[0].get("private") is True or uploads.created[0].get("visibility") == "private"
    assert "hf_test" not in done.stdout + done.stderr
    commit = hub.commits["owner/faces"][-1][0]
    assert f"hub:owner/faces@{commit}" in done.stdout
    fetch = (
        "import sys; from pathlib import Path; from reid.weights import ensure\n"
        "found = ensure('hub:owner/faces', Path(sys.argv[1]), progress=False); print(found.path)"
    )
    environment = hub.environment(tmp_path / "other-home", PYTHONPATH=str(ROOT))
    fetched = subprocess.run(
        [sys.executable, "-c", fetch, str(tmp_path / "models")], env=environment, capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip
    back = read_weights(Path(fetched.stdout.strip()).parent, "hub:owner/faces", rehash=True)
    assert back.sha256 == read_weights(run, "run").sha256
    crops = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    ours, theirs = (FaceNet(file, device="cpu").embed(crops) for file in (read_weights(run, "run"), back))
    np.testing.assert_array_equal(ours, theirs)


def test_dry_run_sends_nothing(tmp_path: Path, run: Path, hub: HubStub) -> None:
    done = byteface(hub, tmp_path, ["--run", str(run), "--repo-id", "owner/faces", "--dry-run"])
    assert outcomes(done)[0]["sentence"] == ""
    assert "model.safetensors" in done.stdout
    assert "Nothing was sent" in done.stdout
    assert hub.requests == []


def test_a_hub_that_says_no_ends_in_one_sentence_within_seconds(tmp_path: Path, run: Path, hub: HubStub) -> None:
    busy, cut = Answer(429, headers={"Retry-After": "3600"}), Answer(drop=True)
    cases = [
        ("repos/create", Answer(401), "does not accept the token"),
        ("repos/create", Answer(403), "may not write to owner/case1"),
        ("preupload", Answer(403), "may not write to owner/case2"),
        ("preupload", busy, "fewer requests"),
        ("upload/owner", busy, "fewer requests"),
        ("upload/owner", cut, "could not be reached"),
        ("commit", cut, "could not be reached"),
        ("commit", Answer(500), "error (500)"),
    ]
    uploads = Uploads(hub)
    for number, (where, answer, _) in enumerate(cases):
        uploads.refuse[rf"{where}.*case{number}|case{number}/{where}"] = answer
    commands = [["--run", str(run), "--repo-id", f"owner/case{number}"] for number in range(len(cases))]
    found = outcomes(byteface(hub, tmp_path, *commands))
    for (where, _, sentence), outcome in zip(cases, found, strict=True):
        assert sentence in str(outcome["sentence"]), where
        assert "\n" not in str(outcome["sentence"])
        assert float(str(outcome["seconds"])) < 30, where  # the client itself would wait an hour
    assert not hub.commits


def test_without_a_token_it_says_how_to_get_one(tmp_path: Path, run: Path, hub: HubStub) -> None:
    done = byteface(hub, tmp_path, ["--run", str(run), "--repo-id", "owner/faces"], HF_TOKEN="")
    assert "HF_TOKEN" in str(outcomes(done)[0]["sentence"])
    assert hub.requests == []
