#!/usr/bin/env python3
"""Which detector finds faces best, holds its landmarks stillest, and what does a frame cost.

usage: benchmarks/detectors.py --lfw-dev DIR [--surveillance DIR] [--groups DIR] [--street FILE.mp4] [--limit N]

DIR of --surveillance holds one folder a size, `val-16` for frames with faces of 16 px, each with `images/` and
`probes.csv` (`image_path, left, top, scale`: where the clean photograph lies in the frame). DIR of --groups holds
photographs and `boxes.csv` (`image, left, top, width, height`). All is chosen on `probes_val.csv`. Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from reid import weights
from reid.detect import FaceDetector
from reid.detect.mtcnn import MTCNN
from reid.detect.mtcnn import search_plan as mtcnn_plan
from reid.detect.yunet import SCORE_THRESHOLD, YuNet
from reid.detect.yunet import search_plan as yunet_plan
from reid.detect.yunet_graph import YuNetGraph, compiled_yunet
from reid.images import decode_jpeg, encode_jpeg, read_photograph
from reid.settings import Settings
from reid.types import RGB, Face

MIRRORED = [1, 0, 2, 4, 3]  # which landmark of a mirrored face is which of the face
THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85)
SIZES = (48, 32, 24, 16)


@dataclass(frozen=True)
class Probe:
    """A picture and the point that one face is at; `scale` is that of the face, 1 for a clean photograph."""

    path: Path
    centre: tuple[float, float]
    clean: Path
    left: float = 0.0
    top: float = 0.0
    scale: float = 1.0

    def holds_clean(self, x: float, y: float) -> bool:
        """Whether a point of the frame lies on the photograph that was set into it, and not on plain background."""
        side = 250 * self.scale
        return self.left <= x <= self.left + side and self.top <= y <= self.top + side


def main() -> None:
    """Prints the tables as Markdown."""
    args = _arguments()
    detectors = _detectors(Settings.from_env(), args.min_face_px)
    detectors = {name: detectors[name] for name in args.only or detectors}
    probes = _clean_probes(args.lfw_dev, args.limit)
    _print_main_table(detectors, probes, args)
    if args.surveillance:
        surveillance = {
            size: _small_probes(args.lfw_dev, args.surveillance / f"val-{size}", args.limit) for size in SIZES
        }
        _print_surveillance_table(detectors, surveillance)
        _print_threshold_table(probes, surveillance, args)
    _print_times(detectors, probes, args)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lfw-dev", type=Path, required=True)
    parser.add_argument("--surveillance", type=Path)
    parser.add_argument("--groups", type=Path)
    parser.add_argument("--street", type=Path)
    parser.add_argument("--min-face-px", type=int, default=Settings.from_env().min_face_px)
    parser.add_argument("--limit", type=int, default=1_000_000, help="photographs of each set")
    parser.add_argument("--only", nargs="+", help="names of the first column")
    parser.add_argument("--rounds", type=int, default=9, help="interleaved repetitions of each timing")
    return parser.parse_args()


def _detectors(
    settings: Settings, min_face_px: int, score_threshold: float = SCORE_THRESHOLD
) -> dict[str, FaceDetector]:
    find = YuNetGraph(compiled_yunet(weights.ensure("yunet", settings.models_dir)))
    as_it_is = {"max_enlargement": 1.0, "tile_px": 100_000}
    return {
        "YuNet, picture as it is": YuNet(
            find, replace(yunet_plan(min_face_px), seen_to_px=100_000, **as_it_is), score_threshold=score_threshold
        ),
        "YuNet, with the plan": YuNet(find, yunet_plan(min_face_px), score_threshold=score_threshold),
        "MTCNN, from 20 px": MTCNN(replace(mtcnn_plan(20), **as_it_is)),
        "MTCNN, with the plan": MTCNN(mtcnn_plan(min_face_px)),
    }


# what is searched


def _clean_probes(lfw_dev: Path, limit: int) -> list[Probe]:
    names = pd.read_csv(lfw_dev / "probes_val.csv")["image_path"][:limit]
    return [Probe(path := lfw_dev / "images" / name, (125.0, 125.0), path) for name in names]


def _small_probes(lfw_dev: Path, folder: Path, limit: int) -> list[Probe]:
    return [
        Probe(
            folder / "images" / row.image_path,
            (row.left + 125 * row.scale, row.top + 125 * row.scale),
            lfw_dev / "images" / row.image_path,
            row.left,
            row.top,
            row.scale,
        )
        for row in pd.read_csv(folder / "probes.csv")[:limit].itertuples()
    ]


def _pictures(paths: Sequence[Path], what: str) -> Iterator[RGB]:
    for path in tqdm(paths, desc=what, unit="photo", leave=False):
        yield read_photograph(path).pixels


def _frames(path: Path, every: int = 5) -> list[RGB]:
    capture, frames, index = cv2.VideoCapture(str(path)), [], 0
    while True:
        read, frame = capture.read()
        if not read:
            return frames
        if index % every == 0:
            frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        index += 1


# what is measured


def _holds(face: Face, point: tuple[float, float]) -> bool:
    left, top, right, bottom = face.box_px
    return left <= point[0] <= right and top <= point[1] <= bottom


def _at(faces: Sequence[Face], point: tuple[float, float]) -> Face | None:
    """The largest face whose box holds the point."""
    return next((face for face in faces if _holds(face, point)), None)


def _between_eyes(points: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(points[0] - points[1]))


def _stability(detector: FaceDetector, image: RGB, face: Face) -> list[float]:
    """Mean distance of the landmarks found on changed copies from those on the picture, by the distance of the eyes."""
    height, width = image.shape[:2]
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    changes: list[tuple[RGB, Callable[[NDArray[np.float32]], NDArray[np.float32]]]] = [
        (np.ascontiguousarray(image[:, ::-1]), lambda points: np.abs((width - 1, 0) - points)[MIRRORED]),
        (np.asarray(half, np.uint8), lambda points: points * 2),
        (decode_jpeg(encode_jpeg(image, quality=20)), lambda points: points),
        (np.ascontiguousarray(image[13:, 7:]), lambda points: points + np.float32((7, 13))),
    ]
    errors = []
    for changed, back in changes:
        again = [replace(found, landmarks_px=back(found.landmarks_px)) for found in detector.detect([changed])[0]]
        distances = [np.linalg.norm(found.landmarks_px - face.landmarks_px, axis=1).mean() for found in again]
        errors.append(float(min(distances, default=np.inf)) / _between_eyes(face.landmarks_px))
    return errors


def _group_scores(detector: FaceDetector, folder: Path) -> tuple[int, int, int]:
    """Boxes found at an overlap of at least 0.4, boxes, and faces that are on no box."""
    table = pd.read_csv(folder / "boxes.csv")
    found, extra = 0, 0
    for name, rows in table.groupby("image"):
        faces = detector.detect([read_photograph(folder / str(name)).pixels])[0]
        boxes = np.array([[row.left, row.top, row.left + row.width, row.top + row.height] for row in rows.itertuples()])
        overlaps = np.array([[_overlap(box, np.array(face.box_px)) for face in faces] for box in boxes])
        found += int((overlaps.max(axis=1, initial=0) >= 0.4).sum())
        extra += int((overlaps.max(axis=0, initial=0) < 0.1).sum())
    return found, len(table), extra


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    return float(sides.prod() / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - sides.prod()))


# what is printed


def _print_main_table(detectors: dict[str, FaceDetector], probes: list[Probe], args: argparse.Namespace) -> None:
    print("| detector | lfw-dev | landmarks move, median / 95th | groups | beside them | street, faces a frame |")
    print("|---|---|---|---|---|---|")
    frames = _frames(args.street) if args.street else []
    for name, detector in detectors.items():
        found, moves = 0, []
        for index, image in enumerate(_pictures([probe.path for probe in probes], name)):
            face = _at(detector.detect([image])[0], probes[index].centre)
            found += face is not None
            if face is not None and index % 4 == 0:
                moves += _stability(detector, image, face)
        groups = _group_scores(detector, args.groups) if args.groups else None
        street = [len(faces) for frame in frames for faces in detector.detect([frame])]
        print(
            f"| {name} | {found / len(probes):.4f} | {np.median(moves):.3f} / {np.quantile(moves, 0.95):.3f} "
            f"| {f'{groups[0]} of {groups[1]} | {groups[2]}' if groups else '- | -'} "
            f"| {f'{np.mean(street):.1f}' if street else '-'} |"
        )


def _print_surveillance_table(detectors: dict[str, FaceDetector], sets: dict[int, list[Probe]]) -> None:
    print("\nFound / the largest is it / landmarks off, median of the eyes' distance\n")
    print("| detector |" + "".join(f" {size} px |" for size in sets))
    print("|---|" + "---|" * len(sets))
    for name, detector in detectors.items():
        cells = []
        for size, probes in sets.items():
            found, largest, errors = 0, 0, []
            for probe, image in zip(probes, _pictures([p.path for p in probes], f"{name}, {size} px"), strict=True):
                faces = detector.detect([image])[0]
                face = _at(faces, probe.centre)
                found += face is not None
                largest += bool(faces) and _holds(faces[0], probe.centre)
                if face is not None and len(errors) < 250:
                    errors += _landmark_error(detector, probe, face)
            cells.append(f"{found / len(probes):.3f} / {largest / len(probes):.3f} / {np.median(errors):.3f}")
        print(f"| {name} | {' | '.join(cells)} |")


def _landmark_error(detector: FaceDetector, probe: Probe, face: Face) -> list[float]:
    """How far the landmarks are from where the same detector sees them on the clean photograph."""
    clean = _at(detector.detect([read_photograph(probe.clean).pixels])[0], (125.0, 125.0))
    if clean is None:
        return []
    true = clean.landmarks_px * probe.scale + np.float32((probe.left, probe.top))
    return [float(np.linalg.norm(face.landmarks_px - true, axis=1).mean()) / _between_eyes(true)]


def _print_threshold_table(probes: list[Probe], sets: dict[int, list[Probe]], args: argparse.Namespace) -> None:
    frames = _frames(args.street) if args.street else []
    print("\nYuNet, with the plan: its threshold. Found / the largest is it\n")
    print(
        "| threshold | lfw-dev |"
        + "".join(f" {size} px |" for size in sets)
        + " on plain background, in 1,000 frames | street, faces a frame |"
    )
    print("|---|---|" + "---|" * len(sets) + "---|---|")
    for threshold in THRESHOLDS:
        detector = _detectors(Settings.from_env(), args.min_face_px, threshold)["YuNet, with the plan"]
        cells, wrong = [_rates(detector, probes, f"{threshold}")[0]], 0
        for size, some in sets.items():
            cell, outside = _rates(detector, some, f"{threshold}, {size} px")
            cells.append(cell)
            wrong += outside
        street = [len(faces) for frame in frames for faces in detector.detect([frame])]
        rate = 1000 * wrong / sum(len(some) for some in sets.values())
        print(
            f"| {threshold} | {' | '.join(cells)} | {rate:.1f} | {f'{np.mean(street):.1f}' if street else '-'} |",
            flush=True,
        )


def _rates(detector: FaceDetector, probes: list[Probe], what: str) -> tuple[str, int]:
    """Shares of probes where a face holds the true centre and where the largest does; faces on plain background."""
    found, largest, outside = 0, 0, 0
    for probe, image in zip(probes, _pictures([probe.path for probe in probes], what), strict=True):
        faces = detector.detect([image])[0]
        found += _at(faces, probe.centre) is not None
        largest += bool(faces) and _holds(faces[0], probe.centre)
        outside += sum(not probe.holds_clean(*face.centre_px) for face in faces)
    return f"{found / len(probes):.3f} / {largest / len(probes):.3f}", outside


def _print_times(detectors: dict[str, FaceDetector], probes: list[Probe], args: argparse.Namespace) -> None:
    """Median of interleaved repetitions, so that another process slows all of them down alike."""
    photograph = read_photograph(probes[0].path).pixels
    street = _frames(args.street)[0] if args.street else np.tile(photograph, (5, 8, 1))[:1080, :1920]
    pictures = {
        "250 x 250": photograph,
        "640 x 360": np.ascontiguousarray(np.asarray(cv2.resize(street, (640, 360), interpolation=cv2.INTER_AREA))),
        "1920 x 1080": street,
        "4000 x 3000": np.asarray(cv2.resize(street, (4000, 3000)), np.uint8),
    }
    print("\n| milliseconds | " + " | ".join(pictures) + " |")
    print("|---|" + "---|" * len(pictures))
    seconds: dict[tuple[str, str], list[float]] = {}
    for _ in range(args.rounds):
        for name, detector in detectors.items():
            for title, picture in pictures.items():
                started = time.perf_counter()
                detector.detect([picture])
                seconds.setdefault((name, title), []).append(time.perf_counter() - started)
    for name in detectors:
        cells = [f"{1000 * float(np.median(seconds[name, title])):.0f}" for title in pictures]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
