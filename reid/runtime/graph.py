"""OpenVINO graphs: built once and kept beside their weights, compiled for this processor, called by several threads.

Knows neither faces nor where weights come from.
"""

from __future__ import annotations

import functools
import logging
import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from reid.runtime.sharing import MOST_BESIDE, shares_cores, usable_cores
from reid.weights.files import one_at_a_time, replacing_folder, sweep
from reid.weights.store import WeightsFile

log = logging.getLogger(__name__)

_FILE = "graph.xml"
_TYPES = {"float32": "f32", "bfloat16": "bf16"}


_FIRST_CALL = threading.Lock()
"""Graphs are called for the first time one after the other.

OpenVINO's Python layer fills a table on the first call ever, holding C++'s lock for it and waiting for Python's; a
second thread that comes at that moment holds Python's and waits for C++'s, for ever. Seen with 2026.4.1.
"""


@functools.cache
def _core() -> ov.Core:
    return ov.Core()


def has_bfloat16() -> bool:
    """Whether this processor computes with bfloat16 itself instead of imitating it."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def has_int8() -> bool:
    """Whether this processor has instructions for products of 8 bits."""
    return "INT8" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class CompiledGraph:
    """A graph ready to compute. Threads share it: each call borrows a request.

    A call uses every core; those of threads within `reid.runtime.sharing.one_core_each` use one each, beside each
    other, for which the graph is compiled once more when that is first asked for.
    """

    def __init__(self, model: ov.Model, *, precision: str = "float32", threads: int | None = None) -> None:
        """
        Args:
            model: with one input.
            precision: `float32` or `bfloat16`, of what lies between input and output; `int8` for a graph that says
                itself where it computes in 8 bits, with the fastest numbers between.
            threads: None for every core that this process may use.

        Raises:
            RuntimeError: OpenVINO cannot compile it here.
        """
        self.precision = precision
        self._model = model
        self._threads = threads or usable_cores()
        self._alone = _Requests(self._compiled({"PERFORMANCE_HINT": "LATENCY"}))  # one call at a time on all cores
        self._beside = self._alone if self._threads == 1 else None
        self._compiling = threading.Lock()
        self._called = False

    def __call__(self, batch: NDArray[Any]) -> list[NDArray[np.float32]]:
        """The graph's outputs in their order, for a batch of any length."""
        requests = self._shared() if shares_cores() else self._alone
        if self._called:
            return requests.infer(batch)
        with _FIRST_CALL:
            found = requests.infer(batch)
        self._called = True
        return found

    def _shared(self) -> _Requests:
        with self._compiling:
            if self._beside is None:
                self._beside = _Requests(self._compiled({"NUM_STREAMS": min(self._threads, MOST_BESIDE)}))
            return self._beside

    def _compiled(self, how: dict[str, Any]) -> ov.CompiledModel:
        config = {
            "INFERENCE_PRECISION_HINT": _TYPES[_between(self.precision)],
            "INFERENCE_NUM_THREADS": self._threads,
            "ENABLE_CPU_PINNING": False,  # two processes would be pinned to the same cores
        }
        return _core().compile_model(self._model, "CPU", config | how)


class _Requests:
    """One way in which a graph was compiled, and what computes it, as many as threads call at once."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self._compiled = compiled
        self._outputs = range(len(compiled.outputs))
        self._idle: deque[ov.InferRequest] = deque()

    def infer(self, batch: NDArray[Any]) -> list[NDArray[np.float32]]:
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            found = request.infer([np.ascontiguousarray(batch)], share_inputs=True)
            return [np.array(found[index], np.float32) for index in self._outputs]  # the request's own are overwritten
        finally:
            self._idle.append(request)


def _between(precision: str) -> str:
    if precision != "int8":
        return precision
    return "bfloat16" if has_bfloat16() else "float32"


def kept_graph(weights: WeightsFile, recipe: str, build: Callable[[WeightsFile], ov.Model]) -> ov.Model:
    """The graph of a weights file: read where it is kept, otherwise built, and kept where that folder can be written.

    Args:
        recipe: part of its name; to be changed whenever `build` makes another graph of the same weights.
        build: makes it.

    Raises:
        WeightsError: the weights do not fit.
    """
    folder = _place(weights, recipe)
    home = folder.parent
    model = _read(folder)
    if model is not None:
        return model
    try:
        with one_at_a_time(home):
            model = _read(folder)  # another process may have made it meanwhile
            return model if model is not None else _keep(build(weights), folder)
    except OSError as error:
        log.info("no graph can be kept in %s (%s): it is built at every start", home, error)
        return build(weights)


def found_graph(weights: WeightsFile, recipe: str) -> ov.Model | None:
    """The graph of a weights file where one is kept; never builds one."""
    return _read(_place(weights, recipe))


def is_kept(weights: WeightsFile, ending: str) -> bool:
    """Whether a graph is kept whose recipe ends so."""
    return any((weights.path.parent / "openvino").glob(f"{_prefix(weights)}*{ending}/{_FILE}"))


def _place(weights: WeightsFile, recipe: str) -> Path:
    return weights.path.parent / "openvino" / f"{_prefix(weights)}{recipe}"


def _prefix(weights: WeightsFile) -> str:
    return f"{ov.__version__.split('-')[0]}-{weights.sha256[:12]}-"


def _read(folder: Path) -> ov.Model | None:
    """What is kept there, or None where that is nothing, or nothing that can be read."""
    if not (folder / _FILE).is_file():
        return None
    try:
        return _core().read_model(folder / _FILE)
    except RuntimeError:
        log.warning("the graph kept in %s cannot be read and is built anew", folder.name)
        return None


def _keep(model: ov.Model, folder: Path) -> ov.Model:
    """Writes it, all or nothing, in the place of those of other weights, versions or recipes; needs the lock.

    The int8 graph of the same recipe stays beside it, and it beside that.
    """
    sweep(folder.parent)
    try:
        with replacing_folder(folder) as staging:
            ov.save_model(model, staging / _FILE, compress_to_fp16=False)
    except (OSError, RuntimeError) as error:  # a full disk; OpenVINO has no error of its own for it
        log.warning("the graph could not be kept in %s (%s): it is built at every start", folder.parent, error)
        return model
    for other in folder.parent.iterdir():
        if other.is_dir() and other.name.removesuffix("-int8") != folder.name.removesuffix("-int8"):
            shutil.rmtree(other, ignore_errors=True)
    return model
