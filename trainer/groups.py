"""Whether a system errs more on some people than on others: rates by group and how far apart they are.

Knows searches and the group of each; the groups are whatever the user's CSV calls them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reid import metrics
from reid.metrics import Searches, Support


@dataclass(frozen=True, slots=True)
class GroupRate:
    """One group at the common threshold.

    Attributes:
        alarms: non-mated searches of its people that were named: what its FPIR rests on.
        misses: mated searches that were not: what its FNIR rests on; FNIR is None without mated searches.
    """

    group: str
    searches: int
    fpir: float
    alarms: int
    fnir: float | None
    misses: int

    @property
    def support(self) -> Support:
        return metrics.support(self.alarms)


@dataclass(frozen=True, slots=True)
class Disparity:
    """How far apart the groups' rates are (NIST IR 8429): 1 and 0 when they are the same.

    Attributes:
        max_over_mean: the largest rate divided by the geometric mean; None when a group's rate is 0.
        gini: of the rates, corrected for their number.
    """

    max_over_mean: float | None
    gini: float


@dataclass(frozen=True, slots=True)
class Fairness:
    """All groups, and the two rates' disparities; None with fewer than two groups."""

    threshold: float
    groups: tuple[GroupRate, ...]
    fpir: Disparity | None
    fnir: Disparity | None


def by_group(searches: Searches, groups: Sequence[str], threshold: float) -> Fairness:
    """Rates of each group when candidates are named above one threshold.

    Args:
        groups: (Q,) of each probe; probes with an empty one are left out.
    """
    names = np.array(groups)
    alarmed = searches.nonmated > threshold
    found = searches.right & (searches.best > threshold)
    rates = []
    for name in sorted(set(groups) - {""}):
        own = names == name
        mated = own & searches.mated
        misses = int((mated & ~found).sum())
        rates.append(
            GroupRate(
                group=name,
                searches=int(own.sum()),
                fpir=float(alarmed[own].mean()),
                alarms=int(alarmed[own].sum()),
                fnir=misses / int(mated.sum()) if mated.any() else None,
                misses=misses,
            )
        )
    fnirs = [rate.fnir for rate in rates if rate.fnir is not None]
    return Fairness(threshold, tuple(rates), disparity([rate.fpir for rate in rates]), disparity(fnirs))


def disparity(rates: Sequence[float]) -> Disparity | None:
    """Of the rates of several groups; None with fewer than two.

    Source: NIST IR 8429, ratio of maximum and geometric mean; Gini coefficient times n / (n - 1).
    """
    values = np.array(rates, float)
    n = len(values)
    if n < 2:
        return None
    ratio = float(values.max() / np.exp(np.log(values).mean())) if (values > 0).all() else None
    mean = values.mean()
    differences = np.abs(values[:, None] - values[None]).sum()
    gini = float(differences / (2 * n * n * mean) * n / (n - 1)) if mean > 0 else 0.0
    return Disparity(ratio, gini)
