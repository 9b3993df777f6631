#!/usr/bin/env python3
"""How fast faces are embedded and found, against the peers and the processor's own limit, in one run.

usage: benchmarks/embed.py [--rounds N] [--batch N] [--street FILE.mp4] [--skip embed|detect]

Every contender computes the same: a crop and its mirror image for each face, a 1920 x 1080 frame at its own scale.
Contenders take turns; the figures are medians over the rounds. Wall time is what a person waits; processor time, of
all cores together, is what a contended machine still measures well: compare ratios of it where the load is high. The
limit is this machine's own matrix product (torch) over the multiplications of the network. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray
from results import keep, processor

from reid.detect.pyramid import SearchPlan, merge
from reid.detect.yunet import SCORE_THRESHOLD, YuNet
from reid.detect.yunet_graph import YuNetGraph, compiled_yunet
from reid.networks.facenet import load_module, standardise
from reid.runtime.graph import has_bfloat16, has_int8, usable_cores
from reid.settings import Settings
from reid.space import EmbeddingSpace
from reid.weights import ensure

MATRIX = 2048  # side of the product that gives the limit
EAGER, OPENCV, GRAPH = "facenet-pytorch, eager", "OpenCV's SFace", "facenet's graph alone"


@dataclass
class Contender:
    """Something timed: what it does for `amount` faces or frames."""

    name: str
    run: Callable[[], object]
    amount: int = 1
    wall_s: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)

    def measure(self) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        self.run()
        self.wall_s.append(time.perf_counter() - wall)
        self.processor_s.append(time.process_time() - processor)

    def wall(self) -> float:
        return statistics.median(self.wall_s) / self.amount

    def processor(self) -> float:
        return statistics.median(self.processor_s) / self.amount


def main() -> None:
    """Prints the tables as Markdown."""
    args = _arguments()
    torch.set_num_threads(usable_cores())
    print(f"{processor()}, {usable_cores()} cores, load {os.getloadavg()[0]:.1f}, OpenVINO {ov.__version__[:8]}\n")
    precisions = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    quantised = has_int8() and all(_graphs(source, "*-int8") for source in ("ms1m", "sface"))
    if args.skip != "embed":
        _embedding(args, precisions + ["int8"] * quantised)
    if args.skip != "detect":
        _detection(args, precisions)


def _embedding(args: argparse.Namespace, precisions: list[str]) -> None:
    limits = {precision: _matrix_product(precision) for precision in precisions if precision != "int8"}
    several, single = _embedders(args.batch, precisions), _embedders(1, precisions)
    _take_turns([*several, *single, *limits.values()], args.rounds)
    rates = {name: 2 * MATRIX**3 / limit.wall() / 1e9 for name, limit in limits.items()}
    print("Matrix product: " + ", ".join(f"{name} {rate:.0f} GFLOP/s" for name, rate in rates.items()) + "\n")
    print(
        f"| embedding | batch of {args.batch}: faces/s | against the peer, wall / processor time | of the matrix "
        "product's rate | one face: ms | against the peer, wall / processor time |"
    )
    print("|---|---|---|---|---|---|")
    work = {"facenet": _gflop("ms1m", 160), "sface": _gflop("sface", 112)}
    peers = {"sface": OPENCV, OPENCV: OPENCV}
    rows = []
    for many, one in zip(several, single, strict=True):
        space, _, precision = many.name.partition(", ")
        peer = next((i for i, c in enumerate(several) if c.name == peers.get(space, EAGER)), 0)
        gflop = 2 * sum(work.get(name, 0) for name in _networks(space))  # a face is computed mirrored too
        share = gflop / many.wall() / rates.get("float32" if many.name in {EAGER, OPENCV} else precision, np.inf)
        rows.append({
            "name": many.name, "faces_per_s": 1 / many.wall(), "one_ms": one.wall() * 1e3, "share": share,
            "times": several[peer].wall() / many.wall(), "times_one": single[peer].wall() / one.wall(),
        })  # fmt: skip
        print(
            f"| {many.name} | {1 / many.wall():.1f} | {_times(several[peer], many)} | "
            f"{f'{share:.2f}' if share else ''} | {one.wall() * 1e3:.1f} | {_times(single[peer], one)} |"
        )
    print()
    for name, peer in (("facenet", several[0]), ("sface", several[1])):
        for precision, rate in rates.items():
            most = rate / (2 * work[name])
            print(
                f"At the matrix product's rate in {precision}, {name} ({2 * work[name]:.2f} GFLOP a face) would embed "
                f"{most:.0f} faces/s: {most * peer.wall():.1f} times its peer."
            )
    keep(
        "embed",
        {"batch": args.batch, "gflops": rates, "gflop_a_face": {k: 2 * v for k, v in work.items()}, "rows": rows},
    )


def _networks(contender: str) -> list[str]:
    if contender in {EAGER.split(", ")[0], GRAPH}:
        return ["facenet"]
    return ["sface"] if contender == OPENCV else contender.split("@")[0].split("+")


def _embedders(count: int, precisions: list[str]) -> list[Contender]:
    """The peers, the raw graph, then our spaces in each precision; each embeds `count` faces."""
    models = Settings.from_env().models_dir
    crops = {px: _noise(count, px) for px in (160, 112)}
    module = load_module(ensure("ms1m", models)).eval()
    recogniser = cv2.FaceRecognizerSF.create(str(ensure("sface", models).path), "")

    @torch.inference_mode()
    def eager() -> None:
        pixels = torch.from_numpy(np.concatenate([crops[160], crops[160][:, :, ::-1]])).permute(0, 3, 1, 2).float()
        module(standardise(pixels, "per_image"))

    def opencv() -> None:
        for crop in crops[112]:
            for picture in (crop, crop[:, ::-1]):
                recogniser.feature(np.ascontiguousarray(picture[:, :, ::-1]))

    found = [
        Contender(EAGER, eager, count),
        Contender(OPENCV, opencv, count),
    ]
    for precision in precisions:
        found.append(_raw_graph("ms1m", precision, crops[160]))
        for name in ("facenet", "sface", "facenet+sface@0.2"):
            space = EmbeddingSpace.load(name, "ms1m", models, device="cpu", runtime="openvino", precision=precision)
            faces = list(zip(*(crops[network.crop_px] for network in space.networks), strict=True))
            found.append(Contender(f"{name}, {precision}", lambda space=space, faces=faces: space.embed(faces), count))
    return found


def _raw_graph(source: str, precision: str, crops: NDArray[np.uint8]) -> Contender:
    """OpenVINO alone, as its own benchmark runs it: our graph with a fixed shape, nothing before or after."""
    model = _graph(source, precision)
    both = np.concatenate([crops, crops[:, :, ::-1]])
    model.reshape([len(both), *both.shape[1:]])
    config = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16", "int8": "bf16"}[precision],
    }
    request = ov.Core().compile_model(model, "CPU", config).create_infer_request()
    request.set_input_tensor(ov.Tensor(both))
    return Contender(f"{GRAPH}, {precision}", request.infer, len(crops))


def _detection(args: argparse.Namespace, precisions: list[str]) -> None:
    frame = _frame(args.street)
    weights = ensure("yunet", Settings.from_env().models_dir)
    opencv = cv2.FaceDetectorYN.create(str(weights.path), "", (1920, 1080), SCORE_THRESHOLD)
    mtcnn = MTCNN(min_face_size=20, keep_all=True, post_process=False)
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    # one pass at the frame's own scale: enlarging it for small faces would not be the same work
    plan = SearchPlan(min_face_px=24, seen_to_px=10_000, tile_px=10_000)
    contenders = [
        Contender("facenet-pytorch's MTCNN, from 20 px", lambda: mtcnn.detect(frame)),
        Contender("OpenCV's YuNet", lambda: opencv.detect(bgr)),
    ]
    for precision in precisions:
        find = YuNetGraph(compiled_yunet(weights, precision=precision))
        ours = YuNet(find, plan)
        name = f"yunet, {precision}"
        contenders += [
            Contender(f"{name}, the frame once", lambda find=find: merge(find([bgr])[0])),
            Contender(f"{name}, its small faces enlarged too", lambda ours=ours: ours.detect([frame])),
            Contender(f"{name}, that of 4 frames at once", lambda ours=ours: ours.detect([frame] * 4), 4),
        ]
    _take_turns(contenders, args.rounds)
    print("\n| 1920 x 1080 frame | ms | frames/s | against MTCNN, wall / processor time | against OpenCV's YuNet |")
    print("|---|---|---|---|---|")
    for one in contenders:
        print(
            f"| {one.name} | {one.wall() * 1e3:.1f} | {1 / one.wall():.1f} | {_times(contenders[0], one)} | "
            f"{_times(contenders[1], one)} |"
        )
    keep("detect", [{"name": one.name, "ms": one.wall() * 1e3} for one in contenders])


def _take_turns(contenders: list[Contender], rounds: int) -> None:
    for one in contenders:
        one.run()  # the first call lays out memory
    for _ in range(rounds):
        for one in contenders:
            one.measure()


def _times(peer: Contender, ours: Contender) -> str:
    return f"{peer.wall() / ours.wall():.2f} / {peer.processor() / ours.processor():.2f}"


def _matrix_product(precision: str) -> Contender:
    kind = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    left, right = torch.rand(MATRIX, MATRIX).to(kind), torch.rand(MATRIX, MATRIX).to(kind)
    return Contender(precision, lambda: left @ right)


def _gflop(source: str, crop_px: int) -> float:
    """Of one picture: two for each multiplication of a convolution or matrix product."""
    model = _graph(source)
    model.reshape([1, crop_px, crop_px, 3])
    total = 0
    for node in model.get_ops():
        if node.get_type_name() in {"Convolution", "GroupConvolution", "MatMul"}:
            outputs, weights = node.get_output_shape(0), node.get_input_shape(1)
            channels = outputs[1]
            total += 2 * int(np.prod(outputs)) * int(np.prod(weights)) // channels
    return total / 1e9


def _graph(source: str, precision: str = "float32") -> ov.Model:
    """The kept graph of weights that were loaded before."""
    (path,) = _graphs(source, "*-int8" if precision == "int8" else "*[!8]")
    return ov.Core().read_model(path)


def _graphs(source: str, name: str) -> list[Path]:
    folder = ensure(source, Settings.from_env().models_dir).path.parent / "openvino"
    return list(folder.glob(f"{name}/graph.xml"))


def _noise(count: int, size_px: int) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(0).integers(0, 256, (count, 7, 7, 3), np.uint8)
    return np.stack([cv2.resize(one, (size_px, size_px), interpolation=cv2.INTER_CUBIC) for one in coarse])


def _frame(street: Path) -> NDArray[np.uint8]:
    """The first frame, RGB; noise where there is none: the networks compute as long, MTCNN's later stages do not."""
    read, frame = cv2.VideoCapture(str(street)).read() if street.exists() else (False, None)
    if not read:
        print(f"no frame in {street}: noise instead")
        return cv2.resize(_noise(1, 112)[0], (1920, 1080))
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--street", type=Path, default=Path("../shared/data/street/street_1080p.mp4"))
    parser.add_argument("--skip", choices=("embed", "detect"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
