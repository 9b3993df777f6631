"""Files -> templates: in order, in batches, and going on over what cannot be used."""

import numpy as np
import pytest
from fakes import FakeDetector, FakeNetwork, photograph, save

from reid import describe
from reid.describe import Describer
from reid.detect import together
from reid.space import EmbeddingSpace


@pytest.fixture
def describer() -> Describer:
    return Describer(FakeDetector(), EmbeddingSpace([FakeNetwork()], [1.0]))


def test_a_batch_answers_in_the_order_it_was_asked_and_like_a_single_call(describer, tmp_path):
    paths = [save(tmp_path / f"{n}.png", [n % 6]) for n in range(100)]
    found = list(describer.describe_files([(path, path.name) for path in paths], "largest"))
    assert [one.name for one in found] == [path.name for path in paths]
    assert [int(one.templates[0].embedding.argmax()) for one in found] == [n % 6 for n in range(100)]
    single = describer.describe(photograph([2]), describer.detect(photograph([2])))[0]
    assert found[2].templates[0].embedding == pytest.approx(single.embedding, abs=0.02)


def test_pictures_are_searched_several_at_once_but_not_more_than_the_memory_holds(describer, tmp_path, monkeypatch):
    asked = []
    inner = describer.detector.detect
    monkeypatch.setattr(describer.detector, "detect", lambda images: asked.append(len(images)) or inner(images))
    small = [save(tmp_path / f"{n}.png", [n % 6]) for n in range(60)]
    found = list(describer.describe_files([(path, path.name) for path in small], "largest"))
    assert max(asked) > 1
    assert sum(asked) == len(found) == 60
    monkeypatch.setattr(together, "_AT_ONCE_PX", 1)
    asked.clear()
    list(describer.describe_files([(path, path.name) for path in small], "largest"))
    assert set(asked) <= {0, 1}
    assert sum(asked) == 60


def test_many_faces_of_one_photograph_are_embedded_in_batches(describer, tmp_path, monkeypatch):
    monkeypatch.setattr(describe, "_BATCH", 2)
    group = save(tmp_path / "group.png", [3, 4, 5])
    (found,) = describer.describe_files([(group, "group")], "all")
    assert [int(one.embedding.argmax()) for one in found.templates] == [3, 4, 5]


def test_files_that_cannot_be_used_keep_their_place(describer, tmp_path):
    good = save(tmp_path / "good.png", [1])
    blank = save(tmp_path / "blank.png", [])
    (tmp_path / "broken.png").write_bytes(good.read_bytes()[:200])
    names = ["good.png", "broken.png", "blank.png", "missing.png", "good.png"]
    found = list(describer.describe_files([(tmp_path / name, name) for name in names], "largest"))
    assert [one.status for one in found] == ["ok", "unreadable", "no_face", "unreadable", "ok"]
    assert [bool(one.reason) for one in found] == [False, True, True, True, False]
    assert all(one.name in one.reason for one in found if one.reason)
    assert found[0].sha256 == found[4].sha256 != found[2].sha256
    assert blank.exists()


def test_all_faces_or_the_chosen_one_are_described(describer, tmp_path):
    group = save(tmp_path / "group.png", [3, 4, 5])
    everybody = next(describer.describe_files([(group, "group")], "all"))
    largest = next(describer.describe_files([(group, "group")], "largest"))
    central = next(describer.describe_files([(group, "group")], "central"))
    assert [int(one.embedding.argmax()) for one in everybody.templates] == [3, 4, 5]
    assert (everybody.faces, largest.faces, central.faces) == (3, 3, 3)
    assert int(largest.templates[0].embedding.argmax()) == 3
    assert int(central.templates[0].embedding.argmax()) == 4


def test_a_batch_that_is_left_early_stops_reading(describer, tmp_path):
    path = save(tmp_path / "one.png", [0])
    asked = []

    def endless():
        while True:
            asked.append(1)
            yield path, "one"

    stream = describer.describe_files(endless(), "largest")
    assert next(stream).status == "ok"
    stream.close()
    assert len(asked) < 200, "it reads ahead, within bounds"


def test_nothing_asked_is_nothing_answered(describer):
    assert list(describer.describe_files([], "largest")) == []
    assert describer.describe(photograph([]), []) == []


def test_a_template_can_be_embedded_again_from_its_chip(describer):
    picture = photograph([2, 5])
    for template in describer.describe(picture, describer.detect(picture)):
        crops = describer.space.crops(template.chip, template.chip_landmarks_px)
        again = describer.space.embed([crops])[0]
        assert float(again @ template.embedding) == pytest.approx(1, abs=1e-3)
        assert np.linalg.norm(template.embedding) == pytest.approx(1, abs=1e-5)
