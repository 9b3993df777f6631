"""Which line from score to the right person's share? Three ways fitted on half of the people, judged on the others.

`python benchmarks/probability.py --labels lfw-dev/probes_test.csv r.csv` with a report of `byteface predict --report`.
Prints the mean log loss of people never fitted (less is better) under two assumed shares of enrolled people, over ten
random halves, each way held to the same rule of three; and what `reid.probability` itself says against what was so.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from reid.metrics import MISSING, Searches, searches_of_report
from reid.probability import chance_at, fit_odds

SHARES = (0.1, 0.5)
HALVES = 10
Line = Callable[[np.ndarray], np.ndarray]


def logistic(right: np.ndarray, wrong: np.ndarray, prior: float) -> Line:
    """Platt's line with the right searches weighing `prior` of all; gives log LR."""
    scores = np.concatenate([right, wrong])
    kind = np.concatenate([np.ones(len(right)), np.zeros(len(wrong))])
    sure = np.where(kind == 1, (len(right) + 1) / (len(right) + 2), (len(wrong) + 1) / (len(wrong) + 2))
    weight = 1000 * np.where(kind == 1, prior / len(right), (1 - prior) / len(wrong))
    x = np.concatenate([scores, scores])[:, None]
    y, weights = np.concatenate([kind, 1 - kind]), np.concatenate([weight * sure, weight * (1 - sure)])
    model = LogisticRegression(C=1e8, solver="newton-cholesky", max_iter=200).fit((x - 0.5) / 0.1, y, weights)
    return lambda s: model.decision_function((s[:, None] - 0.5) / 0.1) - np.log(prior / (1 - prior))


def isotonic(right: np.ndarray, wrong: np.ndarray) -> Line:
    """Steps; gives log LR."""
    kind = np.concatenate([np.ones(len(right)), np.zeros(len(wrong))])
    weight = np.where(kind == 1, 1 / len(right), 1 / len(wrong))
    model = IsotonicRegression(out_of_bounds="clip").fit(np.concatenate([right, wrong]), kind, weight)

    def line(scores: np.ndarray) -> np.ndarray:
        share = np.clip(model.predict(scores), 1e-9, 1 - 1e-9)
        return np.log(share / (1 - share))

    return line


def losses(searches: Searches, half: np.ndarray) -> dict[tuple[str, float], float]:
    """Log loss of each way on the people outside `half`."""
    usable = searches.best > MISSING
    inside = half[searches.people] & usable
    right = searches.best[inside & searches.mated & searches.right]
    wrong = searches.best[inside & ~searches.mated]
    most = len(set(searches.people[inside & ~searches.mated])) / 3
    least = 3 / len(set(searches.people[inside & searches.mated]))
    ways = {
        "logistic, one to one": logistic(right, wrong, 0.5),
        "logistic, one to nine": logistic(right, wrong, 0.1),
        "isotonic": isotonic(right, wrong),
    }
    outside = ~half[searches.people] & usable
    scores, mated = searches.best[outside], searches.mated[outside]
    hit = mated & searches.right[outside]
    found = {}
    for name, line in ways.items():
        ratio = np.clip(line(scores), np.log(least), np.log(most))
        for share in SHARES:
            weight = np.where(mated, share / mated.mean(), (1 - share) / (1 - mated.mean()))
            odds = ratio + np.log(share / (1 - share))
            loss = np.where(hit, np.logaddexp(0, -odds), np.logaddexp(0, odds))
            found[name, share] = float(np.average(loss, weights=weight))
    return found


def reliability(searches: Searches, half: np.ndarray, share: float) -> list[str]:
    """What `reid.probability` says of the others, in classes, against what was so."""
    inside = half[searches.people]
    right, wrong = inside & searches.mated & searches.right, inside & ~searches.mated
    odds = fit_odds(
        searches.best[right].astype(np.float32), [str(one) for one in searches.people[right]],
        searches.best[wrong].astype(np.float32), [str(one) for one in searches.people[wrong]],
        first=1.0, gallery_size=1, source="strangers",
    )  # fmt: skip
    outside = ~inside
    mated = searches.mated[outside]
    weight = np.where(mated, share / mated.mean(), (1 - share) / (1 - mated.mean()))
    said = np.array([chance_at(odds, float(score), 1, share).value for score in searches.best[outside]])
    hit = mated & searches.right[outside]
    lines = []
    for low, high in ((0.0, 0.05), (0.05, 0.3), (0.3, 0.7), (0.7, 0.95), (0.95, 1.01)):
        part = (said >= low) & (said < high)
        if part.any():
            mean, so = np.average(said[part], weights=weight[part]), np.average(hit[part], weights=weight[part])
            lines.append(f"| {low:.2f} to {min(high, 1):.2f} | {part.sum():,} | {mean:.3f} | {so:.3f} |")
    return lines


def main() -> None:
    """Reads the reports and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path, nargs="+")
    parser.add_argument("--labels", type=Path, required=True, help="CSV with image_path and gt")
    args = parser.parse_args()
    with args.labels.open(newline="", encoding="utf-8") as file:
        truth = {row["image_path"]: row["gt"] for row in csv.DictReader(file)}
    for report in args.reports:
        with report.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        searches = searches_of_report(rows, [truth[row["image_path"]] for row in rows])
        halves = [np.random.default_rng(n).random(searches.people.max() + 1) < 0.5 for n in range(HALVES)]
        found = [losses(searches, half) for half in halves]
        print(f"\n{report.name}\n\n| way | log loss at share 0.1 | at 0.5 |\n|---|---|---|")
        for name in dict.fromkeys(way for way, _ in found[0]):
            print(f"| {name} | " + " | ".join(f"{np.mean([one[name, s] for one in found]):.4f}" for s in SHARES) + " |")
        print("\n| said, share 0.1 | searches | mean said | was so |\n|---|---|---|---|")
        print("\n".join(reliability(searches, halves[0], SHARES[0])))


if __name__ == "__main__":
    main()
