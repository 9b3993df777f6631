"""The command line on real photographs with real weights, as a user of the reference would call it."""

import ast
import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reid.cli import main
from reid.tables import REPORT_COLUMNS
from reid.types import STRANGER

PEOPLE = ("ben_afflek", "elton_john", "jerry_seinfeld", "madonna")
STRANGER_FOLDER = "mindy_kaling"


def write_table(path: Path, rows: list[tuple[str, ...]], header: tuple[str, ...] = ("image_path", "gt")) -> Path:
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([header, *rows])
    return path


@pytest.fixture(scope="session")
def trained(demo_dir: Path, tmp_path_factory) -> Path:
    """A .npy gallery of four people, the way the reference builds it."""
    folder = tmp_path_factory.mktemp("workflow")
    rows = [
        (f"train/{person}/{file.name}", person)
        for person in PEOPLE
        for file in sorted((demo_dir / "train" / person).iterdir())
    ]
    table = write_table(folder / "train.csv", rows)
    assert main(["build-gallery", "--train-csv", str(table), "--root-dir", str(demo_dir),
                 "--out", str(folder / "gallery.npy")]) == 0  # fmt: skip
    return folder / "gallery.npy"


def probes_of(demo_dir: Path) -> list[tuple[str, str]]:
    return [
        (f"val/{person}/{file.name}", person if person in PEOPLE else STRANGER)
        for person in (*PEOPLE, STRANGER_FOLDER)
        for file in sorted((demo_dir / "val" / person).iterdir())
    ]


def test_the_gallery_is_a_pickle_free_array_that_names_its_space(trained):
    array = np.load(trained, allow_pickle=False)
    assert list(array["label"]) == list(PEOPLE)
    assert list(array["photos"]) == [14, 17, 21, 19]
    assert np.linalg.norm(array["embedding"], axis=1) == pytest.approx(1, abs=1e-5)
    assert {str(space).split(":")[0] for space in array["space"]} == {"facenet+sface@0.2"}


def test_predict_names_the_enrolled_and_refuses_the_stranger(trained, demo_dir, tmp_path, capsys):
    probes = probes_of(demo_dir)
    table = write_table(tmp_path / "eval.csv", probes)
    assert main(["predict", "--eval-csv", str(table), "--root-dir", str(demo_dir), "--gallery", str(trained),
                 "--out", str(tmp_path / "submission.csv"), "--report", str(tmp_path / "report.csv")]) == 0  # fmt: skip
    submission = pd.read_csv(tmp_path / "submission.csv")
    assert list(submission.columns) == ["ID", "frame", "objects", "objective"]
    assert list(submission["ID"]) == list(range(len(probes)))
    assert set(submission["frame"]) == {-1}
    assert set(submission["objective"]) == {"face_reid"}
    answers = [ast.literal_eval(text) for text in submission["objects"]]
    assert [answer["image"] for answer in answers] == [f"test_set/{path}" for path, _ in probes]
    wrong = [path for (path, label), answer in zip(probes, answers, strict=True) if answer["gt"] != label]
    assert not wrong
    report = pd.read_csv(tmp_path / "report.csv", keep_default_na=False)
    assert tuple(report.columns) == REPORT_COLUMNS
    assert (report["best_label"] != report["second_label"]).all()
    assert len(json.loads(report["box"][0])) == 4
    assert "rank-1" in capsys.readouterr().out


def test_a_batch_goes_on_over_photographs_that_cannot_be_used(trained, demo_dir, tmp_path, capsys):
    root = tmp_path / "root"
    root.mkdir()
    good = next(iter(sorted((demo_dir / "val" / "madonna").iterdir())))
    shutil.copy(good, root / "good.jpg")
    (root / "cut.jpg").write_bytes(good.read_bytes()[:900])
    (root / "text.jpg").write_text("not a picture")
    (root / "empty.png").write_bytes(b"")
    Image.new("RGB", (64, 64), "white").save(root / "blank.png")
    names = ["good.jpg", "cut.jpg", "text.jpg", "empty.png", "blank.png", "missing.jpg", "../eval.csv"]
    table = write_table(tmp_path / "eval.csv", [(name,) for name in names], ("IMAGE_PATH",))
    assert main(["predict", "--eval-csv", str(table), "--root-dir", str(root), "--gallery", str(trained),
                 "--out", str(tmp_path / "s.csv"), "--report", str(tmp_path / "r.csv")]) == 0  # fmt: skip
    report = pd.read_csv(tmp_path / "r.csv", keep_default_na=False)
    assert list(report["image_path"]) == names
    assert list(report["status"]) == ["ok", *["unreadable"] * 3, "no_face", *["unreadable"] * 2]
    assert list(report["predicted"][1:]) == [STRANGER] * 6
    assert all(report["reason"][1:])
    assert (report["similarity"][1:] == "").all()
    out = capsys.readouterr()
    assert "7 photographs: 1 ok, 5 unreadable, 1 no_face" in out.out
    assert "missing.jpg" in out.err


def test_the_best_matching_face_of_a_group_can_be_meant(trained, demo_dir, tmp_path):
    known = Image.open(next(iter(sorted((demo_dir / "val" / "madonna").iterdir())))).convert("RGB").resize((200, 240))
    stranger = Image.open(next(iter(sorted((demo_dir / "val" / STRANGER_FOLDER).iterdir())))).convert("RGB")
    group = Image.new("RGB", (800, 480), "grey")
    group.paste(known, (0, 0))
    group.paste(stranger.resize((400, 480)), (400, 0))
    group.save(tmp_path / "group.jpg", quality=95)
    table = write_table(tmp_path / "eval.csv", [("group.jpg",)], ("image_path",))
    named = {}
    for choice in ("largest", "best"):
        report = tmp_path / f"{choice}.csv"
        assert main(["predict", "--eval-csv", str(table), "--root-dir", str(tmp_path), "--gallery", str(trained),
                     "--face", choice, "--out", str(tmp_path / "s.csv"), "--report", str(report)]) == 0  # fmt: skip
        named[choice] = pd.read_csv(report)["predicted"][0]
    assert named == {"largest": STRANGER, "best": "madonna"}


def test_labels_of_any_kind_come_back_as_they_were(demo_dir, tmp_path, capsys):
    files = sorted((demo_dir / "train" / "madonna").iterdir())
    labels = ['O\'Neil, "the first"', "Зоя 王", "Ann", "ann", "", "x" * 1000, STRANGER]
    rows = [(f"train/madonna/{file.name}", label) for file, label in zip(files, labels, strict=False)]
    table = write_table(tmp_path / "t.csv", rows)
    assert main(["build-gallery", "--train-csv", str(table), "--root-dir", str(demo_dir),
                 "--out", str(tmp_path / "g.npy"), "--space", "sface"]) == 0  # fmt: skip
    assert list(np.load(tmp_path / "g.npy", allow_pickle=False)["label"]) == labels[:4]
    out = capsys.readouterr()
    assert "4 ok" in out.out
    assert "3 refused" in out.out
    assert "differ only in capital letters" in out.err


def test_one_person_is_enrolled_and_found_with_the_evidence(demo_dir, tmp_path, capsys):
    gallery = str(tmp_path / "people.db")
    photographs = [str(file) for file in sorted((demo_dir / "train" / "elton_john").iterdir())[:3]]
    assert main(["enrol", "Elton", *photographs, "--gallery", gallery, "--space", "sface", "--face", "largest"]) == 0
    assert "Enrolled Elton" in capsys.readouterr().out
    probe = next(iter(sorted((demo_dir / "val" / "elton_john").iterdir())))
    assert main(["identify", str(probe), "--gallery", gallery, "--threshold", "0.36"]) == 0
    answer = json.loads(capsys.readouterr().out)
    face = answer["faces"][0]
    assert face["label"] == "Elton"
    assert face["candidates"][0]["photo_id"]
    assert answer["space"].startswith("sface:")
    assert main(["enrol", "Elton", *photographs, "--gallery", gallery, "--face", "largest"]) == 0
    assert "3 in all" in capsys.readouterr().out, "enrolling the same photographs again adds nothing"
    assert main(["enrol", "ELTON", *photographs, "--gallery", gallery, "--face", "largest"]) == 1
    assert "only in capital letters" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["identify", "none.jpg", "--gallery", "{gallery}"], "none.jpg"),
        (["identify", "{blank}", "--gallery", "{gallery}"], "no face found"),
        (["identify", "{blank}", "--gallery", "{gallery}", "--space", "resnet"], "no network called"),
        (["identify", "{blank}", "--gallery", "{gallery}", "--space", "sface"], "facenet+sface"),
        (["enrol", "  ", "{blank}", "--gallery", "{db}"], "name"),
        (["enrol", "Ann", "{blank}", "--gallery", "{db}"], "Nobody was enrolled"),
        (["predict", "--eval-csv", "none.csv", "--root-dir", "."], "There is no file"),
        (["predict", "--eval-csv", "{table}", "--root-dir", ".", "--gallery", "none.npy"], "none.npy"),
        (["build-gallery", "--train-csv", "{table}", "--root-dir", "."], "no column 'gt'"),
        (["calibrate", "--strangers-csv", "{table}", "--root-dir", "{root}", "--gallery", "{gallery}"], "No face"),
    ],
)
def test_an_unusable_input_is_one_line_and_exit_status_one(words, said, trained, tmp_path, capsys):
    Image.new("RGB", (64, 64), "white").save(tmp_path / "blank.png")
    table = write_table(tmp_path / "t.csv", [("blank.png",)], ("image_path",))
    places = {"gallery": trained, "blank": tmp_path / "blank.png", "db": tmp_path / "x.db", "table": table,
              "root": tmp_path}  # fmt: skip
    assert main([word.format(**places) for word in words]) == 1
    out = capsys.readouterr()
    assert said in out.err
    assert out.err.strip().split("\n")[-1].startswith(f"byteface {words[0]}: ")
    assert "Traceback" not in out.err
    assert not out.out


def test_calibration_is_kept_by_the_gallery_that_was_calibrated(demo_dir, tmp_path, capsys):
    gallery = str(tmp_path / "people.db")
    photograph = str(next(iter(sorted((demo_dir / "train" / "madonna").iterdir()))))
    assert main(["enrol", "Madonna", photograph, "--gallery", gallery, "--space", "sface", "--face", "largest"]) == 0
    strangers = [
        (f"train/{STRANGER_FOLDER}/{f.name}",) for f in sorted((demo_dir / "train" / STRANGER_FOLDER).iterdir())
    ]
    table = write_table(tmp_path / "strangers.csv", strangers, ("image_path",))
    words = ["calibrate", "--strangers-csv", str(table), "--root-dir", str(demo_dir), "--gallery", gallery]
    capsys.readouterr()
    assert main([*words, "--fpir", "0.001"]) == 1
    assert "at least 1,000" in capsys.readouterr().err
    assert main([*words, "--fpir", "0.1"]) == 0
    threshold = json.loads(capsys.readouterr().out)
    assert threshold["calibrated"]
    assert "too few for a share" in threshold["right_person"]["reason"]
    assert main([*words, "--fpir", "0.1", "--share", "1.5"]) == 1
    assert "share of 1.5 makes no sense" in capsys.readouterr().err
    assert main(["identify", photograph, "--gallery", gallery]) == 0
    assert json.loads(capsys.readouterr().out)["threshold"] == threshold["value"]
