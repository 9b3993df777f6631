"""One-to-one verification on a list of pairs: ten-fold share decided rightly, and TAR at FMR 0.1 %.

Knows similarities and whether they are mated; no photographs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid import metrics
from reid.metrics import Interval, Support

FOLDS = 10
FMR = 1e-3


@dataclass(frozen=True, slots=True)
class Verification:
    """What the pairs say.

    Attributes:
        ten_fold: share decided rightly in each tenth at the threshold that was best on the other nine; mean and
            95 % interval over the tenths.
        shares: of each tenth.
        tar: true acceptance rate where at most `alarms` of the non-mated pairs are accepted.
    """

    pairs: int
    mated: int
    ten_fold: Interval
    shares: tuple[float, ...]
    fmr: float
    tar: Interval
    alarms: int

    @property
    def support(self) -> Support:
        return metrics.support(self.alarms)


def verify_pairs(similarities: NDArray[np.floating], mated: NDArray[np.bool_]) -> Verification | None:
    """Scores pairs; None with fewer than ten of either kind.

    Args:
        similarities: (P,) cosine of each pair.
        mated: (P,) whether both photographs show one person.
    """
    if min(int(mated.sum()), int((~mated).sum())) < FOLDS:
        return None
    shares = ten_fold(similarities, mated)
    genuine, impostor = similarities[mated].astype(float), similarities[~mated].astype(float)
    rng = np.random.default_rng(0)
    draws = [
        _tar(rng.choice(genuine, len(genuine)), rng.choice(impostor, len(impostor)))
        for _ in range(metrics.BOOTSTRAP_DRAWS)
    ]
    return Verification(
        pairs=len(mated),
        mated=int(mated.sum()),
        ten_fold=_over_tenths(shares),
        shares=tuple(shares),
        fmr=FMR,
        tar=Interval(_tar(genuine, impostor), *metrics.interval(draws)),
        alarms=int(FMR * len(impostor)),
    )


def paired_tenths(first: Verification, second: Verification) -> Interval:
    """Second minus first on the same pairs, with its 95 % interval over the tenths, which both share."""
    return _over_tenths(np.subtract(second.shares, first.shares))


def _over_tenths(values: Sequence[float] | NDArray[np.float64]) -> Interval:
    mean = float(np.mean(values))
    spread = 1.96 * float(np.std(values, ddof=1)) / math.sqrt(FOLDS)
    return Interval(mean, max(-1.0, mean - spread), min(1.0, mean + spread))


def ten_fold(similarities: NDArray[np.floating], mated: NDArray[np.bool_]) -> Sequence[float]:
    """Share of each tenth decided rightly at the threshold that is best on the other nine.

    Mated and non-mated pairs are dealt out in turn, so that every tenth has both in the same proportion.
    """
    fold = np.empty(len(mated), int)
    for kind in (True, False):
        own = np.flatnonzero(mated == kind)
        fold[own] = np.arange(len(own)) % FOLDS
    shares = []
    for number in range(FOLDS):
        rest = fold != number
        threshold = _best_threshold(similarities[rest], mated[rest])
        shares.append(float(((similarities[~rest] >= threshold) == mated[~rest]).mean()))
    return shares


def _best_threshold(similarities: NDArray[np.floating], mated: NDArray[np.bool_]) -> float:
    """Halfway between the two neighbouring similarities that separate best."""
    order = np.argsort(similarities, kind="stable")
    scores, right = similarities[order].astype(float), mated[order]
    below = np.concatenate([[0], np.cumsum(~right)])  # non-mated refused when the first k are
    above = right.sum() - np.concatenate([[0], np.cumsum(right)])
    k = int(np.argmax(below + above))
    low = scores[k - 1] if k > 0 else scores[0] - 1e-6
    high = scores[k] if k < len(scores) else scores[-1] + 1e-6
    return float((low + high) / 2)


def _tar(genuine: NDArray[np.float64], impostor: NDArray[np.float64]) -> float:
    return float((genuine > metrics.score_at_rate(impostor, FMR)).mean())
