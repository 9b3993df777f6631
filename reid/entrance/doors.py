"""Every path that is served and the least role that opens it. What stands nowhere here is served to nobody.

Ours and Gradio's: a role here opens the door, the handlers behind it ask again for what they do.
"""

from __future__ import annotations

import re
from functools import cache

from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount, Route, compile_path

from reid.actor import Role

OURS = {
    "/health": Role.NOBODY,
    "/login": Role.NOBODY,
    "/login/hub": Role.NOBODY,
    "/login/callback": Role.NOBODY,
    "/logout": Role.NOBODY,
    "/crops/{photo_id}": Role.VIEWER,
    "/probes/{session_id}/{shot_id}.jpg": Role.VIEWER,
    "/probes/{session_id}/{shot_id}/{face}.jpg": Role.VIEWER,
    "/probes/{session_id}/result.{kind}": Role.VIEWER,
    "/unknowns/{face_id}.jpg": Role.OPERATOR,
    "/imports/{session_id}/report.csv": Role.OPERATOR,
    "/galleries": Role.ADMIN,
    "/gallery/people.byteface": Role.ADMIN,
    "/gallery/people.csv": Role.ADMIN,
    "/people/{identity_id}/everything.zip": Role.ADMIN,
    "/audit/log.csv": Role.ADMIN,
}
"""A route of ours that has no line here cannot be built in."""

_API = "/gradio_api"

GRADIO = {
    **dict.fromkeys(("/favicon.ico", "/robots.txt"), Role.NOBODY),
    **dict.fromkeys(
        (
            "/", "/config", "/theme.css", "/manifest.json", "/static/{path:path}", "/assets/{path:path}",
            "/svelte/{path:path}", f"{_API}/theme.css", f"{_API}/info", f"{_API}/app_id", f"{_API}/startup-events",
            f"{_API}/heartbeat/{{session_hash}}", f"{_API}/queue/join", f"{_API}/queue/data", f"{_API}/queue/status",
            f"{_API}/run/{{name}}", f"{_API}/api/{{name}}", f"{_API}/call/{{name}}", f"{_API}/call/v2/{{name}}",
            f"{_API}/call/{{name}}/{{event_id}}", f"{_API}/call/v2/{{name}}/{{event_id}}", f"{_API}/cancel",
            f"{_API}/reset", f"{_API}/component_server", f"{_API}/upload", f"{_API}/upload_progress",
            f"{_API}/file={{path:path}}",
        ),
        Role.VIEWER,
    ),
}  # fmt: skip
"""Paths of Gradio's that the page and its clients use; all others of Gradio's stay shut."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Role], ...]:
    return tuple((compile_path(path)[0], role) for path, role in {**OURS, **GRADIO}.items())


def door_of(path: str) -> Role | None:
    """The least role that a path needs; None where nothing is served.

    A path with a line break in it is none: to a pattern it may look like one that ends before it.
    """
    if _CONTROL.search(path):
        return None
    path = path.rstrip("/") or "/"
    needed = [role for pattern, role in _patterns() if pattern.match(path)]
    return max(needed) if needed else None


def check_doors(app: FastAPI) -> None:
    """Every route of ours has its line. Call it before Gradio is mounted.

    Raises:
        TypeError: one has none; it names it.
    """
    missing = [path for path in paths_of(app.routes) if path not in OURS]
    if missing:
        raise TypeError(f"{missing} say no role: give each a line in reid/entrance/doors.py")


def paths_of(routes: list[BaseRoute]) -> list[str]:
    """Templates of all routes, those of mounted applications among them."""
    found: list[str] = []
    for route in routes:
        if isinstance(route, Route):
            found.append(route.path)
        elif isinstance(route, Mount):
            found += [route.path.rstrip("/") + path for path in paths_of(list(route.routes))]
    return found
