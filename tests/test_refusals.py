"""What the core refuses is said in the reader's language, whole or not at all."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes import fake_recognizer, photograph
from hypothesis import given
from hypothesis import strategies as st
from pictures import huge_headers

from reid.errors import ReidError
from reid.gallery.names import valid_name
from reid.images import read_photograph
from reid.recognizer import Recognizer
from reid.threshold import threshold_at_fpir
from reid.ui import text
from reid.ui.refusals import CAUSES, REMARKS, SENTENCES, in_words


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    text.use_language("de")
    yield
    text.use_language("en")


def _refused(action: Callable[[], object]) -> str:
    with pytest.raises(ReidError) as caught:
        action()
    return str(caught.value)


def test_every_sentence_is_in_the_german_catalogue_with_the_same_values() -> None:
    german = text.catalogue("de")
    for sentence in (*SENTENCES, *CAUSES, *REMARKS):
        fields = {field for _, field, _, _ in string.Formatter().parse(sentence) if field}
        assert {field for _, field, _, _ in string.Formatter().parse(german[sentence]) if field} == fields, sentence


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "leer.jpg kann nicht gelesen werden. Die Datei ist leer. Kopieren Sie"),
        (b"no photograph at all", "leer.jpg kann nicht gelesen werden. Es ist kein Foto. Fügen Sie eine Datei"),
        (huge_headers(60_000)["PNG"], "leer.jpg kann nicht gelesen werden. Es überschreitet die Grenze von"),
        (huge_headers(60_000)["BMP"], "leer.jpg kann nicht gelesen werden. "),
        (b"\xff\xd8\xff\xe0", "leer.jpg kann nicht gelesen werden. Die Datei"),
    ],
    ids=["empty", "text", "huge png", "huge bmp", "cut off"],
)
def test_an_unreadable_photograph_is_refused_in_german(content: bytes, said: str) -> None:
    found = in_words(_refused(lambda: read_photograph(content, "leer.jpg")))
    assert found.startswith(said)
    assert " cannot " not in found


def test_faces_and_names_are_refused_in_german(tmp_path: Path) -> None:
    recognizer: Recognizer = fake_recognizer(tmp_path)
    ann = recognizer.enrol("Ann", [recognizer.sample(photograph([0]))]).identity
    recognizer.enrol("Bob", [recognizer.sample(photograph([1]))])
    refusals = {
        "kein Gesicht gefunden": lambda: recognizer.sample(photograph([], "Dr. No. 1.png")),
        "2 Gesichter gefunden": lambda: recognizer.sample(photograph([0, 1])),
        "schon erfasst": lambda: recognizer.gallery.rename(ann.id, "Bob"),
        "nicht mehr in der Galerie": lambda: recognizer.gallery.identity("gone"),
        "nur durch Großbuchstaben": lambda: recognizer.enrol("ANN", [recognizer.sample(photograph([0]))]),
        "darf nicht leer sein": lambda: valid_name("  "),
        "zu lang": lambda: valid_name("x" * 300),
        "eine Rate von 1 in 1.000": lambda: threshold_at_fpir(np.zeros(5, np.float32), 0.001),
    }
    for said, action in refusals.items():
        found = in_words(_refused(action))
        assert said in found
        assert not {" the ", " cannot ", " is "} & {f" {word} " for word in found.split()}, found
    recognizer.close()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "Too small: 20 px, needs 32, Blurred, Turned away 61°. It would find the person less often.",
            "Zu klein: 20 px, braucht 32, Unscharf, 61° abgewandt. Die Person würde damit seltener gefunden.",
        ),
        ("No face found. Try a larger or sharper original.", "Kein Gesicht gefunden. Versuchen Sie"),
        ("It is larger than 64 MB. Make it smaller and add it.", "Es ist größer als 64 MB. Verkleinern Sie"),
        ("x.zip holds 30,000 files, more than 20,000. Divide it into several.", "x.zip enthält 30.000 Dateien, mehr"),
        ("b.byteface is not restored: it is of another format. Nothing was", "b.byteface is not restored"),
        (
            "b.byteface is not restored: it is of another format. Nothing was changed; take another copy of it.",
            "b.byteface wird nicht wiederhergestellt: sie hat ein anderes Format. Nichts wurde geändert;",
        ),
    ],
)
def test_a_reason_with_numbers_is_said_in_german(reason: str, said: str) -> None:
    assert in_words(reason).startswith(said)


def test_a_message_that_is_not_known_stays_english_as_a_whole() -> None:
    message = "The file is empty. Something that nobody translated."
    assert in_words(message) == message
    assert in_words("") == ""


@given(st.text(min_size=1))
def test_whatever_a_file_is_called_its_name_comes_through(name: str) -> None:
    text.use_language("de")
    found = in_words(f"{name} cannot be read. The file is empty. Copy it again and add it.")
    assert found.startswith(name) or found == f"{name} cannot be read. The file is empty. Copy it again and add it."
