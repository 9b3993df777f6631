"""One person or two: two faces, a face and a person, and the command on real photographs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import fake_recognizer, photograph
from PIL import Image

from reid.cli import main
from reid.verification import verify_faces, verify_person

SPACE = ["--space", "sface"]


def _embedded(template, embedding):
    return replace(template, embedding=np.asarray(embedding, np.float32))


def test_two_faces_are_one_person_at_and_above_the_threshold(tmp_path: Path) -> None:
    recognizer = fake_recognizer(tmp_path)
    face = recognizer.sample(photograph([0])).template
    first, second = _embedded(face, [1, 0, 0, 0, 0, 0]), _embedded(face, [0.5, 0.75**0.5, 0, 0, 0, 0])
    found = verify_faces(first, second, 0.5)
    assert found.similarity == pytest.approx(0.5)
    assert found.decision == "candidate"
    assert verify_faces(first, second, 0.51).decision == "stranger"
    recognizer.close()


def test_a_face_too_poor_to_compare_is_not_decided_and_says_which(tmp_path: Path) -> None:
    recognizer = fake_recognizer(tmp_path)
    good = recognizer.sample(photograph([0])).template
    small = replace(good, face=replace(good.face, box_px=(0.0, 0.0, 8.0, 8.0)))
    found = verify_faces(good, small, 0.5)
    assert found.similarity is None
    assert found.decision == "unsearched"
    assert found.first_reason is None
    assert found.second_reason is not None
    assert found.second_reason.aspect == "size"
    recognizer.close()


def test_a_person_is_compared_as_a_search_would_and_photograph_by_photograph(tmp_path: Path) -> None:
    recognizer = fake_recognizer(tmp_path)
    samples = [recognizer.sample(photograph([0], f"{n}.png", doubts=[0.1 * n])) for n in range(4)]
    ann = recognizer.enrol("Ann", samples).identity
    recognizer.enrol("Bob", [recognizer.sample(photograph([1]))])
    probe = recognizer.sample(photograph([0], patch_px=120)).template
    found = verify_person(recognizer.gallery, probe, ann.id, 0.4)
    (searched,) = recognizer.decide([probe], k=1)
    assert found.similarity == pytest.approx(searched.candidates[0].similarity, abs=1e-5)
    own = [similarity for _, similarity in found.photos]
    assert own == sorted(own, reverse=True)
    expected = {sample.source: float(sample.template.embedding @ probe.embedding) for sample in samples}
    assert {photo.source: similarity for photo, similarity in found.photos} == pytest.approx(expected, abs=1e-5)
    recognizer.close()


def _photographs(demo_dir: Path, person: str) -> list[str]:
    return [str(file) for file in sorted((demo_dir / "val" / person).iterdir())]


def test_the_command_tells_one_person_from_two(demo_dir: Path, tmp_path: Path, capsys) -> None:
    elton, other = _photographs(demo_dir, "elton_john")[:2]
    madonna = _photographs(demo_dir, "madonna")[0]
    none = ["--gallery", str(tmp_path / "none.db"), *SPACE]
    assert main(["verify", elton, other, *none]) == 0
    same = json.loads(capsys.readouterr().out)
    assert main(["verify", elton, madonna, *none]) == 0
    two = json.loads(capsys.readouterr().out)
    assert (same["decision"], two["decision"]) == ("Potential candidate", "No candidate")
    assert same["similarity"] >= same["threshold"] > two["similarity"]
    assert same["first"]["photograph"] == Path(elton).name
    assert same["second"]["quality_reasons"][0].endswith("px wide")
    assert not (tmp_path / "none.db").exists(), "asking for a threshold makes no gallery"


def test_the_command_takes_the_face_that_was_meant_of_each_photograph(demo_dir: Path, tmp_path: Path, capsys) -> None:
    group = Image.new("RGB", (800, 480), "grey")
    for place, person in enumerate(("elton_john", "madonna")):
        one = (
            Image.open(_photographs(demo_dir, person)[0]).convert("RGB").resize((400 - 150 * place, 480 - 180 * place))
        )
        group.paste(one, (400 * place, 0))
    group.save(tmp_path / "group.png")
    madonna = _photographs(demo_dir, "madonna")[0]
    answers = {}
    for number in ("1", "2"):
        words = ["verify", str(tmp_path / "group.png"), madonna, "--face", number, "--face", "largest", *SPACE]
        assert main(words) == 0
        answers[number] = json.loads(capsys.readouterr().out)
    assert answers["1"]["decision"] == "No candidate"
    assert answers["2"]["decision"] == "Potential candidate"
    assert (answers["2"]["first"]["face"], answers["2"]["first"]["faces"]) == (2, 2)


def test_the_command_compares_with_everything_of_an_enrolled_person(demo_dir: Path, tmp_path: Path, capsys) -> None:
    gallery = ["--gallery", str(tmp_path / "people.db"), *SPACE]
    files = [str(file) for file in sorted((demo_dir / "train" / "elton_john").iterdir())[:3]]
    assert main(["enrol", "Elton", *files, *gallery, "--face", "largest"]) == 0
    capsys.readouterr()
    assert main(["verify", _photographs(demo_dir, "elton_john")[0], "--person", "Elton", *gallery]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["decision"] == "Potential candidate"
    assert {one["source"] for one in answer["photos"]} == {Path(file).name for file in files}
    assert main(["verify", files[0], "--person", "Bernie", *gallery]) == 1
    assert "Nobody called 'Bernie' is enrolled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.jpg", "{face}"], "none.jpg"),
        (["{face}", "{blank}"], "blank.png: no face found"),
        (["{face}", "{face}", "--face", "3"], "no face 3, only 1"),
        (["{face}"], "Name a second photograph"),
        (["{face}", "--person", "Ann", "--gallery", "{root}/none.db"], "There is no gallery"),
    ],
)
def test_an_unusable_input_is_one_line_and_exit_status_one(words, said, demo_dir: Path, tmp_path: Path, capsys) -> None:
    Image.new("RGB", (64, 64), "white").save(tmp_path / "blank.png")
    places = {"face": _photographs(demo_dir, "madonna")[0], "blank": tmp_path / "blank.png", "root": tmp_path}
    assert main(["verify", *(word.format(**places) for word in words), *SPACE]) == 1
    out = capsys.readouterr()
    assert said in out.err
    assert out.err.strip().count("\n") == 0
    assert not out.out


def test_a_face_that_is_no_number_and_no_choice_is_a_wrong_argument(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "a.jpg", "b.jpg", "--face", "smallest"])
    assert "'smallest' is no face" in capsys.readouterr().err
