"""Face detectors by name. A new one is a file beside this and a line in `_DETECTORS`; knows none of their insides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reid.detect.base import FaceDetector
from reid.errors import SettingsError

__all__ = ["FaceDetector", "detector_names", "load_detector"]


def _yunet(models_dir: Path, min_face_px: int, device: str) -> FaceDetector:
    from reid import weights
    from reid.detect.pyramid import SearchPlan
    from reid.detect.yunet import YuNet

    del device  # OpenCV's network runs on the processor
    return YuNet(weights.ensure("yunet", models_dir).path, SearchPlan(min_face_px))


def _mtcnn(models_dir: Path, min_face_px: int, device: str) -> FaceDetector:
    import torch

    from reid.detect.mtcnn import MTCNN, search_plan

    del models_dir  # its weights lie in facenet-pytorch's wheel
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"  # Metal lacks its way of shrinking pictures
    try:
        return MTCNN(search_plan(min_face_px), device=torch.device(device))
    except (RuntimeError, AssertionError) as problem:
        raise SettingsError(f"This machine has no device {device!r}. Set BYTEFACE_DEVICE to auto or cpu.") from problem


_DETECTORS: Mapping[str, Callable[[Path, int, str], FaceDetector]] = {"yunet": _yunet, "mtcnn": _mtcnn}


def detector_names() -> tuple[str, ...]:
    """What `load_detector` and `--detector` take."""
    return tuple(_DETECTORS)


def load_detector(name: str, *, models_dir: Path, min_face_px: int, device: str = "auto") -> FaceDetector:
    """A detector ready to use; its libraries are loaded now and not before.

    Args:
        name: one of `detector_names()`.
        models_dir: where its weights are kept, and brought to when they are missing.
        min_face_px: width of the smallest face that is looked for; a larger number makes it faster.
        device: a torch device, `auto` for the best one present; only for detectors that run in torch.

    Raises:
        SettingsError: no such detector, or a width below one pixel.
        WeightsError: its weights are missing and cannot be brought.
    """
    if name not in _DETECTORS:
        raise SettingsError(f"There is no detector called {name!r}. Name one of {', '.join(_DETECTORS)}.")
    if min_face_px < 1:
        raise SettingsError(f"A smallest face of {min_face_px} pixels cannot be looked for. Name 1 or more.")
    return _DETECTORS[name](models_dir, min_face_px, device)
