"""How long a client may take to say what it wants: one that dribbles holds a connection, and those are counted.

Knows connections and bytes, no request's meaning.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

LOOKS_EVERY_S = 10.0
LOOKS = 3
"""So many looks in a row without a request that is whole, or with a body that stands still, and the client goes."""
SLOWEST = 500
"""Bytes a second of a body that still count as coming: less than any telephone's connection."""

_OPEN_FILES = 65_536


class Patient(H11Protocol):
    """One connection. Answers may take as long as they like, and so may a server that is slow to read."""

    _timer: asyncio.TimerHandle | None = None
    _seen: RequestResponseCycle | None = None
    _came = 0
    _slow = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._timer = self.loop.call_later(LOOKS_EVERY_S, self._look)

    def data_received(self, data: bytes) -> None:
        self._came += len(data)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        if self.cycle is not self._seen:
            self._seen, self._slow = self.cycle, 0
        self._slow = self._slow + 1 if self._dawdles() else 0
        self._came = 0
        if self._slow >= LOOKS:
            self.transport.close()
            return
        self._timer = self.loop.call_later(LOOKS_EVERY_S, self._look)

    def _dawdles(self) -> bool:
        if self.cycle is None or self.cycle.response_complete:
            return True  # no request, or only a part of one
        return self.cycle.more_body and not self.flow.read_paused and self._came < SLOWEST * LOOKS_EVERY_S


def allow_many_connections() -> None:
    """As many open files as this process may have; a shell's usual 1024 are used up by so many that wait."""
    with contextlib.suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
