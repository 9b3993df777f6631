"""The demonstration gallery: four celebrities enrolled, a fifth left as the stranger. Knows no page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from reid.recognizer import Recognizer, Sample
from reid.settings import Settings
from reid.weights import fetch_demo

_DONE = "demo"
DEMO_PEOPLE = {
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
    enrolled = recognizer.enrol_many(_samples(recognizer, folder / "train", progress=progress))
    recognizer.gallery.set_meta(_DONE, "enrolled")
    return Demo(len(enrolled), sum(len(one.photo_ids) for one in enrolled), folder)


def _samples(recognizer: Recognizer, folder: Path, *, progress: bool) -> dict[str, list[Sample]]:
    """Every person's photographs with a face; one that shows none is one less of some twenty."""
    files = [(path, name) for key, name in DEMO_PEOPLE.items() for path in sorted((folder / key).iterdir())]
    described = recognizer.describer.describe_files(((path, path.name) for path, _ in files), "largest")
    shown = tqdm(described, total=len(files), unit="photo", desc="enrolling", disable=not progress)
    people: dict[str, list[Sample]] = {}
    for (_, name), one in zip(files, shown, strict=True):
        if one.templates:
            people.setdefault(name, []).append(Sample(one.name, one.sha256, one.templates[0]))
    return people
