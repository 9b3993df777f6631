"""Rates at a threshold with their intervals, and what each target would cost. Knows counts, draws nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reid.threshold import alarms_at
from reid.types import Threshold

TARGETS = (20, 100, 300, 1000, 3000, 10000)
"""One false alarm in so many searches."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many, with the 95 % interval of a share (Wilson's)."""

    part: int
    whole: int

    @property
    def share(self) -> float:
        return self.part / self.whole if self.whole else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Source: E. B. Wilson, JASA 22 (1927) 209."""
        if not self.whole:
            return 0.0, 1.0
        z, n, p = 1.96, self.whole, self.share
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Target:
    """One false alarm in `searches`.

    Attributes:
        value: the lowest hundredth at which no more strangers alarm; None where there were too few searches.
        missed: enrolled people below it.
    """

    searches: int
    value: float | None
    missed: Rate | None


def alarms_of(threshold: Threshold, value: float) -> Rate:
    """Strangers' searches that reach a value, as `alarms_at` counts them."""
    return Rate(alarms_at(threshold, value) or 0, threshold.searches)


def missed_of(mated: NDArray[np.float32], value: float) -> Rate:
    """Photographs of enrolled people whose similarity to their own person stays below a value."""
    return Rate(int(np.sum(mated < np.float32(value))), len(mated))


def targets_of(threshold: Threshold, mated: NDArray[np.float32]) -> list[Target]:
    """What each target asks for, the first that cannot be measured last."""
    found = []
    for searches in TARGETS:
        if threshold.searches < searches or not threshold.alarms:
            found.append(Target(searches, None, None))
            break  # those beyond need still more
        allowed = threshold.searches // searches
        step = next((i for i, many in enumerate(threshold.alarms) if many <= allowed), len(threshold.alarms))
        found.append(Target(searches, step / 100, missed_of(mated, step / 100)))
    return found


def bars_of_strangers(threshold: Threshold, bins: int = 50) -> list[int]:
    """How many strangers' searches lie in each fiftieth of 0 to 1."""
    counts = [*threshold.alarms, *[0] * (101 - len(threshold.alarms))]
    width = 100 // bins
    bars = [counts[i * width] - counts[(i + 1) * width] for i in range(bins)]
    bars[-1] += counts[100]
    return bars


def bars_of_mated(mated: NDArray[np.float32], bins: int = 50) -> list[int]:
    """How many enrolled photographs lie in each fiftieth of 0 to 1; below 0 counts as 0."""
    found, _ = np.histogram(np.clip(mated, 0, 1), bins=bins, range=(0, 1))
    return [int(many) for many in found]
