"""`byteface train` and `evaluate` on real photographs with real weights, and what they say to unusable input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reid.cli import main
from reid.errors import TrainingError, WeightsError
from reid.settings import Settings
from reid.weights import ensure
from trainer.runs import read_metrics, read_run, run_folder

EACH = 4


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, demo_dir: Path) -> Path:
    """CSVs of the demonstration people: four photographs each to train on, the val ones to search with."""
    folder = tmp_path_factory.mktemp("tables")
    train, probes = ["image_path,gt"], ["image_path,gt,group"]
    people = sorted(path for path in (demo_dir / "train").iterdir() if path.is_dir())
    for number, person in enumerate(people):
        photos = sorted(path.relative_to(demo_dir).as_posix() for path in person.iterdir())[:EACH]
        if number < 4:
            train += [f"{photo},{person.name}" for photo in photos]
        label = person.name if number < 4 else "doesn't_exist"
        found = sorted((demo_dir / "val" / person.name).iterdir())
        probes += [f"{path.relative_to(demo_dir).as_posix()},{label},{'ab'[number % 2]}" for path in found]
    train += ["missing.jpg,nobody"]
    (folder / "train.csv").write_text("\n".join(train) + "\n")
    (folder / "probes.csv").write_text("\n".join(probes) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(tables: Path, demo_dir: Path, models_dir: Path) -> Path:
    """One epoch of the reference recipe, which keeps what it has trained."""
    ensure("ms1m", models_dir)
    words = [
        "train", "--train-csv", str(tables / "train.csv"), "--val-csv", str(tables / "probes.csv"), "--root-dir",
        str(demo_dir), "--recipe", "reference", "--epochs", "1", "--save-path", str(tables / "best_model.pth"),
        "--device", "cpu",
    ]  # fmt: skip
    code = main(words)
    assert code == 0
    return tables / "best_model"


def test_train_writes_safetensors_for_a_pth_and_lists_what_it_skipped(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    assert (config["architecture"], config["embedding_dim"], config["base"]["source"]) == (
        "inception_resnet_v1",
        128,
        "ms1m",
    )
    settings = Settings.from_env()
    assert config["preprocessing"] == {
        "detector": settings.detector, "min_face_px": settings.min_face_px, "face": "largest",
    }  # fmt: skip
    assert not list(run.rglob("*.pth"))
    assert "missing.jpg" in (run / "skipped.csv").read_text()
    metrics = json.loads((run / "metrics.json").read_text())["training"]
    assert (metrics["people"], metrics["photographs"]) == (4, 4 * EACH)
    assert metrics["frozen"]["rank1"] > 0.9


def test_a_finished_run_is_not_lost_by_accident(
    run: Path, tables: Path, demo_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / "model.safetensors").read_bytes()
    words = ["train", "--train-csv", str(tables / "train.csv"), "--root-dir", str(demo_dir), "--save-path", str(run)]
    assert main(words) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (run / "model.safetensors").read_bytes() == before


def test_evaluate_puts_the_run_beside_the_weights_it_started_from(
    run: Path, tables: Path, demo_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "evaluate", "--run", str(run), "--compare", "ms1m", "--gallery-csv", str(tables / "train.csv"),
        "--eval-csv", str(tables / "probes.csv"), "--root-dir", str(demo_dir),
        "--report", str(tables / "report.csv"), "--device", "cpu",
    ]  # fmt: skip
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "frozen" in out
    assert "tuned" in out
    found = json.loads((run / "metrics.json").read_text())
    assert set(found) >= {"training", "evaluation"}
    result = found["evaluation"]["facenet"]
    assert result["frozen"]["closed_set"]["rank1"] == 1
    assert result["tuned"]["space"] != result["frozen"]["space"]
    assert result["tuned"]["open_set"]["dir_at_fpir"] == {}  # 25 searches support no rate
    for name in ("det.png", "similarities.png", "label_errors.csv"):
        assert (run / name).stat().st_size > 0
    assert len((tables / "report.csv").read_text().splitlines()) == 26


def test_a_run_loads_as_weights_of_the_app(run: Path, models_dir: Path) -> None:
    from reid.space import EmbeddingSpace

    tuned = EmbeddingSpace.load("facenet", str(run), models_dir, device="cpu")
    assert tuned.id != EmbeddingSpace.load("facenet", "ms1m", models_dir, device="cpu").id


def test_a_run_of_another_version_is_refused(run: Path, tmp_path: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"format_version": 0}))
    with pytest.raises(WeightsError, match="another version"):
        read_run(tmp_path)
    (tmp_path / "metrics.json").write_text('{"version": 0}')
    with pytest.raises(TrainingError, match="another version"):
        read_metrics(tmp_path)


def test_a_save_path_is_a_folder_whatever_it_ends_in() -> None:
    assert run_folder(Path("models/best_model.pth"))[0] == Path("models/best_model")
    assert "safetensors" in run_folder(Path("models/best_model.pth"))[1]
    assert run_folder(Path("models/run.1")) == (Path("models/run.1"), "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "--train-csv", "no.csv", "--root-dir", "."], "no file no.csv"),
        (["train", "--train-csv", "one.csv", "--root-dir", ".", "--save-path", "r"], "at least two people"),
        (["train", "--train-csv", "no.csv", "--root-dir", ".", "--epochs", "0"], "above 0"),
        (["evaluate", "--gallery-csv", "no.csv", "--eval-csv", "no.csv", "--root-dir", "."], "no file no.csv"),
        (["evaluate", "--run", "gone", "--gallery-csv", "a", "--eval-csv", "a", "--root-dir", "."], "no weights"),
        (["publish", "--run", "gone", "--repo-id", "name"], "owner/name"),
        (["publish", "--run", "gone", "--repo-id", "owner/name", "--force"], "no weights"),
    ],
)
def test_unusable_input_ends_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    sentence: str,
    models_dir: Path,
    demo_dir: Path,
) -> None:
    photo = sorted((demo_dir / "train").rglob("*.jpg"))[0]
    (tmp_path / "a.jpg").write_bytes(photo.read_bytes())
    (tmp_path / "one.csv").write_text("image_path,gt\na.jpg,anna\n")
    monkeypatch.setenv("BYTEFACE_MODELS", str(models_dir))
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in error
