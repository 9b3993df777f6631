"""What stands on the two sides of the Verify tab and what comes of comparing them. Asks the core, draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reid.audit.writing import within
from reid.errors import IdentityNotFoundError
from reid.faces import meant_face
from reid.images import read_photograph
from reid.recognizer import Recognizer
from reid.types import Identity, Photograph, Template
from reid.ui.session import Session, Shot
from reid.verdicts import Remark, described
from reid.verification import (
    DECISION_WORDS,
    PersonVerification,
    Verification,
    compared_facts,
    verify_faces,
    verify_person,
)

Side = Literal["first", "second"]
SIDES: tuple[Side, Side] = ("first", "second")
FOUND = 6
"""People that a typed name offers."""


@dataclass(frozen=True, slots=True, eq=False)
class Sides:
    """What is on the page.

    Attributes:
        first: the photograph on the left, None while there is none.
        second: the photograph on the right; None while there is none, or a person is meant.
        person: the person on the right; None while nobody is chosen, or a photograph is meant.
        offered: people whose name holds what was typed.
        found: what comparing them gave; None while a side is missing or shows no face.
    """

    first: Shot | None
    second: Shot | None
    person: Identity | None
    offered: tuple[Identity, ...]
    found: Verification | PersonVerification | None


def put(session: Session, side: Side, shot: Shot) -> None:
    """Stands a photograph on a side, its largest face chosen; what stood there is forgotten."""
    clear(session, side)
    shot.chosen = 0 if shot.templates else None
    session.shots[shot.id] = shot
    setattr(session.pair, side, shot.id)
    if side == "second":
        session.pair.against_person = False


def clear(session: Session, side: Side) -> None:
    """Takes a photograph away."""
    session.shots.pop(getattr(session.pair, side), None)
    setattr(session.pair, side, "")


def side_for(asked: Side, taken: int) -> Side:
    """Where the next of several photographs goes that were added together: the other side after the first."""
    return asked if not taken else SIDES[1 - SIDES.index(asked)]


def sides_of(recognizer: Recognizer, session: Session) -> Sides:
    """Everything that the tab shows."""
    pair, gallery = session.pair, recognizer.gallery
    first, second = session.shots.get(pair.first), session.shots.get(pair.second)
    if not pair.against_person:
        ready = (face_of(first), face_of(second))
        limit = recognizer.threshold.value
        found = verify_faces(ready[0], ready[1], limit) if ready[0] and ready[1] else None
        if found and first and second:
            _on_record(recognizer, session, (first, second), found)
        return Sides(first, second, None, (), found)
    try:
        person = gallery.identity(pair.person) if pair.person else None
    except IdentityNotFoundError:  # erased meanwhile: the side is empty again
        person = None
    template = face_of(first)
    against = None
    if template and person and first:
        with within():
            against = verify_person(gallery, template, person.id, recognizer.threshold.value)
        _on_record(recognizer, session, (first,), against)
    return Sides(first, None, person, _offered(recognizer, pair.query), against)


def _on_record(
    recognizer: Recognizer, session: Session, shots: Sequence[Shot], found: Verification | PersonVerification
) -> None:
    """Writes a comparison down once, however often it is drawn."""
    facts = compared_facts(found)
    people = [found.identity.id] if isinstance(found, PersonVerification) else []
    key = (*((shot.id, shot.chosen) for shot in shots), *people, *facts.values())
    if key in session.recorded:
        return
    inputs, faces = [shot.sha256 for shot in shots], [shot.chosen for shot in shots]
    started = min(shot.started_at for shot in shots) if not session.recorded else ""
    with recognizer.gallery.pen.use("verify", inputs=inputs, subjects=people, started_at=started, faces=faces) as use:
        use.details.update(facts)
        session.recorded.add(key)


def face_of(shot: Shot | None) -> Template | None:
    """The chosen face of a photograph."""
    return shot.templates[shot.chosen] if shot and shot.chosen is not None else None


def _offered(recognizer: Recognizer, query: str) -> tuple[Identity, ...]:
    words = query.casefold().split()
    if not words:
        return ()
    everybody: Sequence[Identity] = recognizer.gallery.identities()
    return tuple(one for one in everybody if all(word in one.name.casefold() for word in words))[:FOUND]


# --- the same for clients ---------------------------------------------------------------------------------------------


def verify_files(
    recognizer: Recognizer, paths: Sequence[str], faces: Sequence[int], purpose: str = ""
) -> dict[str, Any]:
    """Two uploaded photographs, compared and forgotten.

    Args:
        faces: which face of each, the largest being 1.
        purpose: what it is compared for.
    """
    try:
        photographs = [read_photograph(Path(path)) for path in paths]
    finally:
        for path in paths:
            Path(path).unlink(missing_ok=True)
    with recognizer.gallery.pen.use("verify", inputs=[one.sha256 for one in photographs], purpose=purpose) as use:
        looked = [_one(recognizer, one, face) for one, face in zip(photographs, faces, strict=True)]
        found = verify_faces(looked[0][0], looked[1][0], recognizer.threshold.value)
        use.details.update(compared_facts(found))
    return {
        "decision": DECISION_WORDS[found.decision],
        "similarity": found.similarity,
        "threshold": found.threshold,
        "potentially_one_person": found.decision == "candidate",
        "first": _facts(*looked[0], found.first_reason),
        "second": _facts(*looked[1], found.second_reason),
    }


def verify_file(recognizer: Recognizer, path: str, identity_id: str, face: int, purpose: str = "") -> dict[str, Any]:
    """An uploaded photograph against everything of an enrolled person; the photograph is forgotten."""
    try:
        photograph = read_photograph(Path(path))
    finally:
        Path(path).unlink(missing_ok=True)
    gallery = recognizer.gallery
    with gallery.pen.use("verify", inputs=[photograph.sha256], subjects=[identity_id], purpose=purpose) as use:
        looked = _one(recognizer, photograph, face)
        found = verify_person(gallery, looked[0], identity_id, recognizer.threshold.value)
        use.details.update(compared_facts(found))
    return {
        "decision": DECISION_WORDS[found.decision],
        "similarity": found.similarity,
        "threshold": found.threshold,
        "potentially_one_person": found.decision == "candidate",
        "first": _facts(*looked, found.reason),
        "person": {"id": found.identity.id, "name": found.identity.name, "photographs": found.identity.photo_count},
        "photos": [{"id": one.id, "source": one.source, "similarity": similarity} for one, similarity in found.photos],
    }


def _one(recognizer: Recognizer, photograph: Photograph, number: int) -> tuple[Template, str, int, int]:
    faces = recognizer.detect(photograph)
    face = meant_face(photograph, faces, int(number) - 1)
    return recognizer.describe(photograph, [face])[0], photograph.name, int(number), len(faces)


def _facts(template: Template, name: str, number: int, faces: int, reason: Remark | None) -> dict[str, Any]:
    return {
        "image": name,
        "face": number,
        "faces": faces,
        "box_px": list(template.face.box_px),
        "quality": template.quality.score,
        "quality_reasons": [remark.text for remark in described(template)],
        "reason": reason.text if reason else "",
    }
