"""The number that decides between a name and `doesn't_exist`: where it comes from and how to choose it.

Knows scores and people, no gallery and no network.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reid.errors import CalibrationError
from reid.types import Threshold

REFERENCE = Threshold(
    0.80,
    "The reference recipe's 0.80 for its own fine-tuned weights. Not calibrated for this embedding space: "
    "run `byteface calibrate` with photographs of people who are not enrolled.",
    calibrated=False,
)
"""What an embedding space gets that nobody measured."""

_MEASURED = Path(__file__).with_name("thresholds.json")
_DRAWS = 1000


def threshold_at_fpir(top1: NDArray[np.float32], fpir: float) -> float:
    """Lowest threshold at which at most `fpir` of the searches by strangers raise an alarm.

    Args:
        top1: (M,) best similarity of each non-mated search, cosine in [-1, 1].
        fpir: target in (0, 1]; below 1/M it cannot be measured.

    Raises:
        CalibrationError: M is too small for the target.

    Source: NIST IR 8271, open-set identification; a search alarms at similarity >= threshold.
    """
    if not 0 < fpir <= 1:
        raise CalibrationError(
            f"A false alarm rate of {fpir:g} makes no sense. Give one between 0 and 1, such as 0.01."
        )
    if len(top1) * fpir < 1:
        raise CalibrationError(
            f"{len(top1)} searches by strangers cannot show a rate of 1 in {math.ceil(1 / fpir - 1e-9):,}. "
            f"Bring at least {math.ceil(1 / fpir - 1e-9):,}, better thirty times as many."
        )
    allowed = math.floor(len(top1) * fpir + 1e-9)
    if allowed >= len(top1):
        return -1.0
    first_refused = np.sort(np.asarray(top1, np.float32))[::-1][allowed]
    return float(np.nextafter(first_refused, np.float32(2)))


def calibrate(
    top1: NDArray[np.float32], people: Sequence[str], fpir: float, *, gallery_size: int, source: str
) -> Threshold:
    """A threshold for a target, with its bootstrap interval over people.

    Args:
        top1: (M,) best similarity of each non-mated search.
        people: (M,) who searched: photographs of one stranger are not independent, so whole people are drawn.
        fpir: target false positive identification rate.
        gallery_size: identities that were searched.
        source: what the strangers are, for the sentence beside the number.

    Raises:
        CalibrationError: as `threshold_at_fpir`.
    """
    value = threshold_at_fpir(top1, fpir)
    rows: dict[str, list[int]] = {}
    for index, person in enumerate(people):
        rows.setdefault(person, []).append(index)
    groups = [np.asarray(indices) for indices in rows.values()]
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(_DRAWS):
        sample = np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])
        if len(sample) * fpir >= 1:
            draws.append(threshold_at_fpir(top1[sample], fpir))
    low, high = (float(v) for v in np.quantile(draws, [0.025, 0.975])) if draws else (value, value)
    origin = (
        f"At most 1 false alarm in {1 / fpir:,.0f} searches: measured on {len(top1):,} searches by {len(groups):,} "
        f"people who are not enrolled ({source}) against {gallery_size:,} enrolled people."
    )
    return Threshold(value, origin, True, fpir, len(top1), gallery_size, (low, high), _alarms(top1))


def _alarms(top1: NDArray[np.float32]) -> tuple[int, ...]:
    """Searches at or above each hundredth, until there are none."""
    counts = [int(np.sum(top1 >= np.float32(step / 100))) for step in range(101)]
    return tuple(counts[: next((step for step, many in enumerate(counts) if not many), 101)])


def alarms_at(threshold: Threshold, similarity: float) -> int | None:
    """How many of the strangers' searches reached a similarity, counted at the hundredth below it; None if not kept.

    From the threshold on it is at most what the threshold was chosen to allow: a hundredth would round that up.
    A threshold of before, or one that nobody measured, knows no counts.
    """
    if not threshold.alarms:
        return None
    step = max(0, math.floor(similarity * 100 + 1e-6))
    counted = threshold.alarms[step] if step < len(threshold.alarms) else 0
    if threshold.fpir is None or similarity < threshold.value:
        return counted
    return min(counted, math.floor(threshold.fpir * threshold.searches + 1e-9))


def measured_default(space_id: str) -> Threshold:
    """The threshold that ships for an embedding space, `REFERENCE` where none was measured."""
    found = json.loads(_MEASURED.read_text(encoding="utf-8")).get(space_id)
    return from_json(json.dumps(found)) if found else REFERENCE


def to_json(threshold: Threshold) -> str:
    """As a gallery keeps it."""
    return json.dumps(asdict(threshold))


def from_json(text: str) -> Threshold:
    """Reads what `to_json` wrote."""
    fields = json.loads(text)
    interval, alarms = fields.pop("interval", None), fields.pop("alarms", ())
    return Threshold(**fields, interval=(interval[0], interval[1]) if interval else None, alarms=tuple(alarms))


def expected_fpir(threshold: Threshold, gallery_size: int) -> float | None:
    """The false positive identification rate of a gallery of another size, None where none was measured.

    Every enrolled person is one more chance of an alarm: 1 - (1 - FMR)^N with the FMR that the measured rate implies.
    """
    if not threshold.fpir or not threshold.gallery_size or not gallery_size:
        return None
    if threshold.fpir >= 1:
        return 1.0
    return -math.expm1(math.log1p(-threshold.fpir) * gallery_size / threshold.gallery_size)


def save_default(path: Path, space_id: str, threshold: Threshold) -> None:
    """Writes one space's measured threshold into a file of defaults, beside those of other spaces."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[space_id] = asdict(threshold)
    lines = [f" {json.dumps(name)}: {json.dumps(known[name])}" for name in sorted(known)]  # a line a space
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
