"""The networks by name. A new one is a file beside this and a line in `_LOADERS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reid.errors import WeightsError
from reid.networks.base import Network
from reid.weights import WeightsFile, ensure

__all__ = ["Network", "load_network"]


def _facenet(weights: WeightsFile, device: str) -> Network:
    from reid.networks.facenet import FaceNet

    return FaceNet(weights, device=device)


def _sface(weights: WeightsFile, device: str) -> Network:  # noqa: ARG001 - OpenCV runs it on the processor
    from reid.networks.sface import SFace

    return SFace(weights)


# imported when asked for: torch takes seconds, and `sface` alone does not need it
_LOADERS: dict[str, Callable[[WeightsFile, str], Network]] = {"facenet": _facenet, "sface": _sface}


def load_network(
    name: str, *, weights: str | WeightsFile, models_dir: Path, device: str = "auto", progress: bool = True
) -> Network:
    """A network ready to embed.

    Args:
        name: `facenet` or `sface`.
        weights: a source as `reid.weights.ensure` takes it, or what it returned.
        models_dir: where weights are kept.
        device: a torch device, `auto` for the best one present.

    Raises:
        WeightsError: no such network, or its weights are missing and cannot be brought.
    """
    if name not in _LOADERS:
        raise WeightsError(f"There is no network called {name!r}. Known are {', '.join(_LOADERS)}.")
    file = weights if isinstance(weights, WeightsFile) else ensure(weights, models_dir, progress=progress)
    return _LOADERS[name](file, device)
