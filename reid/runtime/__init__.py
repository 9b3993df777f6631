"""What computes: torch and OpenCV are the reference, an OpenVINO graph is what a processor runs by default.

Knows which of them a machine and a person's wishes lead to; the graphs are made in the modules beside this.
"""

from __future__ import annotations

import ctypes.util
import functools
import importlib.util
import json
import logging
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from reid.errors import SettingsError
from reid.weights.store import WeightsFile

log = logging.getLogger(__name__)

T = TypeVar("T")

RUNTIMES = ("auto", "torch", "openvino")
PRECISIONS = ("auto", "float32", "bfloat16", "int8")
VERDICT = Path(__file__).parent.parent / "precision.json"


def uses_openvino(runtime: str, device: str) -> bool:
    """Whether networks run as an OpenVINO graph: on a processor, unless torch is asked for.

    Args:
        runtime: `auto`; `torch` for the reference (OpenCV for `sface` and `yunet`); `openvino` insists.
        device: `auto`, `cpu`, or a device that only torch has.

    Raises:
        SettingsError: no such runtime, or it is insisted upon where it cannot be.
    """
    if runtime not in RUNTIMES:
        raise SettingsError(f"There is no runtime called {runtime!r}. Name one of {', '.join(RUNTIMES)}.")
    if runtime == "openvino":
        if not _installed():
            raise SettingsError("The runtime openvino is not installed. Run `pip install openvino onnx`, or name auto.")
        return True
    if runtime == "torch" or device not in {"auto", "cpu"} or (device == "auto" and has_accelerator()):
        return False
    if not _installed():
        warn_once("OpenVINO is not installed: torch computes, slower. `pip install openvino onnx` makes it fast")
        return False
    return True


def compiled_or_none(compile_it: Callable[[], T], runtime: str) -> T | None:
    """What `compile_it` makes, or None with one warning where OpenVINO cannot: the reference is used instead.

    Raises:
        SettingsError: it cannot, and the runtime `openvino` was insisted upon.
    """
    try:
        return compile_it()
    except (ImportError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        if runtime == "openvino":
            raise SettingsError(
                f"OpenVINO cannot compute on this machine ({reason}). Set BYTEFACE_RUNTIME to auto or torch."
            ) from error
        warn_once(f"OpenVINO cannot compute on this machine ({reason}): torch and OpenCV do, slower")
        return None


def choose_precision(precision: str, weights: WeightsFile) -> str:
    """What a graph computes with on this processor: `float32`, `bfloat16` or `int8`.

    `auto` is the fastest that the processor has and that the measured verdict on these very weights allows: int8 where
    its graph was made, bfloat16, float32.

    Raises:
        SettingsError: no such precision, or one that this processor or these weights lack.
    """
    if precision not in PRECISIONS:
        raise SettingsError(f"There is no precision called {precision!r}. Name one of {', '.join(PRECISIONS)}.")
    if precision == "float32":
        return precision
    from reid.runtime import graph, int8  # OpenVINO, not before it is needed

    if precision == "auto":
        if _allows("int8", weights) and graph.has_int8() and graph.is_kept(weights, int8.SUFFIX):
            return "int8"
        return "bfloat16" if _allows("bfloat16", weights) and graph.has_bfloat16() else "float32"
    if precision == "bfloat16" and not graph.has_bfloat16():
        raise SettingsError("This processor has no bfloat16. Set BYTEFACE_PRECISION to auto or float32.")
    if precision == "int8" and not graph.is_kept(weights, int8.SUFFIX):
        raise SettingsError(
            f"{weights.source} has no int8 graph here. Make it with `byteface weights quantise`, or set "
            "BYTEFACE_PRECISION to auto."
        )
    return precision


def _allows(precision: str, weights: WeightsFile) -> bool:
    """Whether it was measured to cost nothing with these weights (`benchmarks/precision.py`)."""
    return bool(_verdict().get(precision, {}).get(weights.sha256, False))


@functools.cache
def _verdict() -> Mapping[str, Mapping[str, bool]]:
    """Precision -> SHA-256 of weights -> whether it passes."""
    found: Mapping[str, Mapping[str, bool]] = json.loads(VERDICT.read_text(encoding="utf-8"))
    return found


@functools.cache
def has_accelerator() -> bool:
    """Whether torch would find CUDA or Metal here. Loads torch, which takes seconds, only where one may be."""
    if sys.platform == "darwin":
        may_be = platform.machine() == "arm64"
    else:
        drivers = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))  # CUDA, ROCm, either of them in WSL
        may_be = any(driver.exists() for driver in drivers) or ctypes.util.find_library("nvcuda") is not None
    if not may_be:
        return False
    import torch

    return bool(torch.cuda.is_available() or torch.backends.mps.is_available())


@functools.cache
def warn_once(message: str) -> None:
    """Says in the log what this process does without, once."""
    log.warning(message)


def _installed() -> bool:
    return importlib.util.find_spec("openvino") is not None
