"""Photographs on their way into the gallery: which face of each, good enough or not, alike or not. Draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reid.audit.writing import within
from reid.recognizer import Recognizer, Sample
from reid.types import Candidate, Template
from reid.ui.session import Session, Shot
from reid.verdicts import Verdict, enrolment_verdict

_ALIKE = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class DraftRow:
    """One photograph of a draft.

    Attributes:
        state: `ready` has its face, `choose` waits for an answer, `empty` shows nobody.
        verdict: of the chosen face.
        used: whether it will be enrolled.
        odd: similarity to the nearest other photograph where that is too low for the same person, otherwise None.
        suggested: the face that is proposed where somebody must choose.
        suggested_by_others: whether the other photographs proposed it.
    """

    shot: Shot
    state: Literal["ready", "choose", "empty"]
    verdict: Verdict | None
    used: bool
    odd: float | None
    suggested: int
    suggested_by_others: bool


def rows_of(session: Session, alike: float) -> list[DraftRow]:
    """All photographs of a draft with what is known about each.

    Args:
        alike: cosine below which two photographs are taken for two people: the gallery's threshold, at most
            `_ALIKE` because two photographs differ more than a photograph and a template.
    """
    alike = min(alike, _ALIKE)
    shots = list(session.shots.values())
    chosen = {shot.id: shot.templates[shot.chosen] for shot in shots if shot.chosen is not None}
    return [_row(shot, [template for key, template in chosen.items() if key != shot.id], alike) for shot in shots]


def _row(shot: Shot, others: Sequence[Template], alike: float) -> DraftRow:
    if not shot.templates:
        return DraftRow(shot, "empty", None, False, None, 0, False)
    if shot.chosen is None:
        suggested = nearest_face(shot, others)
        return DraftRow(shot, "choose", None, False, None, suggested or 0, suggested is not None)
    template = shot.templates[shot.chosen]
    verdict = enrolment_verdict(template)
    odd = None
    if len(others) >= 2:
        similarity = max(float(template.embedding @ other.embedding) for other in others)
        odd = similarity if similarity < alike else None
    used = shot.used if shot.used is not None else verdict.level != "poor" and odd is None
    return DraftRow(shot, "ready", verdict, used, odd, shot.chosen, False)


def nearest_face(shot: Shot, others: Sequence[Template]) -> int | None:
    """The face of a group photograph that is most like the other photographs; None where there are none."""
    if not others:
        return None
    return int(np.argmax([_to_mean(template, others) for template in shot.templates]))


def _to_mean(template: Template, others: Sequence[Template]) -> float:
    mean = np.mean([other.embedding for other in others], axis=0)
    return float(template.embedding @ (mean / max(float(np.linalg.norm(mean)), 1e-9)))


def duplicate_of(recognizer: Recognizer, session: Session, rows: Sequence[DraftRow], name: str) -> Candidate | None:
    """Somebody enrolled whom the new photographs resemble at or above the threshold, unless that was answered.

    Whoever types the name of the person that is found has answered too.
    """
    used = [row.shot.templates[row.shot.chosen] for row in rows if row.used and row.shot.chosen is not None]
    if not used:
        return None
    mean = np.mean([template.embedding for template in used], axis=0)
    probe = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
    with within():
        (found,) = recognizer.gallery.search(probe[None], 1)
    if not found or found[0].similarity < recognizer.threshold.value:
        return None
    inputs = [row.shot.sha256 for row in rows if row.used]
    compared = (*inputs, found[0].identity.id)
    if compared not in session.recorded:  # it tells whom the photographs resemble, as a search does
        pen = recognizer.gallery.pen
        details = {"inputs": inputs, "found": pen.candidates(found)}
        pen.log.append(pen.entry("compare", subjects=[found[0].identity.id], details=details))
        session.recorded.add(compared)
    identity = found[0].identity
    return None if identity.id in session.different_from or identity.name == name.strip() else found[0]


def add_shot(session: Session, shot: Shot) -> None:
    """Puts a photograph into the draft; the face of a photograph of one person needs no question."""
    shot.chosen = 0 if len(shot.templates) == 1 else None
    session.add(shot)


def samples_of(rows: Sequence[DraftRow]) -> list[Sample]:
    """What is enrolled: the chosen face of each photograph that is used."""
    return [
        Sample(row.shot.name, row.shot.sha256, row.shot.templates[row.shot.chosen])
        for row in rows
        if row.used and row.shot.chosen is not None
    ]
