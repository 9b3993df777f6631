"""A Space on ZeroGPU: the GPU is there only within functions that its package `spaces` decorates. Inert elsewhere.

Knows no network: whoever computes gives a function.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_known: list[Callable[..., Any]] = []


def is_here() -> bool:
    """Whether this process runs on ZeroGPU."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in {"1", "true", "t"}


def prepare() -> None:
    """Before torch is imported: the package puts itself in front of CUDA."""
    if is_here():
        import spaces  # noqa: F401


def lent(function: Callable[P, T]) -> Callable[P, T]:
    """The function, computed where the GPU is lent; the very same one anywhere else.

    What it belongs to, such as a network, is found there by number: only the arguments travel to that process.
    """
    if not is_here():
        return function
    import spaces

    number = len(_known)
    _known.append(function)
    compute = spaces.GPU(_compute)

    def there(*args: P.args, **kwargs: P.kwargs) -> T:
        found: T = compute(number, *args, **kwargs)
        return found

    return there


def _compute(number: int, *args: Any, **kwargs: Any) -> Any:
    return _known[number](*args, **kwargs)


def ready() -> None:
    """After everything is loaded: tells ZeroGPU so. Gradio's own `launch` would; our server does not call it."""
    if is_here():
        from spaces import zero

        zero.startup()
