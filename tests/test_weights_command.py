"""`byteface weights` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from reid.cli import main
from reid.weights import write_run

CONFIG = {"architecture": "inception_resnet_v1", "embedding_dim": 128, "crop_px": 160, "standardisation": "fixed",
          "base": "ms1m", "training_data": "125 people", "licence": "MIT"}  # fmt: skip


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BYTEFACE_MODELS", str(tmp_path / "models"))
    write_run(tmp_path / "models" / "lab", {"weight": torch.ones(3)}, CONFIG)
    return tmp_path / "models"


@pytest.mark.usefixtures("models")
def test_the_list_says_source_licence_training_data_size_and_digest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights"]) == 0
    printed = capsys.readouterr().out
    lab = printed[printed.index("lab:") :]
    for words in ("fine-tuned from ms1m", "MIT", "125 people", "0.0 MB", "sha256"):
        assert words in lab
    assert "MS-Celeb-1M is a research set" in printed
    assert "VGGFace2 is a research set" in printed
    assert "pinned on first download" in printed


def test_check_fails_when_a_file_changed(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "check"]) == 0
    assert capsys.readouterr().out == "lab: as recorded\n"
    path = models / "lab" / "model.safetensors"
    path.write_bytes(path.read_bytes()[::-1])
    assert main(["weights", "check"]) == 1
    assert "not the file that it should be" in capsys.readouterr().out


def test_weights_go_to_another_machine_in_one_file(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "weights.tar"
    assert main(["weights", "export", str(file)]) == 0
    monkeypatch.setenv("BYTEFACE_MODELS", str(tmp_path / "elsewhere"))
    assert main(["weights", "import", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{tmp_path / 'elsewhere'}: lab"
    assert main(["weights", "get", "lab"]) == 0
    assert (tmp_path / "elsewhere" / "lab" / "model.safetensors").read_bytes() == (
        models / "lab" / "model.safetensors"
    ).read_bytes()


@pytest.mark.usefixtures("models")
def test_what_cannot_be_done_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "get", "vggface"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "There are no weights called 'vggface'" in printed.err
