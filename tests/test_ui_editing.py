"""What the Gallery tab changes comes back whole with Undo: photographs, record, and what was said of the person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fakes import fake_recognizer, photograph
from gallery_records import unit

from reid.gallery.base import Gallery
from reid.types import Identity, Rejection
from reid.ui.editing import change
from reid.ui.undo import Undos


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    """What `change` needs of a page, with four people enrolled."""
    recognizer = fake_recognizer(tmp_path)
    for person, name in enumerate(("Ann", "Anna", "Bert", "Cleo")):
        recognizer.enrol(name, [recognizer.sample(photograph([person], f"{person}-{n}.png")) for n in range(1)])
    undos = Undos()
    offered: list[str] = []
    undos.offer, offer = lambda action: offered.append(offer(action)) or offered[-1], undos.offer  # type: ignore[method-assign]
    yield SimpleNamespace(recognizer=recognizer, undos=undos, offered=offered)
    recognizer.close()


def _person(gallery: Gallery, name: str) -> Identity:
    found = gallery.find(name)
    assert found
    return found


def _state(gallery: Gallery) -> Mapping[str, Any]:
    """Everything that a change may touch, by name."""
    everybody = gallery.identities()
    return {
        "people": [(one.id, one.name, dict(one.metadata), one.cover_photo_id) for one in everybody],
        "photographs": {one.name: sorted(photo.id for photo in gallery.photos(one.id)) for one in everybody},
        "rejections": sorted((one.id, one.identity_id) for one in gallery.rejections([one.id for one in everybody])),
        "apart": gallery.apart(),
    }


def _said_of(gallery: Gallery, name: str, *others: str) -> None:
    """A rejection, and that they are somebody else than others."""
    person = _person(gallery, name)
    gallery.edit(person.id, metadata={"notes": f"about {name}"})
    gallery.reject(Rejection(f"no-{name}", person.id, "crowd.png", "2026-01-01", unit(1, 6)))
    for other in others:
        gallery.set_apart(person.id, _person(gallery, other).id)


def _undo(page: Any) -> None:
    page.undos.take(page.offered[-1])()


def test_undoing_a_merge_brings_back_what_was_said_of_both(page: Any) -> None:
    gallery = page.recognizer.gallery
    _said_of(gallery, "Anna", "Bert")
    _said_of(gallery, "Ann", "Cleo")
    before = _state(gallery)
    change(page, {"act": "merge", "id": _person(gallery, "Anna").id, "value": "Ann"})
    assert gallery.find("Anna") is None
    assert len(gallery.apart()) == 2, "what was said of Anna is said of Ann now"
    _undo(page)
    assert _state(gallery) == before


@pytest.mark.parametrize("act", ["delete", "move"])
def test_undoing_what_took_the_last_photograph_brings_the_person_back_whole(page: Any, act: str) -> None:
    gallery = page.recognizer.gallery
    _said_of(gallery, "Anna", "Bert", "Cleo")
    before = _state(gallery)
    anna = _person(gallery, "Anna")
    ids = ",".join(photo.id for photo in gallery.photos(anna.id))
    change(page, {"act": act, "id": anna.id, "ids": ids, "value": "Ann"})
    assert gallery.find("Anna") is None
    _undo(page)
    assert _state(gallery) == before


def test_undo_says_nothing_of_people_who_are_gone_meanwhile(page: Any) -> None:
    gallery = page.recognizer.gallery
    _said_of(gallery, "Anna", "Bert", "Cleo")
    anna = _person(gallery, "Anna")
    change(page, {"act": "merge", "id": anna.id, "value": "Ann"})
    gallery.remove(_person(gallery, "Bert").id)
    _undo(page)
    assert gallery.apart() == {tuple(sorted((anna.id, _person(gallery, "Cleo").id)))}
