"""How often: growing waits after failed logins, and so many requests a minute. Kept in memory; knows no requests."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from reid.errors import AccountError

_KEPT = 10_000
_FORGOTTEN_S = 3600.0


@dataclass(frozen=True, slots=True)
class _Rule:
    free: int
    longest_s: float


_OF_NAME = _Rule(free=5, longest_s=300.0)
_OF_ADDRESS = _Rule(free=20, longest_s=900.0)


class TooOftenError(AccountError):
    """Somebody must wait.

    Attributes:
        wait_s: how long.
    """

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


@dataclass(slots=True)
class _Failures:
    number: int = 0
    last: float = 0.0


class Throttle:
    """Failed logins of each name and of each address. A name that nobody has waits like one that somebody has."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def begin(self, name: str, address: str) -> None:
        """Before a password is looked at. It counts as failed until `succeeded`, so many at once are no way around.

        Raises:
            TooOftenError: too many failed before.
        """
        now = self._clock()
        with self._lock:
            found = [(self._of(key, now), rule) for key, rule in _keys(name, address)]
            waits = [one.last + _wait(one.number, rule) - now for one, rule in found if one.number >= rule.free]
            wait = max(waits, default=0.0)
            if wait > 0:
                raise TooOftenError(f"Too many logins failed. Wait {wait:.0f} seconds and try again.", wait)
            for one, _ in found:
                one.number += 1
                one.last = now

    def succeeded(self, name: str, address: str) -> None:
        """The name starts afresh; the address keeps what others failed with."""
        (of_name, _), (of_address, _) = _keys(name, address)
        with self._lock:
            self._failures.pop(of_name, None)
            if of_address in self._failures:
                self._failures[of_address].number -= 1

    def _of(self, key: str, now: float) -> _Failures:
        one = self._failures.setdefault(key, _Failures())
        if now - one.last > _FORGOTTEN_S:
            one.number = 0
        self._failures.move_to_end(key)
        while len(self._failures) > _KEPT:
            self._failures.popitem(last=False)
        return one


def _keys(name: str, address: str) -> tuple[tuple[str, _Rule], tuple[str, _Rule]]:
    return (f"name {name.casefold().strip()[:100]}", _OF_NAME), (f"address {network_of(address)}", _OF_ADDRESS)


def _wait(failures: int, rule: _Rule) -> float:
    return min(2.0 ** min(failures - rule.free, 30), rule.longest_s)


def network_of(address: str) -> str:
    """Whose an address is: an IPv6 subscriber has 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    return str(ipaddress.ip_network(f"{parsed}/64", strict=False)) if parsed.version == 6 else str(parsed)


class Buckets:
    """A token bucket for each user: a burst, and then so many a minute."""

    def __init__(self, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            per_minute: 0 for no limit.
        """
        self._per_s = per_minute / 60
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, user: str) -> float:
        """One more request of a user.

        Returns:
            0 where it may go on, otherwise how many seconds until the next may.
        """
        if not self._per_s:
            return 0.0
        now = self._clock()
        with self._lock:
            level, then = self._levels.pop(user, (self._burst, now))
            level = min(self._burst, level + (now - then) * self._per_s)
            self._levels[user] = (max(level - 1, 0.0) if level >= 1 else level, now)
            while len(self._levels) > _KEPT:
                self._levels.popitem(last=False)
        return 0.0 if level >= 1 else (1 - level) / self._per_s
