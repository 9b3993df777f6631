"""Face detectors by name. A new one is a file beside this and a line in `_DETECTORS`; knows none of their insides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reid.detect.base import FaceDetector
from reid.errors import SettingsError
from reid.runtime import choose_precision, compiled_or_none, uses_openvino

if TYPE_CHECKING:
    from reid.detect.yunet_graph import YuNetGraph
    from reid.weights import WeightsFile

__all__ = ["FaceDetector", "detector_names", "load_detector"]


def _yunet(models_dir: Path, min_face_px: int, device: str, runtime: str, precision: str) -> FaceDetector:
    from reid import weights
    from reid.detect.yunet import OpenCVYuNet, YuNet, search_plan

    del device  # a frame costs less here than its way to another device
    file = weights.ensure("yunet", models_dir)
    find: YuNetGraph | None = None
    if uses_openvino(runtime, "cpu"):
        precision = "auto" if precision == "int8" else precision  # that is the networks' alone
        find = compiled_or_none(lambda: _yunet_graph(file, choose_precision(precision, file)), runtime)
    return YuNet(find if find is not None else OpenCVYuNet(file), search_plan(min_face_px))


def _yunet_graph(file: WeightsFile, precision: str) -> YuNetGraph:
    from reid.detect.yunet_graph import YuNetGraph, compiled_yunet

    return YuNetGraph(compiled_yunet(file, precision=precision))


def _mtcnn(models_dir: Path, min_face_px: int, device: str, runtime: str, precision: str) -> FaceDetector:
    import torch

    from reid.detect.mtcnn import MTCNN, search_plan

    del models_dir, runtime, precision  # its weights lie in facenet-pytorch's wheel, and torch computes it
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"  # Metal lacks its way of shrinking pictures
    try:
        return MTCNN(search_plan(min_face_px), device=torch.device(device))
    except (RuntimeError, AssertionError) as problem:
        raise SettingsError(f"This machine has no device {device!r}. Set BYTEFACE_DEVICE to auto or cpu.") from problem


_DETECTORS: Mapping[str, Callable[[Path, int, str, str, str], FaceDetector]] = {"yunet": _yunet, "mtcnn": _mtcnn}


def detector_names() -> tuple[str, ...]:
    """What `load_detector` and `--detector` take."""
    return tuple(_DETECTORS)


def load_detector(
    name: str,
    *,
    models_dir: Path,
    min_face_px: int,
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
) -> FaceDetector:
    """A detector ready to use; its libraries are loaded now and not before.

    Args:
        name: one of `detector_names()`.
        models_dir: where its weights are kept, and brought to when they are missing.
        min_face_px: width of the smallest face that is looked for; a larger number makes it faster.
        device: a torch device, `auto` for the best one present; only for detectors that run in torch.
        runtime: `auto`, `torch` (for `yunet` OpenCV, the reference) or `openvino`.
        precision: `auto`, `float32` or `bfloat16`, of an OpenVINO graph.

    Raises:
        SettingsError: no such detector, runtime or precision, or a width below one pixel.
        WeightsError: its weights are missing and cannot be brought.
    """
    if name not in _DETECTORS:
        raise SettingsError(f"There is no detector called {name!r}. Name one of {', '.join(_DETECTORS)}.")
    if min_face_px < 1:
        raise SettingsError(f"A smallest face of {min_face_px} pixels cannot be looked for. Name 1 or more.")
    return _DETECTORS[name](models_dir, min_face_px, device, runtime, precision)
