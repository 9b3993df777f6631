"""The demonstration gallery: four celebrities enrolled, a fifth left as the stranger. Knows no page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reid.errors import FaceError, ImageDecodeError
from reid.images import read_photograph
from reid.recognizer import Recognizer, Sample
from reid.settings import Settings
from reid.weights import fetch_demo

_DONE = "demo"
_NAMES = {
    "ben_afflek": "Ben Affleck",
    "elton_john": "Elton John",
    "jerry_seinfeld": "Jerry Seinfeld",
    "madonna": "Madonna",
}
"""Folders of the demonstration photographs and the people on them; `mindy_kaling` stays the stranger."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What `ensure_demo` did: people and photographs enrolled just now (0 when it was done before), and where from."""

    people: int
    photos: int
    folder: Path


def ensure_demo(settings: Settings, recognizer: Recognizer, *, progress: bool = True) -> Demo:
    """Enrols the demonstration people once, in one transaction, into a gallery that has nobody and never had them.

    Whoever erases them does not get them back. The largest face of each photograph is meant.

    Raises:
        WeightsError: the photographs cannot be brought.
    """
    folder = fetch_demo(settings.data_dir, settings.models_dir, progress=progress)
    if recognizer.gallery.get_meta(_DONE) or recognizer.gallery.count():
        return Demo(0, 0, folder)
    people = {name: _samples(recognizer, folder / "train" / key) for key, name in _NAMES.items()}
    enrolled = recognizer.enrol_many(people)
    recognizer.gallery.set_meta(_DONE, "enrolled")
    return Demo(len(enrolled), sum(len(one.photo_ids) for one in enrolled), folder)


def _samples(recognizer: Recognizer, folder: Path) -> list[Sample]:
    samples = []
    for path in sorted(folder.iterdir()):
        try:
            samples.append(recognizer.sample(read_photograph(path), "largest"))
        except (ImageDecodeError, FaceError):  # one photograph less of a person of twenty
            continue
    return samples
