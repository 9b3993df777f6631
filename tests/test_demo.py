"""The demonstration gallery is enrolled once and never forced on anybody."""

from pathlib import Path

import pytest
from fakes import fake_recognizer, save

from reid import demo
from reid.settings import Settings


@pytest.fixture
def recognizer(tmp_path, monkeypatch):
    for person, (folder, _) in enumerate(demo.DEMO_PEOPLE.items()):
        (tmp_path / "demo" / "train" / folder).mkdir(parents=True)
        for number in range(3):
            save(tmp_path / "demo" / "train" / folder / f"{number}.png", [person] if number else [])
    monkeypatch.setattr(demo, "fetch_demo", lambda *_, **__: tmp_path / "demo")
    opened = fake_recognizer(tmp_path)
    yield opened
    opened.close()


SETTINGS = Settings(Path("models"), Path("data"), "data/gallery.db")


def test_four_people_are_enrolled_from_the_photographs_that_show_a_face(recognizer):
    done = demo.ensure_demo(SETTINGS, recognizer, progress=False)
    assert (done.people, done.photos) == (4, 8)
    assert [identity.name for identity in recognizer.gallery.identities()] == sorted(demo.DEMO_PEOPLE.values())


def test_a_second_start_repeats_none_of_it(recognizer):
    demo.ensure_demo(SETTINGS, recognizer, progress=False)
    calls = recognizer.describer.detector.calls
    assert demo.ensure_demo(SETTINGS, recognizer, progress=False).people == 0
    assert recognizer.describer.detector.calls == calls


def test_whoever_erases_the_demonstration_people_does_not_get_them_back(recognizer):
    demo.ensure_demo(SETTINGS, recognizer, progress=False)
    for identity in recognizer.gallery.identities():
        recognizer.gallery.remove(identity.id)
    assert demo.ensure_demo(SETTINGS, recognizer, progress=False).people == 0
    assert recognizer.gallery.count() == 0
