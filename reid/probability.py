"""From a similarity to a share: of searches with such a score, how many found the right person?

Knows scores and people, no gallery and no network. What a share rests on travels with it, and so does the assumption
that no score can tell: how many of those who are searched are enrolled at all.

With P the share of searches whose person is enrolled, r the share of those in which that person comes first, and
f_right, f_wrong the densities of the best score when it is the right person's and when it is somebody else's, Bayes
says

    right(s) = P r f_right(s) / (P r f_right(s) + (1 - P r) f_wrong(s))

so all that scores must tell is LR(s) = f_right(s) / f_wrong(s). It is fitted as log LR(s) = slope s + intercept:
logistic regression on both kinds of searches with Platt's smoothed targets (J. Platt, 1999, in Advances in Large Margin
Classifiers), which keep the line finite where no score of one kind reaches the other. Both kinds weigh alike, which
was chosen on validation probes (`benchmarks/probability.py` compares).
Isotonic regression was not taken: below about a thousand scores it follows their noise, and its first and last step say
0 and 1, which no prior can correct (Niculescu-Mizil and Caruana, ICML 2005).

Three people at least are needed for every factor that is claimed: where none of M people scored so high, up to 3 / M of
all might (rule of three; Hanley and Lippman-Hand, JAMA 249, 1983). So LR is held between 3 / people and people / 3.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reid.errors import CalibrationError
from reid.metrics import CLAIM_ALARMS, draws_of_people, interval

SHARE = 0.1
"""Assumed where nobody said: one in ten people who are searched is enrolled."""
MIN_PEOPLE = 10
MIN_SEARCHES = CLAIM_ALARMS
_DRAWS = 60
_BINS = 400

Scores = NDArray[np.float32]
Limit = Literal["", "at least", "at most"]


@dataclass(frozen=True, slots=True)
class ScoreOdds:
    """A fitted line from similarity to log likelihood ratio, with what it rests on.

    Attributes:
        slope: log LR for each unit of similarity; positive.
        intercept: log LR at similarity 0.
        lines: slope and intercept of bootstrap samples over people.
        first: share of the searches of enrolled people in which their own template came first.
        right_searches: searches of enrolled people that found them.
        right_people: people among those.
        wrong_searches: searches in which whoever came first was somebody else.
        wrong_people: people among those.
        gallery_size: people enrolled then; a larger gallery has more chances of a wrong one.
        source: whose wrong searches they are: strangers, or the enrolled people with their own template left out.
        share: assumed share of searches whose person is enrolled, in (0, 1).
    """

    slope: float
    intercept: float
    lines: tuple[tuple[float, float], ...]
    first: float
    right_searches: int
    right_people: int
    wrong_searches: int
    wrong_people: int
    gallery_size: int
    source: Literal["strangers", "enrolled"]
    share: float = SHARE


@dataclass(frozen=True, slots=True)
class Chance:
    """The share of searches with one score whose first candidate is the right person.

    Attributes:
        value: in [0, 1].
        low: lower end of the 95 % bootstrap interval over people.
        high: upper end.
        limit: `at least` or `at most` where more cannot be claimed with so few people.
    """

    value: float
    low: float
    high: float
    limit: Limit


def fit_odds(
    right: Scores,
    right_people: Sequence[str],
    wrong: Scores,
    wrong_people: Sequence[str],
    *,
    first: float,
    gallery_size: int,
    source: Literal["strangers", "enrolled"],
) -> ScoreOdds:
    """Fits both kinds of searches.

    Args:
        right: (K,) best similarity of searches that found the right person, cosine in [-1, 1].
        right_people: (K,) who was searched; whole people are drawn for the intervals.
        wrong: (M,) best similarity of searches that can only find somebody else.
        wrong_people: (M,) who was searched.
        first: share of enrolled people's searches in which their own template came first, in [0, 1].
        gallery_size: people enrolled.
        source: whose wrong searches they are.

    Raises:
        CalibrationError: too few searches or people for any claim, or the scores do not tell the two kinds apart.
    """
    _refuse_few(len(right), len(set(right_people)), "of enrolled people with two photographs or more")
    kinds = {"strangers": "of strangers", "enrolled": "of enrolled people without their own template"}
    _refuse_few(len(wrong), len(set(wrong_people)), kinds[source])
    line = _line(right, wrong)
    if line[0] <= 0:
        raise CalibrationError(
            "The right person scores no higher than a wrong one here. Check that photographs of one person are "
            "enrolled under one name."
        )
    draws = zip(draws_of_people(_numbered(right_people), _DRAWS), draws_of_people(_numbered(wrong_people), _DRAWS),
                strict=True)  # fmt: skip
    lines = tuple(_line(right[a], wrong[b]) for a, b in draws)
    return ScoreOdds(
        *line,
        lines,
        first,
        len(right),
        len(set(right_people)),
        len(wrong),
        len(set(wrong_people)),
        gallery_size,
        source,
    )


def chance_at(odds: ScoreOdds, similarity: float, people: int, share: float | None = None) -> Chance:
    """How often the first candidate of a search with that best similarity is the right person.

    A gallery that has grown from N to `people` has that many times more chances of a wrong one so high: the odds are
    divided by people / N. One that is smaller is not promised more.

    Args:
        similarity: cosine in [-1, 1].
        people: enrolled now.
        share: assumed share of searches whose person is enrolled; None takes the one that is kept with the fit.
    """
    prior = min(max((odds.share if share is None else share) * odds.first, 1e-9), 1 - 1e-9)
    grown = max(1.0, people / odds.gallery_size) if odds.gallery_size else 1.0
    offset = math.log(prior / (1 - prior)) - math.log(grown)
    highest, lowest = math.log(odds.wrong_people / 3), -math.log(odds.right_people / 3)

    def held(slope: float, intercept: float) -> float:
        return min(max(slope * similarity + intercept, lowest), highest)

    own = odds.slope * similarity + odds.intercept
    low, high = interval([_share(held(*line) + offset) for line in odds.lines]) if odds.lines else (math.nan,) * 2
    value = _share(held(odds.slope, odds.intercept) + offset)
    limit: Limit = "at least" if own > highest else "at most" if own < lowest else ""
    return Chance(value, min(low, value), max(high, value), limit)


def valid_share(share: float) -> float:
    """A share of enrolled people among those who are searched.

    Raises:
        CalibrationError: it is none.
    """
    if not 0 < share < 1:
        raise CalibrationError(f"A share of {share:g} makes no sense. Give one between 0 and 1, such as 0.1.")
    return share


def with_share(odds: ScoreOdds, share: float) -> ScoreOdds:
    """The same fit under another assumption. Raises: CalibrationError."""
    return replace(odds, share=valid_share(share))


def to_json(odds: ScoreOdds) -> str:
    """As a gallery keeps it."""
    return json.dumps(asdict(odds))


def from_json(text: str) -> ScoreOdds:
    """Reads what `to_json` wrote."""
    fields = json.loads(text)
    lines = tuple((float(slope), float(intercept)) for slope, intercept in fields.pop("lines"))
    return ScoreOdds(**fields, lines=lines)


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -700 else 0.0


def _refuse_few(searches: int, people: int, kind: str) -> None:
    if searches < MIN_SEARCHES or people < MIN_PEOPLE:
        raise CalibrationError(
            f"{searches:,} searches by {people:,} people {kind} are too few for a share. "
            f"It needs {MIN_SEARCHES} by {MIN_PEOPLE}."
        )


def _numbered(people: Sequence[str]) -> NDArray[np.int64]:
    known: dict[str, int] = {}
    return np.array([known.setdefault(person, len(known)) for person in people], np.int64)


def _line(right: Scores, wrong: Scores) -> tuple[float, float]:
    """(slope, intercept) of log LR. Scores are counted in bins of 0.005, which changes nothing that is claimed."""
    from sklearn.linear_model import LogisticRegression

    edges = np.linspace(-1, 1, _BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    rights, wrongs = (np.histogram(np.clip(scores, -1, 1), edges)[0] for scores in (right, wrong))
    # Platt's targets: a search of K right ones counts as right for (K + 1) / (K + 2) of its weight
    sure_right, sure_wrong = (len(right) + 1) / (len(right) + 2), (len(wrong) + 1) / (len(wrong) + 2)
    right_weight, wrong_weight = rights / len(right), wrongs / len(wrong)
    yes = right_weight * sure_right + wrong_weight * (1 - sure_wrong)
    no = right_weight * (1 - sure_right) + wrong_weight * sure_wrong
    x = np.concatenate([middles, middles])[:, None]
    y = np.concatenate([np.ones(_BINS), np.zeros(_BINS)])
    weight = np.concatenate([yes, no])
    used = weight > 0
    middle, spread = float(np.average(x[used, 0], weights=weight[used])), 0.1  # conditions the problem, nothing more
    model = LogisticRegression(C=1e8, solver="newton-cholesky", max_iter=200)
    model.fit((x[used] - middle) / spread, y[used], weight[used])
    slope = float(model.coef_[0, 0]) / spread
    return slope, float(model.intercept_[0]) - slope * middle
