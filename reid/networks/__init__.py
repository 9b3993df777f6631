"""The networks by name. A new one is a file beside this and a line in each of the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reid.errors import WeightsError
from reid.networks.base import Network
from reid.runtime import choose_precision, compiled_or_none, uses_openvino
from reid.weights import WeightsFile, ensure

__all__ = ["Network", "load_network", "require_known"]


def _facenet(weights: WeightsFile, device: str) -> Network:
    from reid.networks.facenet import FaceNet

    return FaceNet(weights, device=device)


def _sface(weights: WeightsFile, device: str) -> Network:  # noqa: ARG001 - OpenCV runs it on the processor
    from reid.networks.sface import SFace

    return SFace(weights)


def _compiled_facenet(weights: WeightsFile, precision: str) -> Network:
    from reid.networks.compiled import compiled_facenet

    return compiled_facenet(weights, precision=precision)


def _compiled_sface(weights: WeightsFile, precision: str) -> Network:
    from reid.networks.compiled import compiled_sface

    return compiled_sface(weights, precision=precision)


# imported when asked for: torch takes seconds, and a graph does not need it
_LOADERS: Mapping[str, Callable[[WeightsFile, str], Network]] = {"facenet": _facenet, "sface": _sface}
_COMPILED: Mapping[str, Callable[[WeightsFile, str], Network]] = {
    "facenet": _compiled_facenet,
    "sface": _compiled_sface,
}

_IN_TORCH = frozenset({"facenet"})
"""Networks that a torch device can compute; the others run on the processor whatever the device."""


def load_network(
    name: str,
    *,
    weights: str | WeightsFile,
    models_dir: Path,
    device: str = "auto",
    runtime: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Network:
    """A network ready to embed.

    Args:
        name: `facenet` or `sface`.
        weights: a source as `reid.weights.ensure` takes it, or what it returned.
        models_dir: where weights are kept.
        device: a torch device, `auto` for the best one present.
        runtime: `auto`, `torch` (the reference) or `openvino`; whichever it is, the embeddings are of one space.
        precision: `auto`, `float32` or `bfloat16`, of an OpenVINO graph.

    Raises:
        SettingsError: no such runtime or precision, or not on this machine.
        WeightsError: no such network, or its weights are missing and cannot be brought.
    """
    require_known(name)
    file = weights if isinstance(weights, WeightsFile) else ensure(weights, models_dir, progress=progress)
    compiled = None
    if uses_openvino(runtime, device if name in _IN_TORCH else "cpu"):
        compiled = compiled_or_none(lambda: _COMPILED[name](file, choose_precision(precision, file)), runtime)
    return compiled if compiled is not None else _LOADERS[name](file, device)


def require_known(name: str) -> None:
    """Raises: WeightsError when there is no network of that name."""
    if name not in _LOADERS:
        raise WeightsError(f"There is no network called {name!r}. Known are {', '.join(_LOADERS)}.")
