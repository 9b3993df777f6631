"""YuNet in OpenVINO finds what OpenCV's finds, on pictures of any size, in several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from reid import runtime
from reid.detect import load_detector
from reid.detect.yunet import OpenCVYuNet
from reid.detect.yunet_graph import YuNetGraph, compiled_yunet, decode
from reid.errors import SettingsError
from reid.weights import ensure


@pytest.fixture(scope="module")
def graph(models_dir: Path) -> YuNetGraph:
    return YuNetGraph(compiled_yunet(ensure("yunet", models_dir)))


@pytest.fixture(scope="module")
def pictures(demo_dir: Path) -> list[NDArray[np.uint8]]:
    """The validation photographs, every third one enlarged, and one with all the others on it."""
    found = [cv2.imread(str(path)) for path in sorted(demo_dir.glob("val/*/*.jpg"))]
    found = [cv2.resize(one, None, fx=2, fy=2) if i % 3 == 0 else one for i, one in enumerate(found)]
    tiles = [cv2.resize(one, (200, 240)) for one in found]
    return [*found, np.concatenate([np.concatenate(tiles[i : i + 5], 1) for i in range(0, 25, 5)])]


def assert_same_rows(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> None:
    """Each row has its counterpart within half a pixel and a thousandth of the score, whatever their order."""
    assert found.shape == wanted.shape
    scale = np.array([0.5] * 14 + [1e-3], np.float32)
    if len(wanted):
        apart = (np.abs(found[:, None] - wanted[None]) / scale).max(axis=2)  # (K, K)
        assert (apart.min(axis=0) <= 1).all()
        assert sorted(apart.argmin(axis=1)) == list(range(len(wanted)))


def test_boxes_landmarks_and_scores_are_opencvs(graph, pictures, models_dir):
    reference = OpenCVYuNet(ensure("yunet", models_dir))
    faces = 0
    for picture in pictures:
        (wanted,), (found,) = reference([picture]), graph([picture])
        assert_same_rows(found, wanted)
        faces += len(found)
    assert faces >= 45  # at least the 25, and most of them again on the one that holds all


def test_threads_get_their_own_faces(graph, pictures):
    expected = graph(pictures)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda picture: graph([picture])[0], pictures * 3))
    for one, wanted in zip(found, expected * 3, strict=True):
        np.testing.assert_allclose(one, wanted, atol=1e-3)


def test_pictures_of_equal_size_are_one_batch_and_each_gets_what_it_gets_alone(graph, pictures, monkeypatch):
    alone = [graph([picture])[0] for picture in pictures]
    batches = []
    inner = graph._graph
    monkeypatch.setattr(graph, "_graph", lambda batch: batches.append(batch.shape) or inner(batch))
    together = graph(pictures)
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))
    assert sum(shape[0] for shape in batches) == len(pictures)
    assert len(batches) == len({shape[1:] for shape in batches}) < len(pictures)


@pytest.mark.parametrize("size", [(1, 1), (33, 7), (480, 640)])
def test_a_picture_without_faces_gives_no_rows(graph, size):
    assert graph([np.full((*size, 3), 127, np.uint8)])[0].shape == (0, 15)


def test_outputs_are_decoded_as_the_paper_says():
    """One prior of each stride speaks up; the box is written out by hand."""
    width = 64
    sizes = [(width // stride) ** 2 for stride in (8, 16, 32)]
    outputs = [np.zeros((count, length), np.float32) for length in (1, 1, 4, 10) for count in sizes]
    for level, (stride, index) in enumerate(((8, 10), (16, 7), (32, 1))):
        outputs[level][index] = 0.81
        outputs[3 + level][index] = 1.5  # clipped to 1
        outputs[6 + level][index] = (0.5, 0.25, np.log(2), np.log(3))
        outputs[9 + level][index] = np.arange(10) / 10
        column, row = index % (width // stride), index // (width // stride)
        found = decode(outputs, width, 0.6)[level]
        left, top = (column + 0.5 - 1) * stride, (row + 0.25 - 1.5) * stride
        np.testing.assert_allclose(found[:4], [left, top, left + 2 * stride, top + 3 * stride], rtol=1e-5)
        np.testing.assert_allclose(found[4:14:2], [(column + x / 10) * stride for x in (0, 2, 4, 6, 8)], rtol=1e-5)
        np.testing.assert_allclose(found[5:14:2], [(row + y / 10) * stride for y in (1, 3, 5, 7, 9)], rtol=1e-5)
        assert found[14] == pytest.approx(0.9)
    assert len(decode(outputs, width, 0.91)) == 0


def test_a_detector_without_openvino_is_opencvs(models_dir, monkeypatch):
    monkeypatch.setattr(runtime, "_installed", lambda: False)
    detector = load_detector("yunet", models_dir=models_dir, min_face_px=20)
    assert detector.detect([np.zeros((40, 40, 3), np.uint8)]) == [[]]
    with pytest.raises(SettingsError, match="pip install openvino"):
        load_detector("yunet", models_dir=models_dir, min_face_px=20, runtime="openvino")
