"""Both detectors keep the one promise: every face with its landmarks, on any picture, from any thread."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pictures
import pytest
from PIL import Image

from reid.detect import FaceDetector, detector_names, load_detector
from reid.detect.pyramid import Sightings
from reid.detect.yunet import OpenCVYuNet, YuNet, search_plan
from reid.errors import SettingsError, WeightsError
from reid.images import read_photograph
from reid.types import RGB, Face
from reid.weights import ensure


@pytest.fixture(scope="module", params=detector_names())
def detector(request: pytest.FixtureRequest, models_dir: Path) -> FaceDetector:
    return load_detector(request.param, models_dir=models_dir, min_face_px=12)


@pytest.fixture(scope="module")
def yunet(models_dir: Path) -> FaceDetector:
    return load_detector("yunet", models_dir=models_dir, min_face_px=12)


@pytest.fixture(scope="module")
def portraits(demo_dir: Path) -> list[RGB]:
    """The 25 validation photographs, one person on each."""
    return [read_photograph(path).pixels for path in sorted(demo_dir.glob("val/*/*.jpg"))]


@pytest.fixture(scope="module")
def head(portraits: list[RGB], yunet: FaceDetector) -> tuple[RGB, float]:
    """One face with a little around it, and the share of the picture's width that it takes."""
    portrait = portraits[0]
    face = yunet.detect([portrait])[0][0]
    reach = 0.75 * face.height_px
    x, y = face.centre_px
    left, top = max(0, int(x - reach)), max(0, int(y - reach))
    part = portrait[top : int(y + reach), left : int(x + reach)]
    return part, face.width_px / part.shape[1]


def head_of(head: tuple[RGB, float], face_px: float) -> RGB:
    """The head scaled so that its face is that wide."""
    part, share = head
    scale = face_px / share / part.shape[1]
    size = (round(part.shape[1] * scale), round(part.shape[0] * scale))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8)


def set_into(height: int, width: int, *placed: tuple[RGB, int, int]) -> RGB:
    """Pictures on grey, each with its left and top."""
    frame = np.full((height, width, 3), 110, np.uint8)
    for part, left, top in placed:
        frame[top : top + part.shape[0], left : left + part.shape[1]] = part
    return frame


def holding(faces: Sequence[Face], x: float, y: float) -> list[Face]:
    return [face for face in faces if face.box_px[0] <= x <= face.box_px[2] and face.box_px[1] <= y <= face.box_px[3]]


def same(a: list[Face], b: list[Face]) -> bool:
    return len(a) == len(b) and all(
        np.allclose(one.box_px, other.box_px, atol=0.05)
        and np.allclose(one.landmarks_px, other.landmarks_px, atol=0.05)
        and abs(one.confidence - other.confidence) < 1e-3
        for one, other in zip(a, b, strict=True)
    )


# what is found


def test_every_portrait_has_a_face_with_its_landmarks_in_place(detector: FaceDetector, portraits: list[RGB]) -> None:
    for faces in detector.detect(portraits):
        left, top, right, bottom = faces[0].box_px
        eye_left, eye_right, nose, mouth_left, mouth_right = faces[0].landmarks_px
        assert ((faces[0].landmarks_px > (left, top)) & (faces[0].landmarks_px < (right, bottom))).all()
        assert eye_left[0] < eye_right[0]
        assert mouth_left[0] < mouth_right[0]
        assert max(eye_left[1], eye_right[1]) < nose[1] < max(mouth_left[1], mouth_right[1])
        assert 0.6 <= faces[0].confidence <= 1


def test_both_detectors_mean_the_same_points(portraits: list[RGB], models_dir: Path) -> None:
    found = [load_detector(name, models_dir=models_dir, min_face_px=20).detect(portraits) for name in detector_names()]
    for one, other in zip(*found, strict=True):
        apart = np.linalg.norm(one[0].landmarks_px - other[0].landmarks_px, axis=1).mean()
        assert apart < 0.2 * np.linalg.norm(one[0].landmarks_px[0] - one[0].landmarks_px[1])


def test_the_left_eye_is_the_one_on_the_left_of_a_mirrored_picture_too(
    detector: FaceDetector, portraits: list[RGB]
) -> None:
    face = detector.detect([np.ascontiguousarray(portraits[0][:, ::-1])])[0][0]
    assert face.landmarks_px[0, 0] < face.landmarks_px[1, 0]


def test_several_faces_come_the_largest_first(detector: FaceDetector, head: tuple[RGB, float]) -> None:
    frame = set_into(500, 900, (head_of(head, 40), 20, 20), (head_of(head, 120), 200, 20), (head_of(head, 70), 600, 20))
    widths = [face.width_px for face in detector.detect([frame])[0]]
    assert len(widths) == 3
    assert widths == sorted(widths, reverse=True)


def test_faces_narrower_than_asked_for_are_left_out(head: tuple[RGB, float], models_dir: Path) -> None:
    frame = set_into(400, 640, (head_of(head, 100), 20, 20), (head_of(head, 36), 400, 20))
    for name in detector_names():
        found = {px: load_detector(name, models_dir=models_dir, min_face_px=px).detect([frame])[0] for px in (20, 60)}
        assert [len(faces) for faces in found.values()] == [2, 1]
        assert found[60][0].width_px >= 60


def test_a_face_of_sixteen_pixels_in_a_small_frame_is_found(yunet: FaceDetector, head: tuple[RGB, float]) -> None:
    small = head_of(head, 14)  # what YuNet's box measures on a face of 16 px
    frame = set_into(360, 640, (small, 300, 200))
    assert holding(yunet.detect([frame])[0], 300 + small.shape[1] / 2, 200 + small.shape[0] / 2)


def test_a_face_of_twenty_pixels_in_a_4k_frame_is_found_once(yunet: FaceDetector, head: tuple[RGB, float]) -> None:
    small = head_of(head, 20)
    for left in (1700, 1900, 2030, 3700):  # on one tile, on two, on the line between, on the last
        faces = yunet.detect([set_into(2160, 3840, (small, left, 1000))])[0]
        assert len(holding(faces, left + small.shape[1] / 2, 1000 + small.shape[0] / 2)) == 1
        assert len(faces) == 1


def test_a_portrait_that_fills_a_scan_of_fifty_megapixels_is_found_once(
    yunet: FaceDetector, head: tuple[RGB, float]
) -> None:
    part, share = head
    scan = np.asarray(cv2.resize(part, (7000, 7142), interpolation=cv2.INTER_CUBIC), np.uint8)
    faces = yunet.detect([scan])[0]
    assert faces[0].width_px == pytest.approx(7000 * share, rel=0.1)
    assert not [face for face in faces[1:] if holding([faces[0]], *face.centre_px)]


def test_a_face_in_the_corner_or_cut_by_the_edge_of_the_picture_is_found(
    detector: FaceDetector, head: tuple[RGB, float]
) -> None:
    part = head_of(head, 80)
    cut_by_edge = part[:, part.shape[1] // 4 :]
    for picture in (set_into(300, 400, (part, 0, 0)), set_into(300, 400, (cut_by_edge, 0, 100))):
        assert detector.detect([picture])[0]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_face_on_a_picture_that_exif_turns_is_found_upright(
    detector: FaceDetector, portraits: list[RGB], orientation: int
) -> None:
    data = pictures.turned(Image.fromarray(portraits[0]), "JPEG", orientation)
    wanted = detector.detect([portraits[0]])[0][0]
    face = detector.detect([read_photograph(data).pixels])[0][0]
    assert np.abs(face.landmarks_px - wanted.landmarks_px).max() < 0.1 * wanted.width_px


# a closer look


class Eyes:
    """Sees one square face in the middle of frames, and one of another confidence where it is shown enlarged."""

    def __init__(self, side: float, from_afar: float, closer: float) -> None:
        self.side, self.from_afar, self.closer = side, from_afar, closer
        self.closer_looks = 0
        self.batches: list[list[tuple[int, ...]]] = []

    def __call__(self, pictures: Sequence[np.ndarray]) -> list[Sightings]:
        self.batches.append([picture.shape[:2] for picture in pictures])
        return [self.one(picture) for picture in pictures]

    def one(self, bgr: np.ndarray) -> Sightings:
        height, width = bgr.shape[:2]
        if width == 1280:  # 640 x 360 enlarged twice
            return self.face(width, height, 2 * self.side, self.from_afar)
        if height == width:
            self.closer_looks += 1
            return self.face(
                width, height, 48 if width < 200 else 72, self.closer
            )  # 160 or 224 wide, give or take a pixel
        return np.zeros((0, 15), np.float32)

    @staticmethod
    def face(width: int, height: int, side: float, confidence: float) -> Sightings:
        left, top = (width - side) / 2, (height - side) / 2
        return np.array([[left, top, left + side, top + side, *[width / 2, height / 2] * 5, confidence]], np.float32)


@pytest.mark.parametrize(
    ("side", "from_afar", "closer", "is_face", "looks"),
    [
        (20, 0.9, 0.9, True, 2),
        (20, 0.5, 0.9, True, 2),  # too little from afar alone
        (20, 0.9, 0.5, False, 2),  # only resembled one
        (20, 0.9, 0.0, False, 2),
        (60, 0.9, 0.0, True, 0),  # large enough to be believed at once
        (60, 0.5, 0.9, False, 0),
    ],
)
def test_a_small_face_is_believed_after_a_closer_look_and_a_large_one_at_once(
    side: float, from_afar: float, closer: float, is_face: bool, looks: int
) -> None:
    eyes = Eyes(side, from_afar, closer)
    faces = YuNet(eyes, search_plan(12)).detect([np.zeros((360, 640, 3), np.uint8)])[0]
    assert bool(faces) is is_face
    assert eyes.closer_looks == looks
    if faces:
        assert faces[0].centre_px == pytest.approx((320, 180), abs=1)
        assert faces[0].width_px == pytest.approx(side, abs=1)


def test_the_windows_and_the_closer_looks_of_many_frames_are_few_batches() -> None:
    eyes = Eyes(20, 0.9, 0.9)
    found = YuNet(eyes, search_plan(12)).detect([np.zeros((360, 640, 3), np.uint8)] * 3)
    assert [len(faces) for faces in found] == [1, 1, 1]
    assert len(eyes.batches[-1]) == eyes.closer_looks == 6, "both looks at each of the three faces, at once"
    assert all(len(batch) == 1 or sum(h * w for h, w in batch) <= 1024 * 1024 for batch in eyes.batches)
    assert all(batch == sorted(batch) for batch in eyes.batches), "equal sizes one after the other"


# what is none


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 300), (300, 1), (11, 11), (12, 12), (13, 250), (2, 5000)])
def test_pictures_too_small_for_a_face_have_none(detector: FaceDetector, size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert detector.detect([picture]) == [[]]


@pytest.mark.parametrize("value", [0, 127, 255])
def test_a_blank_picture_has_no_face(detector: FaceDetector, value: int) -> None:
    assert detector.detect([np.full((360, 640, 3), value, np.uint8)]) == [[]]


def test_no_pictures_have_no_faces(detector: FaceDetector) -> None:
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((64, 64), np.uint8),
        np.zeros((64, 64, 1), np.uint8),
        np.zeros((64, 64, 4), np.uint8),
        np.zeros((64, 64, 3), np.float32),
    ],
    ids=["grey", "one channel", "RGBA", "floats"],
)
def test_pixels_that_nobody_decoded_properly_are_a_mistake(detector: FaceDetector, picture: RGB) -> None:
    with pytest.raises(AssertionError):
        detector.detect([picture])


# many at once


def test_a_batch_of_mixed_sizes_gives_what_each_picture_gives_alone(
    detector: FaceDetector, portraits: list[RGB]
) -> None:
    blank, tiny = np.zeros((300, 200, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    mixed = [portraits[0], blank, portraits[1], tiny, portraits[0], np.ascontiguousarray(portraits[2][:, ::-1])]
    alone = [detector.detect([picture])[0] for picture in mixed]
    together = detector.detect(mixed)
    assert all(same(one, other) for one, other in zip(alone, together, strict=True))
    assert [bool(faces) for faces in together] == [True, False, True, False, True, True]


def test_many_threads_get_their_own_faces(detector: FaceDetector, portraits: list[RGB]) -> None:
    wanted = [detector.detect([picture])[0] for picture in portraits[:6]]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda picture: detector.detect([picture])[0], portraits[:6] * 3))
    assert all(same(one, other) for one, other in zip(found, wanted * 3, strict=True))


def test_a_picture_that_may_not_be_written_to_is_searched(detector: FaceDetector, portraits: list[RGB]) -> None:
    picture = portraits[0].copy()
    picture.flags.writeable = False
    assert detector.detect([picture])[0]


# the registry


def test_an_unknown_detector_and_an_impossible_size_are_told(models_dir: Path) -> None:
    with pytest.raises(SettingsError, match=r"no detector called 'haar'\. Name one of yunet, mtcnn\."):
        load_detector("haar", models_dir=models_dir, min_face_px=12)
    with pytest.raises(SettingsError, match="smallest face of 0 pixels"):
        load_detector("yunet", models_dir=models_dir, min_face_px=0)
    with pytest.raises(SettingsError, match="no device 'abacus'"):
        load_detector("mtcnn", models_dir=models_dir, min_face_px=12, device="abacus")


def test_a_detector_bears_the_name_it_is_asked_for_by(models_dir: Path) -> None:
    assert [load_detector(name, models_dir=models_dir, min_face_px=12).name for name in detector_names()] == list(
        detector_names()
    )


def test_a_file_that_opencv_cannot_read_is_told_with_the_way_out(models_dir: Path, tmp_path: Path) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="byteface weights get --force yunet"):
        OpenCVYuNet(replace(ensure("yunet", models_dir), path=broken))


# development photographs


def test_the_middle_face_is_found_on_every_twentieth_development_photograph(
    detector: FaceDetector, lfw_dev: Path
) -> None:
    names = (lfw_dev / "probes_val.csv").read_text().splitlines()[1::20]
    found = 0
    for name in names:
        pixels = read_photograph(lfw_dev / "images" / name.rsplit(",", 1)[0]).pixels
        found += bool(holding(detector.detect([pixels])[0], 125, 125))
    assert found >= 0.98 * len(names)
