"""For the tests of importing: a recognizer, a folder of people, and what becomes of an import."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from fakes import fake_recognizer, save

from reid.intake import Import, open_source
from reid.recognizer import Recognizer

PEOPLE = {"Ann": 0, "Bob": 1, "Cem": 2}


def opened_recognizer(tmp_path: Path) -> Iterator[Recognizer]:
    made = fake_recognizer(tmp_path)
    yield made
    made.close()


def people_folder(tmp_path: Path) -> Path:
    """Two photographs of each of three people, a person a folder."""
    root = tmp_path / "volunteers"
    for name, person in PEOPLE.items():
        (root / name).mkdir(parents=True)
        for number in range(2):
            save(root / name / f"{number}.jpg", [person], patch_px=100 + 3 * number)
    return root


def packed(folder: Path, file: Path, *, below: str = "") -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, f"{below}{path.relative_to(folder)}")
    return file


def imported(recognizer: Recognizer, path: Path, **how: object) -> Import:
    root = how.pop("root", None)
    with open_source(path, root=root) as source:  # type: ignore[arg-type]
        done = Import(recognizer, source, **how)  # type: ignore[arg-type]
        assert list(done.run())[-1:] in ([len(source.items)], [])
    return done


def statuses(done: Import) -> dict[str, str]:
    return {line.path: line.status for line in done.lines}


def as_zip(folder: Path) -> Path:
    return packed(folder, folder.with_suffix(".zip"))
