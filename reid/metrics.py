"""What an open-set search is worth: rank-k, FMR/FNMR, FPIR/FNIR, DIR at a FPIR, with intervals over people.

Pure NumPy on scores and labels; knows no network, no gallery and no threshold that anybody chose.
Terms: ISO/IEC 19795-1 and NIST IR 8271; DIR = 1 - FNIR.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reid.types import STRANGER

FPIRS = (0.1, 0.01, 0.001)
BOOTSTRAP_DRAWS = 200
CLAIM_ALARMS = 30
HINT_ALARMS = 3
MISSING = -1.0
"""Score of a search without an answer: below every cosine that a face could get."""

Scores = NDArray[np.float64]
Support = Literal["claim", "hint", "none"]


def support(alarms: int) -> Support:
    """What a figure that rests on so many false alarms may be called: the one rule used everywhere.

    From 30 on it carries a claim, from 3 on it is a hint, below that it is not printed.
    """
    if alarms >= CLAIM_ALARMS:
        return "claim"
    return "hint" if alarms >= HINT_ALARMS else "none"


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """Open-set searches of Q probes, each also made without the probe's own template.

    Attributes:
        best: (Q,) similarity of the first candidate; MISSING where no face was found.
        right: (Q,) whether that candidate is the probe's person.
        nonmated: (Q,) best similarity with the probe's own person left out of the gallery.
        mated: (Q,) whether the probe's person is enrolled.
        people: (Q,) number of the person, counted in the order of first appearance: what the bootstrap draws.
    """

    best: Scores
    right: NDArray[np.bool_]
    nonmated: Scores
    mated: NDArray[np.bool_]
    people: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.best)


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the 95 % bootstrap interval over people around it."""

    value: float
    low: float
    high: float

    def text(self, digits: int = 3) -> str:
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


@dataclass(frozen=True, slots=True)
class DirAtFpir:
    """Detection and identification rate where at most `alarms` of the non-mated searches raise one.

    Attributes:
        threshold: a mated search counts when its similarity is above this.
        alarms: false alarms that are allowed: what the figure rests on.
    """

    fpir: float
    dir: Interval
    threshold: float
    alarms: int

    @property
    def support(self) -> Support:
        return support(self.alarms)


@dataclass(frozen=True, slots=True)
class OpenSetScore:
    """Everything that one report says about open-set identification.

    Attributes:
        failed: probes without an answer: no face, or unreadable. They count as misses.
        rank1: closed-set share of the mated probes whose first candidate is right; None without any.
        answered_rightly: share of all probes named rightly at the threshold that was used; None when nobody decided.
        fpir_at_used_threshold: share of the strangers that were named then; None without strangers.
        rates: one per FPIR that at least one alarm is allowed at, in the order asked for.
    """

    probes: int
    mated: int
    nonmated: int
    failed: int
    rank1: float | None
    answered_rightly: float | None
    fpir_at_used_threshold: float | None
    rates: tuple[DirAtFpir, ...]

    def at(self, fpir: float) -> DirAtFpir | None:
        return next((rate for rate in self.rates if rate.fpir == fpir), None)


def person_of(image_path: str, label: str) -> str:
    """Whom a probe counts for in the bootstrap: its label, or for a stranger the folder that it lies in."""
    return label if label != STRANGER else "stranger:" + image_path.rsplit("/", 1)[0]


def number_people(image_paths: Sequence[str], labels: Sequence[str]) -> NDArray[np.int64]:
    """(Q,) number of each probe's person, counted in the order of first appearance."""
    known: dict[str, int] = {}
    pairs = zip(image_paths, labels, strict=True)
    return np.array([known.setdefault(person_of(path, label), len(known)) for path, label in pairs], np.int64)


def searches_of_report(rows: Sequence[Mapping[str, object]], labels: Sequence[str]) -> Searches:
    """The searches behind the rows of `--report`, which hold no more than the two best candidates.

    Args:
        rows: columns image_path, best_label, similarity, second_similarity, status; one per probe.
        labels: the truth of each row, STRANGER for nobody enrolled.
    """
    answered = np.array([row["status"] == "ok" for row in rows], bool)
    best = np.array([_number(row["similarity"]) if row["status"] == "ok" else MISSING for row in rows], float)
    second = np.array([_number(row["second_similarity"]) if row["status"] == "ok" else MISSING for row in rows], float)
    named = np.array([row["best_label"] == label for row, label in zip(rows, labels, strict=True)], bool)
    right = answered & named
    return Searches(
        best=best,
        right=right,
        nonmated=np.where(right, second, best),
        mated=np.array([label != STRANGER for label in labels], bool),
        people=number_people([str(row["image_path"]) for row in rows], labels),
    )


def searches_of_similarities(
    similarities: NDArray[np.floating], truth: NDArray[np.integer], people: NDArray[np.int64]
) -> Searches:
    """The searches behind a whole matrix of similarities.

    Args:
        similarities: (Q, G) cosine of each probe to each template, G >= 1; a row of NaN where no face was found.
        truth: (Q,) column of the probe's own template, -1 for a stranger.
        people: (Q,) as in `number_people`.
    """
    scores = np.where(np.isnan(similarities), MISSING, similarities.astype(np.float64))
    first = scores.argmax(axis=1)
    best = scores.max(axis=1, initial=MISSING)
    others = scores.copy()
    enrolled = np.flatnonzero(truth >= 0)
    others[enrolled, truth[enrolled]] = MISSING
    return Searches(
        best=best,
        right=(first == truth) & (best > MISSING),
        nonmated=others.max(axis=1, initial=MISSING),
        mated=truth >= 0,
        people=people,
    )


def rank_k(similarities: NDArray[np.floating], truth: NDArray[np.integer], k: int) -> float:
    """Share of the mated probes whose own template is among the `k` nearest; ties count against it.

    Args:
        similarities: (Q, G). truth: (Q,) column of the own template; rows of strangers (-1) are left out.
    """
    mated = truth >= 0
    scores, columns = similarities[mated], truth[mated]
    if not len(columns):
        return float("nan")
    own = scores[np.arange(len(columns)), columns][:, None]
    ahead = (scores >= own).sum(axis=1) - 1  # the own template is never ahead of itself
    return float((np.isfinite(own[:, 0]) & (ahead < k)).mean())


def fmr_fnmr(genuine: Scores, impostor: Scores, threshold: float) -> tuple[float, float]:
    """False match and false non-match rate of one-to-one comparisons accepted at and above `threshold`."""
    return float((impostor >= threshold).mean()), float((genuine < threshold).mean())


def fpir_fnir(searches: Searches, threshold: float) -> tuple[float, float]:
    """False positive and false negative identification rate when candidates are named at and above `threshold`."""
    found = searches.right & (searches.best >= threshold)
    return float((searches.nonmated >= threshold).mean()), 1.0 - float(found[searches.mated].mean())


def score_at_rate(nonmated: Scores, rate: float) -> float:
    """The similarity that a claim must exceed so that at most floor(rate * N) of the non-mated ones do."""
    order = np.sort(nonmated)[::-1]
    return float(order[int(rate * len(order))])


def dir_at_fpir(searches: Searches, fpir: float, sample: NDArray[np.int64] | None = None) -> float:
    """DIR at one FPIR, of all searches or of those at the indices `sample`; NaN without a mated one."""
    part = slice(None) if sample is None else sample
    threshold = score_at_rate(searches.nonmated[part], fpir)
    mated = searches.mated[part]
    if not mated.any():
        return float("nan")
    hits = (searches.right[part] & mated & (searches.best[part] > threshold)).sum()
    return float(int(hits) / int(mated.sum()))


def draws_of_people(people: NDArray[np.int64], draws: int = BOOTSTRAP_DRAWS) -> list[NDArray[np.int64]]:
    """Indices of `draws` bootstrap samples: people drawn with replacement, each with all of its searches.

    Always the same draws for the same people, so that two systems can be compared draw by draw.
    """
    if not len(people):
        return []
    members = [np.flatnonzero(people == number) for number in range(int(people.max()) + 1)]
    rng = random.Random(0)
    return [np.concatenate(rng.choices(members, k=len(members))) for _ in range(draws)]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % percentile interval of bootstrap values; NaN ones are left out."""
    kept = sorted(value for value in values if value == value)
    if not kept:
        return float("nan"), float("nan")
    return kept[int(0.025 * len(kept))], kept[int(0.975 * len(kept)) - 1]


def rates_of(searches: Searches, fpirs: Sequence[float] = FPIRS, draws: int = BOOTSTRAP_DRAWS) -> tuple[DirAtFpir, ...]:
    """DIR with its interval at each FPIR that allows at least one alarm."""
    samples = draws_of_people(searches.people, draws)
    rates = []
    for fpir in fpirs:
        if fpir * len(searches) < 1 or not searches.mated.any():
            continue
        low, high = interval([dir_at_fpir(searches, fpir, sample) for sample in samples])
        rates.append(
            DirAtFpir(
                fpir=fpir,
                dir=Interval(dir_at_fpir(searches, fpir), low, high),
                threshold=score_at_rate(searches.nonmated, fpir),
                alarms=int(fpir * len(searches)),
            )
        )
    return tuple(rates)


def paired_difference(first: Searches, second: Searches, fpir: float, draws: int = BOOTSTRAP_DRAWS) -> Interval:
    """DIR of `second` minus DIR of `first` at a FPIR, the same probes in both, bootstrapped over the same people.

    The difference is real where the interval leaves out 0.

    Raises:
        ValueError: the two were not made of the same probes in the same order.
    """
    if not np.array_equal(first.people, second.people) or not np.array_equal(first.mated, second.mated):
        raise ValueError("The two systems answered different probes. Score both on the same list.")
    samples = draws_of_people(first.people, draws)
    low, high = interval([dir_at_fpir(second, fpir, part) - dir_at_fpir(first, fpir, part) for part in samples])
    return Interval(dir_at_fpir(second, fpir) - dir_at_fpir(first, fpir), low, high)


def score_searches(searches: Searches, fpirs: Sequence[float] = FPIRS, draws: int = BOOTSTRAP_DRAWS) -> OpenSetScore:
    """The open-set score of searches that nobody has decided on yet."""
    mated = int(searches.mated.sum())
    return OpenSetScore(
        probes=len(searches),
        mated=mated,
        nonmated=len(searches),
        failed=int((searches.best <= MISSING).sum()),
        rank1=int((searches.right & searches.mated).sum()) / mated if mated else None,
        answered_rightly=None,
        fpir_at_used_threshold=None,
        rates=rates_of(searches, fpirs, draws),
    )


def score_report(
    rows: Sequence[Mapping[str, object]],
    labels: Sequence[str],
    fpirs: Sequence[float] = FPIRS,
    draws: int = BOOTSTRAP_DRAWS,
) -> OpenSetScore:
    """The open-set score of the rows of `--report`, with the decisions that were written there.

    Args:
        rows: as in `searches_of_report`, with `predicted`.
        labels: the truth of each row.
    """
    score = score_searches(searches_of_report(rows, labels), fpirs, draws)
    pairs = list(zip([row["predicted"] for row in rows], labels, strict=True))
    strangers = [predicted for predicted, label in pairs if label == STRANGER]
    return OpenSetScore(
        probes=score.probes,
        mated=score.mated,
        nonmated=score.nonmated,
        failed=sum(row["status"] != "ok" for row in rows),
        rank1=score.rank1,
        answered_rightly=sum(p == label for p, label in pairs) / len(pairs) if pairs else None,
        fpir_at_used_threshold=sum(p != STRANGER for p in strangers) / len(strangers) if strangers else None,
        rates=score.rates,
    )


def format_score(score: OpenSetScore) -> str:
    """The score in lines for people; figures that rest on fewer than 3 alarms are left out and said so."""
    lines = [f"probes {score.probes}: {score.mated} of enrolled people, {score.failed} without an answer"]
    if score.rank1 is not None:
        lines.append(f"rank-1 (closed set)         {score.rank1:.4f}")
    if score.answered_rightly is not None:
        lines.append(f"answered rightly            {score.answered_rightly:.4f}")
    if score.fpir_at_used_threshold is not None:
        lines.append(f"FPIR at the used threshold  {score.fpir_at_used_threshold:.4f}")
    for rate in score.rates:
        name = f"DIR at FPIR {rate.fpir:.1%}".replace(".0%", "%")
        if rate.support == "none":
            lines.append(
                f"{name:27s} not printed: it would rest on {rate.alarms} false alarms, {HINT_ALARMS} are a hint"
            )
            continue
        hint = "" if rate.support == "claim" else ", a hint"
        basis = f"{rate.alarms} alarms{hint}"
        lines.append(f"{name:27s} {rate.dir.text(4)} above {rate.threshold:.4f} ({basis})")
    return "\n".join(lines)


def _number(cell: object) -> float:
    return MISSING if cell is None or cell == "" else float(str(cell))
