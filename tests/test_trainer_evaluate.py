"""The protocol on made-up embeddings: the figures are somebody else's too, and nothing without support is shown."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from reid.errors import TableError
from reid.tables import REPORT_COLUMNS
from reid.types import STRANGER, Embeddings
from trainer.commands.evaluate import table
from trainer.data import FoundFace
from trainer.embeddings import EmbeddingCache
from trainer.evaluate import Pair, as_json, evaluate, part_of, protocol_of, report_rows
from trainer.groups import by_group, disparity
from trainer.labels import suspicious_labels
from trainer.plots import det_plot, similarity_plot
from trainer.templates import leave_one_out, templates_of
from trainer.verification import paired_tenths, ten_fold, verify_pairs

SCORER = Path(__file__).resolve().parents[2] / "shared" / "tools" / "open_set_score.py"


class FakeSpace:
    """A face's embedding follows from its name: the person's direction and noise of the photograph's own."""

    id, name, dim = "fake:0", "fake", 16

    def __init__(self, noise: float) -> None:
        self.noise = noise

    def rows(self, faces: list[FoundFace] | tuple[FoundFace, ...]) -> Embeddings:
        rows = []
        for face in faces:
            person, number = face.image_path.split("/")
            centre = np.random.default_rng(int(person[1:])).normal(size=self.dim)
            own = np.random.default_rng([int(person[1:]), int(number.split(".")[0])]).normal(size=self.dim)
            rows.append(centre / np.linalg.norm(centre) + self.noise * own / np.linalg.norm(own))
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(len(faces), self.dim)


class FakeCache(EmbeddingCache):
    def __init__(self) -> None:
        pass

    def embed(self, space, faces, what="embeddings"):  # type: ignore[no-untyped-def]  # noqa: ARG002
        return space.rows(faces)


def faces(people: range, numbers: range, label: str = "person_{}", width_px: float = 100) -> list[FoundFace]:
    return [
        FoundFace(f"p{p}/{n}.jpg", label.format(p), f"{p}-{n}", "ok", "", 1, width_px, 40, 0.8)
        for p in people
        for n in numbers
    ]


@pytest.fixture(scope="module")
def protocol():  # type: ignore[no-untyped-def]
    probes = [*faces(range(30), range(10, 20)), *faces(range(100, 160), range(8), STRANGER, 30)]
    probes.append(FoundFace("p3/99.jpg", "person_3", "", "no_face", "p3/99.jpg: no face found."))
    groups = ["" if i % 7 == 0 else "ab"[i % 2] for i in range(len(probes))]
    alone = [*faces(range(40), range(50, 54)), *faces(range(200, 240), range(50, 54))]
    pairs = [Pair(a, b, a.label == b.label) for a, b in pairwise(alone)]
    pairs += [Pair(alone[0], faces(range(1), range(1))[0], True)]
    found, _ = protocol_of(
        faces(range(30), range(8)), probes, groups=groups, strangers=faces(range(300, 340), range(5)), pairs=pairs
    )
    return found


@pytest.fixture(scope="module")
def found(protocol):  # type: ignore[no-untyped-def]
    return evaluate(FakeSpace(1.1), protocol, FakeCache())  # type: ignore[arg-type]


@pytest.mark.skipif(not SCORER.exists(), reason="the independent scorer is not beside this checkout")
def test_metrics_are_those_of_an_independent_scorer_on_the_written_report(tmp_path, found, protocol) -> None:  # type: ignore[no-untyped-def]
    rows = report_rows(found, protocol, 0.7)
    with (tmp_path / "report.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, REPORT_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with (tmp_path / "probes.csv").open("w", newline="") as handle:
        csv.writer(handle).writerows([("image_path", "gt"), *((f.image_path, f.label) for f in protocol.probes)])
    command = [sys.executable, str(SCORER), str(tmp_path / "probes.csv"), str(tmp_path / "report.csv"), "--json"]
    theirs = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    ours = as_json(found, protocol)["open_set"]
    assert {name: ours[name] for name in ("probes", "mated", "nonmated", "failed", "rank1")} == {
        name: theirs[name] for name in ("probes", "mated", "nonmated", "failed", "rank1")
    }
    assert ours["failed"] == 1
    assert set(ours["dir_at_fpir"]) == {"0.1", "0.01"}  # 0.7 alarms at 0.1 % are nothing to print
    for fpir, rate in ours["dir_at_fpir"].items():
        expected = theirs[f"dir_at_fpir_{fpir}"]
        assert {"dir": rate["value"], **{k: rate[k] for k in ("low", "high", "threshold", "alarms")}} == expected
    assert 0 < ours["dir_at_fpir"]["0.01"]["value"] < 1


def test_ranks_grow_with_k_and_a_probe_without_a_face_is_a_miss(found) -> None:  # type: ignore[no-untyped-def]
    assert found.ranks[1] <= found.ranks[5] <= found.ranks[10] < 1
    assert found.ranks[1] == found.open_set.rank1


def test_scores_are_broken_down_by_face_size(found) -> None:  # type: ignore[no-untyped-def]
    assert set(found.by_size) == {"24-40", "80+"}
    assert found.by_size["24-40"].mated == 0
    assert found.by_size["80+"].mated == 300


def test_threshold_chosen_on_strangers_is_scored_on_other_strangers(found) -> None:  # type: ignore[no-untyped-def]
    assert found.transfer["searches"] == 480
    assert 0 <= found.transfer["fpir"] < 0.1
    assert found.transfer["fpir"] == found.transfer["alarms"] / 480


def test_pairs_that_touch_the_gallery_are_left_out(protocol, found) -> None:  # type: ignore[no-untyped-def]
    assert protocol.left_out == 1
    assert found.verification.pairs == 319
    assert as_json(found, protocol)["verification"]["tar"] is None  # 0.08 alarms


def test_a_better_space_beats_a_worse_one_in_the_table(protocol, found) -> None:  # type: ignore[no-untyped-def]
    from trainer.commands.evaluate import _difference

    better = evaluate(FakeSpace(0.8), protocol, FakeCache())  # type: ignore[arg-type]
    difference = _difference(found, better)
    assert difference["dir_at_fpir"]["0.01"]["low"] > 0
    assert difference["verification"] > 0
    result = {"frozen": as_json(found, protocol), "tuned": as_json(better, protocol), "difference": difference}
    text = table(result)
    assert "DIR at FPIR 1.0% (hint)" in text
    assert "tuned - frozen at FPIR 10.0%" in text
    assert "0.1%" not in text
    json.dumps(result)


def test_plots_are_pictures(found) -> None:  # type: ignore[no-untyped-def]
    for picture in (det_plot({"one": found.searches}), similarity_plot(found.searches)):
        assert picture.startswith(b"\x89PNG")


def test_tables_are_checked_against_each_other() -> None:
    gallery = faces(range(3), range(2))
    probes = [replace(gallery[0], image_path="copy.jpg"), *faces(range(1), range(5, 6), "somebody_{}")]
    _, warnings = protocol_of(gallery, probes)
    assert any("1 labels" in warning and "strangers" in warning for warning in warnings)
    assert any("enrolled photographs too" in warning for warning in warnings)
    with pytest.raises(TableError, match="nobody to compare"):
        protocol_of([], probes)


def test_a_label_that_nobody_enrolled_counts_as_a_stranger() -> None:
    probes = [*faces(range(3), range(5, 9)), *faces(range(50, 53), range(5), "unseen_{}")]
    protocol, _ = protocol_of(faces(range(3), range(3)), probes)
    found = evaluate(FakeSpace(0.5), protocol, FakeCache())  # type: ignore[arg-type]
    assert (found.open_set.mated, found.open_set.nonmated) == (12, 27)


def test_one_person_enrolled_can_be_evaluated() -> None:
    protocol, _ = protocol_of(
        faces(range(1), range(3)), [*faces(range(1), range(5, 9)), *faces(range(9, 40), range(2), STRANGER)]
    )
    found = evaluate(FakeSpace(0.5), protocol, FakeCache())  # type: ignore[arg-type]
    assert found.open_set.rank1 == 1
    assert report_rows(found, protocol, 0.5)[0]["best_label"] == "person_0"


def test_group_rates_and_disparities_are_those_counted_by_hand(found) -> None:  # type: ignore[no-untyped-def]
    part = part_of(found.searches, np.arange(len(found.searches)))
    groups = ["a" if i < 350 else "b" for i in range(len(part))]
    fairness = by_group(part, groups, 0.6)
    alarms = (part.nonmated > 0.6)[:350].sum()
    first = fairness.groups[0]
    assert (first.group, first.searches, first.alarms) == ("a", 350, alarms)
    misses = int((part.mated & ~(part.right & (part.best > 0.6)))[:350].sum())
    assert first.fnir == misses / int(part.mated[:350].sum())
    uneven = disparity([0.01, 0.04])
    assert uneven is not None
    assert uneven.max_over_mean == pytest.approx(0.04 / 0.02)
    assert uneven.gini == pytest.approx(0.03 * 2 / (2 * 4 * 0.025) * 2)
    assert disparity([0.02, 0.02]) == disparity([0.5, 0.5])
    assert disparity([0.0, 0.1]).max_over_mean is None  # type: ignore[union-attr]
    assert disparity([0.1]) is None


def test_ten_fold_decides_each_tenth_by_the_others() -> None:
    scores = np.concatenate([np.linspace(0.5, 0.9, 100), np.linspace(-0.1, 0.4, 100)])
    mated = np.arange(200) < 100
    assert list(ten_fold(scores, mated)) == [1.0] * 10
    swapped = scores.copy()
    swapped[[0, 150]] = swapped[[150, 0]]
    assert np.mean(ten_fold(swapped, mated)) == pytest.approx(0.99)
    assert verify_pairs(scores[:105], mated[:105]) is None


def test_two_systems_are_compared_on_the_same_tenths() -> None:
    rng = np.random.default_rng(0)
    mated = np.arange(400) % 2 == 0
    worse = np.where(mated, 0.3, 0.0) + rng.normal(0, 0.2, 400)
    better = np.where(mated, 0.6, 0.0) + rng.normal(0, 0.2, 400)
    first, second = verify_pairs(worse, mated), verify_pairs(better, mated)
    assert first is not None
    assert second is not None
    change = paired_tenths(first, second)
    assert change.value == pytest.approx(second.ten_fold.value - first.ten_fold.value)
    assert 0 < change.low < change.value < change.high
    assert (paired_tenths(first, first).low, paired_tenths(first, first).high) == (0, 0)


def test_label_errors_are_found_and_right_labels_left_alone() -> None:
    gallery = faces(range(12), range(6))
    rows, classes = FakeSpace(0.5).rows(gallery), np.repeat(np.arange(12), 6)
    paths, names = [face.image_path for face in gallery], [f"person_{n}" for n in range(12)]
    assert suspicious_labels(rows, classes, paths, names) == []
    rows[3] = FakeSpace(0.5).rows(faces(range(7, 8), range(70, 71)))[0]  # person 7 in the folder of person 0
    rows[20] = rows[64]  # one photograph under two names
    found = suspicious_labels(rows, classes, paths, names)
    assert {(one.image_path, one.other_label) for one in found if one.kind == "other-face"} >= {
        (paths[3], "person_7"),
        (paths[20], "person_10"),
    }
    twin = next(one for one in found if one.kind == "two-names")
    assert (twin.image_path, twin.other_path, round(twin.similarity, 4)) == (paths[20], paths[64], 1.0)


def test_templates_trim_the_odd_one_and_weigh_quality() -> None:
    person = FakeSpace(0.2).rows(faces(range(1), range(9)))
    odd = -person[:1]
    rows, classes = np.concatenate([person, odd]), np.zeros(10, int)
    np.testing.assert_allclose(
        templates_of(rows, classes, 1, rule="trimmed")[0] @ templates_of(person, classes[:9], 1)[0], 1, atol=1e-6
    )
    quality = [0.9] * 9 + [0.0]
    weighed, plain = (templates_of(rows, classes, 1, quality, rule)[0] for rule in ("quality", "mean"))  # type: ignore[arg-type]
    assert weighed @ person.mean(0) > plain @ person.mean(0) or np.isclose(weighed @ plain, 1, atol=1e-3)
    expected = [row @ (person.sum(0) - row) / np.linalg.norm(person.sum(0) - row) for row in person]
    np.testing.assert_allclose(leave_one_out(person), expected, rtol=1e-5)
    assert np.isnan(leave_one_out(person[:1])).all()


def test_embeddings_are_computed_once_per_content_and_network(tmp_path: Path) -> None:
    from fakes import COLOURS, FakeDetector, FakeNetwork, save

    from reid.space import EmbeddingSpace
    from trainer.data import FaceStore, Photo

    class Counted(FakeNetwork):
        asked = 0

        def embed(self, crops):  # type: ignore[no-untyped-def]
            self.asked += len(crops)
            return super().embed(crops)

    store = FaceStore(tmp_path / "faces", FakeDetector(), "largest", (112,), min_face_px=12)
    files = [save(tmp_path / f"{i}.png", [i % len(COLOURS)]) for i in range(3)]
    found = store.find([Photo(path.name, path, None) for path in files], "test")
    network = Counted()
    space = EmbeddingSpace([network], [1.0])
    cache = EmbeddingCache(tmp_path / "embeddings")
    first = cache.embed(space, [*found, found[0]])
    np.testing.assert_array_equal(first, EmbeddingCache(tmp_path / "embeddings").embed(space, [*found, found[0]]))
    assert network.asked == 3
    assert cache.embed(space, []).shape == (0, space.dim)
    for path in (tmp_path / "embeddings").glob("*.npz"):
        path.write_bytes(b"damaged")
    np.testing.assert_array_equal(cache.embed(space, found), first[:3])
    assert network.asked == 6
