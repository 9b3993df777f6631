"""From photographs to what the Probe tab shows of each face. Asks the recognizer, draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Literal

from reid.assign import Assigned, assign
from reid.audit.rows import utc_now
from reid.audit.writing import Pen, Use, within
from reid.feedback import without_rejected
from reid.recognizer import Recognizer
from reid.types import Candidate, Photograph, Rejection, Template
from reid.ui.session import Shot, shot_of
from reid.verdicts import Remark, not_searched

Kind = Literal["candidate", "stranger", "unsearched"]

_AT_LEAST = 10
"""Candidates that are looked at for each face, so that assignment has a second choice even where one is shown."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceView:
    """One face of a photograph and what was decided about it.

    Attributes:
        index: its place in the photograph; people count from 1.
        assigned: None where the face was not searched.
        reason: why not.
        rejected: candidates that were left out because somebody said so, with what was said.
        rivals: index of each other face that lost somebody to this one, with whom and how alike.
    """

    index: int
    shot: Shot
    template: Template
    assigned: Assigned | None
    reason: Remark | None
    threshold: float
    shown: int
    rejected: tuple[tuple[Candidate, Rejection], ...] = ()
    rivals: tuple[tuple[int, Candidate], ...] = ()

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def kind(self) -> Kind:
        if self.assigned is None:
            return "unsearched"
        return "candidate" if self.assigned.given else "stranger"

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """As many as were asked for, the nearest first."""
        return self.assigned.result.candidates[: self.shown] if self.assigned else ()

    @property
    def below(self) -> tuple[Candidate, ...]:
        """Those of them that do not reach the threshold."""
        return tuple(c for c in self.candidates if c.similarity < self.threshold)

    @property
    def potentials(self) -> tuple[Candidate, ...]:
        return self.assigned.potentials[: self.shown] if self.assigned else ()


def look(recognizer: Recognizer, photograph: Photograph) -> Shot:
    """Finds and describes every face of a photograph: the slow part, done once."""
    started = utc_now()
    shot = shot_of(photograph, recognizer.describe(photograph, recognizer.detect(photograph)))
    shot.started_at = started
    return shot


def decide(recognizer: Recognizer, shot: Shot, threshold: float, k: int) -> list[FaceView]:
    """Decides about every face of a photograph again, without a network. What was not asked before is on record.

    Args:
        threshold: cosine in [-1, 1].
        k: candidates a face.
    """
    pen = recognizer.gallery.pen
    asked = (pen.name, recognizer.gallery.revision(), threshold, k, len(shot.templates))
    with _on_record(pen, shot, asked) as use:
        views = _decided(recognizer, shot, threshold, k)
        searched = [view for view in views if view.assigned]
        given = [(view.assigned.given if view.assigned else None, view.candidates) for view in searched]
        pen.note(use, given, threshold, not_searched=len(views) - len(searched))
    shot.searched.add(asked)
    return views


def _on_record(pen: Pen, shot: Shot, asked: tuple[object, ...]) -> AbstractContextManager[Use]:
    if asked in shot.searched:
        return within()
    started = "" if shot.searched else shot.started_at
    return pen.use("search", inputs=[shot.sha256], started_at=started)


def _decided(recognizer: Recognizer, shot: Shot, threshold: float, k: int) -> list[FaceView]:
    reasons = [not_searched(template) for template in shot.templates]
    searched = [template for template, reason in zip(shot.templates, reasons, strict=True) if reason is None]
    results = recognizer.decide(searched, k=max(k, _AT_LEAST), threshold=threshold)
    names = {candidate.identity.id for result in results for candidate in result.candidates}
    said = recognizer.gallery.rejections(sorted(names))
    heard = [without_rejected(result, said) for result in results]
    answers = iter(assign([result for result, _ in heard]))
    left_out = iter([rejected for _, rejected in heard])
    positions = [index for index, reason in enumerate(reasons) if reason is None]
    views = []
    for index, (template, reason) in enumerate(zip(shot.templates, reasons, strict=True)):
        found = _numbered(next(answers), positions) if reason is None else None
        rejected = next(left_out) if reason is None else ()
        views.append(FaceView(index, shot, template, found, reason, threshold, k, rejected))
    return [replace(view, rivals=_rivals(view, views)) for view in views]


def _rivals(view: FaceView, views: Sequence[FaceView]) -> tuple[tuple[int, Candidate], ...]:
    return tuple(
        (other.index, candidate)
        for other in views
        if other.assigned
        for candidate, owner in other.assigned.elsewhere
        if owner == view.index
    )


def _numbered(assigned: Assigned, positions: Sequence[int]) -> Assigned:
    """Faces that were not searched took no part: puts the indices of the others back in place."""
    return Assigned(
        assigned.result,
        assigned.given,
        tuple((candidate, positions[face]) for candidate, face in assigned.elsewhere),
    )
