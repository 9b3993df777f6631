"""The open-set score against a golden case by hand, against slow formulas and, where present, another scorer."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reid import metrics
from reid.types import STRANGER

SCORER = Path(__file__).resolve().parents[2] / "shared" / "tools" / "open_set_score.py"
COLUMNS = ["image_path", "predicted", "best_label", "similarity", "second_label", "second_similarity", "status"]


def row(path: str, predicted: str, best: str, similarity: str, second: str, status: str = "ok") -> dict[str, str]:
    values = [path, predicted, best, similarity, "other", second, status]
    return dict(zip(COLUMNS, values, strict=True))


def random_report(seed: int, probes: int) -> tuple[list[dict[str, str]], list[str]]:
    """Strangers and enrolled people, failures and one-person answers, with similarities as text of float32."""
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for number in range(probes):
        person = int(rng.integers(60))
        label = f"person_{person}" if person < 25 else STRANGER
        right = label != STRANGER and rng.random() < 0.9
        best = label if right else f"person_{int(rng.integers(25))}"
        scores = np.sort(rng.uniform(0.1, 0.6, 2) + (0.35 if right else 0.0)).astype(np.float32)
        predicted = best if scores[1] >= 0.6 else STRANGER
        made = row(f"p{person}/{number}.jpg", predicted, best, str(scores[1]), str(scores[0]))
        if rng.random() < 0.03:
            made.update(predicted=STRANGER, best_label="", similarity="", second_similarity="", status="no_face")
        if rng.random() < 0.02:
            made["second_similarity"] = ""
        rows.append(made)
        labels.append(label)
    return rows, labels


def test_score_of_a_report_is_the_one_counted_by_hand() -> None:
    rows = [
        row("a/1.jpg", "a", "a", "0.9", "0.5"),
        row("a/2.jpg", STRANGER, "a", "0.45", "0.3"),
        row("b/1.jpg", "a", "a", "0.7", "0.6"),  # b is enrolled and taken for a
        row("x/1.jpg", STRANGER, "b", "0.4", "0.2"),
        row("y/1.jpg", STRANGER, "", "", "", status="no_face"),
    ]
    labels = ["a", "a", "b", STRANGER, STRANGER]
    score = metrics.score_report(rows, labels, fpirs=(0.6, 0.2))
    assert (score.probes, score.mated, score.failed) == (5, 3, 1)
    assert score.rank1 == pytest.approx(2 / 3)
    assert score.answered_rightly == pytest.approx(3 / 5)
    assert score.fpir_at_used_threshold == 0
    # Non-mated scores: 0.5, 0.3, 0.7 (b was not the best), 0.4, -1.
    # Three alarms are allowed at 0.6: above 0.3; one at 0.2: above 0.5.
    loose, strict = score.rates
    assert (loose.threshold, loose.alarms, loose.dir.value) == (0.3, 3, pytest.approx(2 / 3))
    assert (strict.threshold, strict.alarms, strict.dir.value) == (0.5, 1, pytest.approx(1 / 3))


@pytest.mark.skipif(not SCORER.exists(), reason="the independent scorer is not beside this checkout")
@pytest.mark.parametrize(("seed", "probes"), [(0, 700), (1, 1500)])
def test_score_agrees_with_the_independent_scorer_to_the_last_digit(tmp_path: Path, seed: int, probes: int) -> None:
    rows, labels = random_report(seed, probes)
    with (tmp_path / "report.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with (tmp_path / "probes.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows(
            [("image_path", "gt"), *((r["image_path"], g) for r, g in zip(rows, labels, strict=True))]
        )
    command = [sys.executable, str(SCORER), str(tmp_path / "probes.csv"), str(tmp_path / "report.csv"), "--json"]
    theirs = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    ours = metrics.score_report(rows, labels)
    for field in ("probes", "mated", "nonmated", "failed", "rank1", "answered_rightly", "fpir_at_used_threshold"):
        assert getattr(ours, field) == theirs[field]
    assert ours.failed > 0
    for fpir in metrics.FPIRS:
        rate, expected = ours.at(fpir), theirs[f"dir_at_fpir_{fpir}"]
        if expected is None:
            assert rate is None
            continue
        assert rate is not None
        found = {"dir": rate.dir.value, "low": rate.dir.low, "high": rate.dir.high}
        assert {**found, "threshold": rate.threshold, "alarms": rate.alarms} == expected


def test_matrix_and_report_of_the_same_searches_score_alike() -> None:
    rng = np.random.default_rng(3)
    similarities = rng.uniform(-0.2, 0.6, (400, 20)).astype(np.float32)
    truth = rng.integers(-1, 20, 400)
    similarities[np.arange(400), truth] += np.where(truth >= 0, 0.3, 0).astype(np.float32)
    similarities[7] = np.nan
    labels = [f"id{t}" if t >= 0 else STRANGER for t in truth]
    paths = [f"folder{i % 90}/{i}.jpg" for i in range(400)]
    rows = []
    for path, scores in zip(paths, similarities, strict=True):
        first, second = np.argsort(-scores)[:2]
        known = not np.isnan(scores).any()
        best, other = (str(scores[first]), str(scores[second])) if known else ("", "")
        rows.append(row(path, STRANGER, f"id{first}" if known else "", best, other, "ok" if known else "no_face"))
    matrix = metrics.searches_of_similarities(similarities, truth, metrics.number_people(paths, labels))
    report = metrics.searches_of_report(rows, labels)
    np.testing.assert_array_equal(matrix.right, report.right)
    np.testing.assert_allclose(matrix.nonmated, report.nonmated, atol=1e-6)
    ours, theirs = metrics.score_searches(matrix), metrics.score_report(rows, labels)
    assert ours.failed == theirs.failed == 1
    assert [rate.dir for rate in ours.rates] == [rate.dir for rate in theirs.rates]


def test_support_is_a_claim_from_30_alarms_a_hint_from_3_and_nothing_below() -> None:
    assert [metrics.support(n) for n in (30, 29, 3, 2, 0)] == ["claim", "hint", "hint", "none", "none"]


def test_format_leaves_out_what_too_few_alarms_support() -> None:
    rows, labels = random_report(5, 400)
    text = metrics.format_score(metrics.score_report(rows, labels, fpirs=(0.1, 0.01, 0.005)))
    assert "40 alarms)" in text
    assert "4 alarms, a hint" in text
    assert "DIR at FPIR 0.5%            not printed" in text


def test_rank_k_counts_ties_against_the_own_template() -> None:
    similarities = np.array([[0.9, 0.1, 0.2], [0.5, 0.5, 0.1], [0.9, 0.8, 0.7], [0.1, 0.2, 0.3]])
    truth = np.array([0, 0, 2, -1])
    assert metrics.rank_k(similarities, truth, 1) == pytest.approx(1 / 3)
    assert metrics.rank_k(similarities, truth, 2) == pytest.approx(2 / 3)
    assert metrics.rank_k(similarities, truth, 3) == 1


def test_error_rates_at_a_threshold_are_the_shares_on_its_wrong_side() -> None:
    genuine, impostor = np.array([0.9, 0.5, 0.3]), np.array([0.5, 0.2, 0.1, 0.0])
    assert metrics.fmr_fnmr(genuine, impostor, 0.5) == (pytest.approx(1 / 4), pytest.approx(1 / 3))
    rows = [row("a/1.jpg", "a", "a", "0.9", "0.5"), row("x/1.jpg", "a", "a", "0.6", "0.2")]
    searches = metrics.searches_of_report(rows, ["a", STRANGER])
    assert metrics.fpir_fnir(searches, 0.6) == (0.5, 0.0)
    assert metrics.fpir_fnir(searches, 0.95) == (0.0, 1.0)


def test_paired_difference_of_a_system_with_itself_is_nothing_and_with_a_better_one_is_seen() -> None:
    rows, labels = random_report(8, 900)
    searches = metrics.searches_of_report(rows, labels)
    same = metrics.paired_difference(searches, searches, 0.1)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    better = metrics.Searches(
        best=searches.best + np.where(searches.mated, 0.2, 0),
        right=searches.right,
        nonmated=searches.nonmated,
        mated=searches.mated,
        people=searches.people,
    )
    gain = metrics.paired_difference(searches, better, 0.1)
    assert 0 < gain.low <= gain.value <= gain.high


def test_paired_difference_refuses_other_probes() -> None:
    first = metrics.searches_of_report(*random_report(1, 50))
    second = metrics.searches_of_report(*random_report(2, 50))
    with pytest.raises(ValueError, match="different probes"):
        metrics.paired_difference(first, second, 0.1)


def test_score_without_enrolled_people_or_without_probes_says_so_instead_of_dividing_by_zero() -> None:
    nobody = metrics.score_report([row("x/1.jpg", STRANGER, "a", "0.3", "0.1")], [STRANGER])
    assert nobody.rank1 is None
    assert nobody.rates == ()
    empty = metrics.score_report([], [])
    assert (empty.probes, empty.answered_rightly, empty.rates) == (0, None, ())
    assert metrics.format_score(empty).startswith("probes 0")
