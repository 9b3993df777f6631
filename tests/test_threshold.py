"""The threshold against counting by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid import threshold as thresholds
from reid.errors import CalibrationError
from reid.threshold import (
    REFERENCE,
    alarms_at,
    calibrate,
    expected_fpir,
    from_json,
    measured_default,
    threshold_at_fpir,
    to_json,
)
from reid.types import Threshold

scores = st.lists(st.floats(-1, 1, width=32), min_size=10, max_size=200)


@given(scores, st.sampled_from([0.1, 0.2, 0.5, 1.0]))
def test_at_most_the_target_alarms_and_no_lower_threshold_would_do(values, fpir):
    top1 = np.array(values, np.float32)
    threshold = np.float32(threshold_at_fpir(top1, fpir))
    assert np.mean(top1 >= threshold) <= fpir
    if threshold > -1:
        lower = np.nextafter(threshold, np.float32(-2))
        assert np.mean(top1 >= lower) > fpir


def test_a_rate_that_the_searches_cannot_show_is_refused_with_the_number_needed():
    with pytest.raises(CalibrationError, match="at least 1,000"):
        threshold_at_fpir(np.zeros(999, np.float32), 0.001)


@pytest.mark.parametrize("fpir", [0.0, -0.1, 1.5])
def test_a_rate_outside_its_range_is_refused(fpir):
    with pytest.raises(CalibrationError):
        threshold_at_fpir(np.zeros(100, np.float32), fpir)


def test_photographs_of_one_stranger_widen_the_interval():
    rng = np.random.default_rng(3)
    people = rng.normal(0, 0.1, 100)
    top1 = np.repeat(people, 5).astype(np.float32) + rng.normal(0, 1e-3, 500).astype(np.float32)
    together = calibrate(top1, [str(i // 5) for i in range(500)], 0.05, gallery_size=10, source="s")
    alone = calibrate(top1, [str(i) for i in range(500)], 0.05, gallery_size=10, source="s")
    assert together.value == alone.value
    assert together.interval is not None
    assert alone.interval is not None
    assert together.interval[1] - together.interval[0] > alone.interval[1] - alone.interval[0]


def test_a_calibration_says_what_it_rests_on():
    done = calibrate(
        np.linspace(0, 0.5, 400, dtype=np.float32), ["a", "b"] * 200, 0.01, gallery_size=125, source="x.csv"
    )
    assert done.calibrated
    assert (done.searches, done.gallery_size, done.fpir) == (400, 125, 0.01)
    assert "1 false alarm in 100 searches" in done.origin
    assert "400 searches by 2 people" in done.origin


def test_a_threshold_survives_being_kept():
    kept = Threshold(0.4, "measured", True, 0.01, 400, 125, (0.35, 0.45))
    assert from_json(to_json(kept)) == kept
    assert from_json(to_json(REFERENCE)) == REFERENCE


def test_a_space_that_nobody_measured_says_not_calibrated():
    unknown = measured_default("facenet:000000000000")
    assert unknown.value == 0.80
    assert not unknown.calibrated
    assert "Not calibrated" in unknown.origin


def test_a_measured_default_is_kept_beside_the_others(tmp_path, monkeypatch):
    place = tmp_path / "thresholds.json"
    thresholds.save_default(place, "one:1", Threshold(0.3, "o", True, 0.01, 400, 125, (0.2, 0.4)))
    thresholds.save_default(place, "two:2", Threshold(0.5, "t", True))
    monkeypatch.setattr(thresholds, "_MEASURED", place)
    assert measured_default("one:1").value == 0.3
    assert measured_default("two:2").value == 0.5


def test_the_false_alarm_rate_grows_with_the_gallery_as_independent_chances_do():
    measured = Threshold(0.4, "m", True, 0.01, 400, 125)
    assert expected_fpir(measured, 125) == pytest.approx(0.01)
    assert expected_fpir(measured, 250) == pytest.approx(1 - 0.99**2)
    assert expected_fpir(measured, 10_000) == pytest.approx(1 - 0.99**80)
    assert expected_fpir(REFERENCE, 100) is None


@settings(deadline=None)  # each draws a bootstrap
@given(scores, st.floats(0, 1, width=32))
def test_alarms_are_counted_at_the_hundredth_below(values, similarity):
    top1 = np.array(values, np.float32)
    done = calibrate(top1, ["everybody"] * len(values), 1.0, gallery_size=5, source="s")
    expected = int(np.sum(top1 >= np.float32(np.floor(similarity * 100 + 1e-6) / 100)))
    assert alarms_at(done, similarity) == expected
    assert from_json(to_json(done)) == done


def test_who_kept_no_counts_knows_no_odds():
    assert alarms_at(Threshold(0.4, "measured", True, 0.01, 400, 125, (0.35, 0.45)), 0.5) is None


def test_alarms_at_the_threshold_are_those_it_allows_and_not_those_of_the_hundredth_below():
    top1 = np.array([0.461, 0.463, 0.465, *[0.3] * 197], np.float32)
    done = calibrate(top1, [str(n) for n in range(200)], 0.01, gallery_size=5, source="s")
    assert 0.461 < done.value < 0.463
    assert thresholds.alarms_at(done, done.value) == 2
    assert thresholds.alarms_at(done, 0.46) == 3
    assert thresholds.alarms_at(done, 0.3) == 200
    assert thresholds.alarms_at(done, 0.99) == 0
