"""Runs a protocol on one embedding space: open and closed set, pairs, groups, sizes, threshold transfer, label errors.

Knows faces, labels and a space; prints nothing and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid import metrics
from reid.errors import CalibrationError, TableError
from reid.metrics import OpenSetScore, Searches
from reid.space import EmbeddingSpace
from reid.threshold import calibrate, to_json
from reid.types import STRANGER, Embeddings, Threshold
from trainer.data import FoundFace
from trainer.embeddings import EmbeddingCache
from trainer.groups import Fairness, by_group
from trainer.labels import Suspicion, suspicious_labels
from trainer.templates import TemplateRule, templates_of
from trainer.verification import Verification, verify_pairs

TRANSFER_FPIR = 0.01
SIZES_PX = (0, 24, 40, 80)
"""Lower ends of the ranges of face width that scores are broken down by."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photographs and whether they show one person."""

    first: FoundFace
    second: FoundFace
    same: bool


@dataclass(frozen=True, slots=True)
class Protocol:
    """Who is enrolled and who searches.

    Attributes:
        gallery: labelled photographs with a face: the templates.
        probes: labelled photographs, those without a face included; a label that is not in the gallery is a stranger.
        groups: of each probe, empty where the CSV has none.
        strangers: photographs of further people, to choose a threshold by.
        pairs: for verification.
        left_out: pairs that touch a photograph of the gallery.
    """

    gallery: tuple[FoundFace, ...]
    probes: tuple[FoundFace, ...]
    groups: tuple[str, ...] = ()
    strangers: tuple[FoundFace, ...] = ()
    pairs: tuple[Pair, ...] = ()
    left_out: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({str(face.label) for face in self.gallery}))


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Everything that one space scored.

    Attributes:
        similarities: (Q, G) of each probe to each template; NaN rows without a face.
        by_size: range of face width -> its open-set score.
        transfer: the threshold chosen on the strangers and the rates that it gives the probes; empty without any.
    """

    space_id: str
    templates: TemplateRule
    similarities: NDArray[np.float32]
    searches: Searches
    open_set: OpenSetScore
    ranks: Mapping[int, float]
    verification: Verification | None
    fairness: Fairness | None
    by_size: Mapping[str, OpenSetScore]
    transfer: Mapping[str, Any]
    suspicions: Sequence[Suspicion] = field(default_factory=list)


def protocol_of(
    gallery: Sequence[FoundFace],
    probes: Sequence[FoundFace],
    *,
    groups: Sequence[str] = (),
    strangers: Sequence[FoundFace] = (),
    pairs: Sequence[Pair] = (),
) -> tuple[Protocol, list[str]]:
    """Checks the tables against each other; the sentences are for the user.

    Raises:
        TableError: nobody is enrolled or nobody searches.
    """
    enrolled = tuple(face for face in gallery if face.status == "ok" and face.label not in {None, STRANGER})
    if not enrolled or not probes:
        raise TableError("There is nobody to compare: the gallery or the evaluation CSV has no usable photograph.")
    known = {face.label for face in enrolled}
    warnings = []
    unseen = {str(face.label) for face in probes} - known - {STRANGER}
    if unseen:
        warnings.append(
            f"{len(unseen)} labels of the evaluation CSV are not enrolled: their photographs count as strangers."
        )
    contents = {face.sha256 for face in enrolled}
    twice = sum(face.sha256 in contents for face in probes if face.sha256)
    if twice:
        warnings.append(f"{twice} probes are enrolled photographs too, by content: the figures flatter. Take them out.")
    apart = tuple(pair for pair in pairs if pair.first.sha256 not in contents and pair.second.sha256 not in contents)
    usable = tuple(face for face in strangers if face.status == "ok" and face.sha256 not in contents)
    protocol = Protocol(enrolled, tuple(probes), tuple(groups), usable, apart, len(pairs) - len(apart))
    return protocol, warnings


def evaluate(
    space: EmbeddingSpace, protocol: Protocol, cache: EmbeddingCache, *, rule: TemplateRule = "mean"
) -> Evaluated:
    """Scores one space; the more of the protocol is given, the more of the result is there."""
    labels = protocol.labels
    numbers = {label: number for number, label in enumerate(labels)}
    classes = np.array([numbers[str(face.label)] for face in protocol.gallery])
    enrolled = cache.embed(space, protocol.gallery, "gallery")
    templates = templates_of(enrolled, classes, len(labels), [face.quality for face in protocol.gallery], rule)
    similarities = _similarities(space, protocol.probes, templates, cache)
    truth = np.array([numbers.get(str(face.label), -1) for face in protocol.probes])
    named = [label if (label := str(face.label)) in numbers else STRANGER for face in protocol.probes]
    people = metrics.number_people([face.image_path for face in protocol.probes], named)
    searches = metrics.searches_of_similarities(similarities, truth, people)
    score = metrics.score_searches(searches)
    return Evaluated(
        space_id=space.id,
        templates=rule,
        similarities=similarities,
        searches=searches,
        open_set=score,
        ranks={k: metrics.rank_k(similarities, truth, k) for k in (1, 5, 10) if k <= len(labels)},
        verification=_verification(space, protocol, cache),
        fairness=_fairness(protocol, searches, score),
        by_size=_by_size(protocol, searches),
        transfer=_transfer(space, protocol, templates, searches, cache),
        suspicions=suspicious_labels(enrolled, classes, [face.image_path for face in protocol.gallery], labels),
    )


def as_json(found: Evaluated, protocol: Protocol) -> dict[str, Any]:
    """The result as metrics.json keeps it: figures without support are left out."""
    return {
        "space": found.space_id,
        "templates": found.templates,
        "gallery": {"people": len(protocol.labels), "photographs": len(protocol.gallery)},
        "open_set": score_json(found.open_set),
        "closed_set": {f"rank{k}": share for k, share in found.ranks.items()},
        "verification": _verification_json(found.verification, protocol),
        "groups": asdict(found.fairness) if found.fairness else None,
        "by_face_px": {name: score_json(score) for name, score in found.by_size.items()},
        "transfer": dict(found.transfer) or None,
    }


def score_json(score: OpenSetScore) -> dict[str, Any]:
    """An open-set score; a DIR that rests on fewer than three alarms is not in it."""
    return {
        "probes": score.probes,
        "mated": score.mated,
        "nonmated": score.nonmated,
        "failed": score.failed,
        "rank1": score.rank1,
        "dir_at_fpir": {
            f"{rate.fpir:g}": {
                **asdict(rate.dir), "threshold": rate.threshold, "alarms": rate.alarms, "support": rate.support,
            }
            for rate in score.rates
            if rate.support != "none"
        },
    }  # fmt: skip


def report_rows(found: Evaluated, protocol: Protocol, threshold: float) -> list[dict[str, object]]:
    """The rows of `--report`, for anybody else's scorer: similarities are written so that they read back exactly."""
    labels = protocol.labels
    rows: list[dict[str, object]] = []
    for face, scores in zip(protocol.probes, found.similarities, strict=True):
        row: dict[str, object] = {"image_path": face.image_path, "predicted": STRANGER, "faces": face.faces}
        row |= {"quality": face.quality, "status": face.status, "reason": face.reason}
        if face.status == "ok":
            order = np.argsort(-scores, kind="stable")[:2]
            best = float(scores[order[0]])
            row |= {"best_label": labels[order[0]], "similarity": repr(best)}
            row["predicted"] = labels[order[0]] if best >= threshold else STRANGER
            if len(order) > 1:
                row |= {"second_label": labels[order[1]], "second_similarity": repr(float(scores[order[1]]))}
        rows.append(row)
    return rows


def _similarities(
    space: EmbeddingSpace, faces: Sequence[FoundFace], templates: Embeddings, cache: EmbeddingCache
) -> NDArray[np.float32]:
    found = [i for i, face in enumerate(faces) if face.status == "ok"]
    scores = np.full((len(faces), len(templates)), np.nan, np.float32)
    if found:
        scores[found] = cache.embed(space, [faces[i] for i in found], "probes") @ templates.T
    return scores


def _verification(space: EmbeddingSpace, protocol: Protocol, cache: EmbeddingCache) -> Verification | None:
    pairs = [pair for pair in protocol.pairs if pair.first.status == pair.second.status == "ok"]
    if not pairs:
        return None
    first = cache.embed(space, [pair.first for pair in pairs], "pairs")
    second = cache.embed(space, [pair.second for pair in pairs], "pairs")
    return verify_pairs((first * second).sum(axis=1), np.array([pair.same for pair in pairs]))


def _verification_json(found: Verification | None, protocol: Protocol) -> dict[str, Any] | None:
    if found is None:
        return None
    tar = {**asdict(found.tar), "fmr": found.fmr, "alarms": found.alarms, "support": found.support}
    return {
        "pairs": found.pairs,
        "left_out": protocol.left_out,
        "ten_fold": asdict(found.ten_fold),
        "tar": tar if found.support != "none" else None,
    }


def _fairness(protocol: Protocol, searches: Searches, score: OpenSetScore) -> Fairness | None:
    if not any(protocol.groups):
        return None
    supported = [rate for rate in score.rates if rate.support != "none"]
    return by_group(searches, protocol.groups, supported[-1].threshold) if supported else None


def _by_size(protocol: Protocol, searches: Searches) -> dict[str, OpenSetScore]:
    widths = np.array([face.width_px if face.status == "ok" else -1 for face in protocol.probes])
    scores = {}
    for low, high in zip(SIZES_PX, (*SIZES_PX[1:], np.inf), strict=True):
        own = np.flatnonzero((widths >= low) & (widths < high))
        if len(own) >= 30:
            name = f"{low}-{high:g}" if np.isfinite(high) else f"{low}+"
            scores[name] = metrics.score_searches(part_of(searches, own))
    return scores


def part_of(searches: Searches, rows: NDArray[np.integer]) -> Searches:
    """Some of the searches; people are numbered anew, in the order of first appearance."""
    known: dict[int, int] = {}
    people = np.array([known.setdefault(int(person), len(known)) for person in searches.people[rows]], np.int64)
    return Searches(searches.best[rows], searches.right[rows], searches.nonmated[rows], searches.mated[rows], people)


def _transfer(
    space: EmbeddingSpace, protocol: Protocol, templates: Embeddings, searches: Searches, cache: EmbeddingCache
) -> dict[str, Any]:
    """A threshold chosen on the strangers for FPIR 1 %, and what it does to the strangers of the probes."""
    if not protocol.strangers:
        return {}
    try:
        chosen = stranger_threshold(space, templates, protocol.strangers, cache)
    except CalibrationError as error:
        return {"refused": str(error)}
    alien = ~searches.mated
    alarms = int((searches.best[alien] >= chosen.value).sum())
    _, fnir = metrics.fpir_fnir(searches, chosen.value) if searches.mated.any() else (0.0, None)
    return {
        "threshold": to_json(chosen),
        "target_fpir": TRANSFER_FPIR,
        "searches": int(alien.sum()),
        "alarms": alarms,
        "fpir": alarms / int(alien.sum()) if alien.any() else None,
        "fnir": fnir,
    }


def stranger_threshold(
    space: EmbeddingSpace, templates: Embeddings, strangers: Sequence[FoundFace], cache: EmbeddingCache
) -> Threshold:
    """The threshold at which 1 % of the searches by strangers raise an alarm.

    Raises:
        CalibrationError: there are fewer than a hundred.
    """
    top1 = (cache.embed(space, strangers, "strangers") @ templates.T).max(axis=1)
    people = [metrics.person_of(face.image_path, STRANGER) for face in strangers]
    return calibrate(top1, people, TRANSFER_FPIR, gallery_size=len(templates), source="photographs of strangers")
