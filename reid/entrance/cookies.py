"""Cookies as this server needs them: unreadable for scripts, of this site alone, only over TLS where there is some."""

from __future__ import annotations

from starlette.types import Scope

from reid.settings import Doors


def cookie(name: str, value: str, scope: Scope, doors: Doors) -> str:
    """The value of a Set-Cookie header; an empty value takes the cookie away.

    On a Space the page lives in a frame of another site, so its cookie must go along there (SameSite=None), kept apart
    for each site that embeds it (Partitioned).
    """
    parts = [f"{name}={value}", f"Path={doors.root_path or '/'}", "HttpOnly"]
    if doors.space:
        parts += ["SameSite=None", "Secure", "Partitioned"]
    else:
        parts += ["SameSite=Lax", *(["Secure"] if scope.get("scheme") == "https" else [])]
    if not value:
        parts.append("Max-Age=0")
    return "; ".join(parts)
