"""Who is learnt from and who is kept aside to choose by: identity-disjoint where nobody brought strangers.

Knows faces and labels; no network.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reid.errors import TableError
from reid.types import STRANGER
from trainer.data import FoundFace

HELD_OUT_PEOPLE = 0.15
HELD_OUT_PHOTOS = 1 / 6
_PEOPLE_TO_HOLD_OUT = 10  # with fewer nobody can be spared


@dataclass(frozen=True, slots=True)
class Split:
    """What training sees and what it is chosen by.

    Attributes:
        labels: the identities that the head learns; their position is their class number.
        train: photographs of them.
        unlabelled: photographs of anybody, for distillation only.
        mated: validation photographs of people in `labels`, not trained on.
        strangers: validation photographs of people that are not.
        origin: one sentence that says where the validation photographs came from.
        warnings: sentences for the user.
    """

    labels: tuple[str, ...]
    train: tuple[FoundFace, ...]
    unlabelled: tuple[FoundFace, ...]
    mated: tuple[FoundFace, ...]
    strangers: tuple[FoundFace, ...]
    origin: str
    warnings: tuple[str, ...]

    def class_of(self, face: FoundFace) -> int:
        return self.labels.index(face.label) if face.label in self.labels else -1


def split_of(
    train: Sequence[FoundFace],
    *,
    unlabelled: Sequence[FoundFace] = (),
    validation: Sequence[FoundFace] = (),
    strangers: Sequence[FoundFace] = (),
    seed: int = 0,
) -> Split:
    """Divides faces into those that are learnt and those that choose.

    With `validation` (labelled, strangers among them) that is it. With `strangers` alone every sixth photograph of a
    person with four or more is kept aside; with neither, 15 % of the people are strangers too.

    Raises:
        TableError: fewer than two people have a usable face.
    """
    warnings: list[str] = []
    train = [face for face in train if face.label is not None and face.label != STRANGER]
    train = _without_conflicts(train, warnings)
    if len({face.label for face in train}) < 2:
        raise TableError(
            f"{len({face.label for face in train})} person with a usable face is nobody to tell apart from. "
            "Bring photographs of at least two people."
        )
    rng = np.random.default_rng(seed)
    known = {face.sha256 for face in train}
    mated: list[FoundFace] = []
    alien = [_as_stranger(face) for face in _unseen(strangers, known, "strangers", warnings)]
    if validation:
        kept = _unseen(validation, known, "validation", warnings)
        people = {face.label for face in train}
        mated = [face for face in kept if face.label in people]
        alien += [_as_stranger(face) for face in kept if face.label not in people]
        origin = f"the validation CSV: {len(mated)} photographs of known people, {len(alien)} of strangers"
    else:
        if not alien:
            train, alien = _hold_out_people(train, rng, warnings)
        train, mated = _hold_out_photos(train, rng)
        brought = "of the strangers CSV" if strangers else "of people held out of the training CSV"
        origin = f"{len(mated)} photographs held out of the training CSV and {len(alien)} {brought}"
    labels = tuple(sorted({str(face.label) for face in train}, key=_natural))
    single = sum(count == 1 for count in Counter(face.label for face in train).values())
    if single:
        warnings.append(
            f"{single} people have one photograph each: they are learnt, but nothing can be checked on them."
        )
    extra = _unseen(unlabelled, known | {face.sha256 for face in (*mated, *alien)}, "unlabelled", warnings)
    return Split(labels, tuple(train), tuple(extra), tuple(mated), tuple(alien), origin, tuple(warnings))


def _as_stranger(face: FoundFace) -> FoundFace:
    return face if face.label == STRANGER else _relabelled(face, STRANGER)


def _relabelled(face: FoundFace, label: str | None) -> FoundFace:
    from dataclasses import replace

    return replace(face, label=label)


def _without_conflicts(faces: Sequence[FoundFace], warnings: list[str]) -> list[FoundFace]:
    """The same photograph counts once; under two names it counts for nobody."""
    names: dict[str, set[str | None]] = {}
    for face in faces:
        names.setdefault(face.sha256, set()).add(face.label)
    conflicts = {sha256 for sha256, labels in names.items() if len(labels) > 1}
    kept = {face.sha256: face for face in faces if face.sha256 not in conflicts}
    if conflicts:
        warnings.append(
            f"{len(conflicts)} photographs stand under two people's names and were left out. Correct the CSV."
        )
    if len(names) < len(faces) - len(conflicts):
        warnings.append(f"{len(faces) - len(names)} photographs of the training CSV are there more than once.")
    return list(kept.values())


def _unseen(faces: Sequence[FoundFace], known: set[str], what: str, warnings: list[str]) -> list[FoundFace]:
    kept = [face for face in faces if face.sha256 not in known]
    if len(kept) < len(faces):
        warnings.append(
            f"{len(faces) - len(kept)} {what} photographs are in another split too, by content, and were left out."
        )
    return kept


def _hold_out_people(
    train: list[FoundFace], rng: np.random.Generator, warnings: list[str]
) -> tuple[list[FoundFace], list[FoundFace]]:
    people = sorted({str(face.label) for face in train}, key=_natural)
    if len(people) < _PEOPLE_TO_HOLD_OUT:
        warnings.append(
            f"{len(people)} people are too few to hold any out, so nothing shows how strangers fare. "
            "Bring photographs of others with --strangers-csv."
        )
        return train, []
    count = max(2, round(HELD_OUT_PEOPLE * len(people)))
    chosen = {people[i] for i in rng.permutation(len(people))[:count]}
    strangers = [_as_stranger(face) for face in train if face.label in chosen]
    return [face for face in train if face.label not in chosen], strangers


def _hold_out_photos(train: list[FoundFace], rng: np.random.Generator) -> tuple[list[FoundFace], list[FoundFace]]:
    own: dict[str, list[FoundFace]] = {}
    for face in train:
        own.setdefault(str(face.label), []).append(face)
    held: set[str] = set()
    for label in sorted(own, key=_natural):
        faces = own[label]
        if len(faces) >= 4:
            count = max(1, math.floor(HELD_OUT_PHOTOS * len(faces)))
            held |= {faces[i].sha256 for i in rng.permutation(len(faces))[:count]}
    return [face for face in train if face.sha256 not in held], [face for face in train if face.sha256 in held]


def _natural(label: str) -> tuple[str, int, str]:
    """`person_2` before `person_10`."""
    head = label.rstrip("0123456789")
    return head, int(label[len(head) :] or -1), label
