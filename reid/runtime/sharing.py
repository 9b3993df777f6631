"""How many cores there are, and whether a computation may have all of them. Knows nothing of what is computed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_BESIDE = 8
"""Computations beside each other; where there are more cores, each takes several. It bounds the memory."""

_thread = threading.local()


@contextmanager
def one_core_each() -> Iterator[None]:
    """Within it this thread's graphs take one core each: threads beside it compute at the same time.

    So none waits for another's parts, which is what keeps every core busy over many photographs; for one photograph
    alone all cores together are faster.
    """
    before = shares_cores()
    _thread.shares = True
    try:
        yield
    finally:
        _thread.shares = before


def threads_beside() -> int:
    """How many threads take work of `one_core_each`; two at the least, as one of them may wait for a disk."""
    return max(2, min(usable_cores(), MOST_BESIDE))


def shares_cores() -> bool:
    """Whether this thread is within `one_core_each`."""
    return getattr(_thread, "shares", False)


def usable_cores() -> int:
    """Cores that this process may use: a container is often given fewer than the machine has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or `max`: no limit
        return cores
