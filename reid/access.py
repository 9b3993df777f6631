"""Which machines and pages may ask: this one alone, unless there are accounts or somebody said otherwise in words.
Knows addresses and headers; who somebody is, `reid.entrance` asks.

Without accounts everybody who reaches the page may search and erase. So it listens on loopback, answers only to names
of this machine (a foreign name that resolves to it, DNS rebinding, is refused) and only to pages of its own (OWASP
ASVS 5.0, 3.5: a page of another site cannot drive it through the visitor's browser).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from reid.errors import SettingsError
from reid.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_ELSEWHERE = {"cross-site", "same-site"}
"""What browsers call other pages; `same-site` is also another port of this machine, where anything may run."""


def allowed_hosts(settings: Settings, *, accounts: bool = False) -> tuple[str, ...] | None:
    """Names that the page answers to; None for every name.

    Args:
        accounts: whether nobody gets in unnamed, which is what lets other machines reach the page.

    Raises:
        SettingsError: the address is not this machine's own, or a proxy hands on what others ask, and nobody said that
            this is meant.
    """
    if not _is_loopback(settings.host) and not (settings.open_to_network or accounts):
        raise SettingsError(
            f"{settings.host} would let everybody on the network search, change and erase this gallery. Add an account "
            "(byteface accounts add NAME --role admin), or set BYTEFACE_OPEN_TO_NETWORK=1 if that is meant."
        )
    if settings.doors.proxies and not (settings.open_to_network or accounts):
        raise SettingsError(
            "BYTEFACE_PROXIES says that other machines reach this page through a proxy, and without accounts everybody "
            "there might search, change and erase this gallery. Add an account (byteface accounts add NAME --role "
            "admin), or set BYTEFACE_OPEN_TO_NETWORK=1 if that is meant."
        )
    if settings.hosts:
        return (*LOOPBACK, *settings.hosts)
    if settings.open_to_network:
        return None
    return LOOPBACK if _is_loopback(settings.host) else (*LOOPBACK, settings.host.strip("[]"))


class OnlyOwnPages:
    """Turns away what another name, or a page of another site, asks for."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        """
        Args:
            app: what is protected.
            hosts: names that it answers to, without port; None for every name.
        """
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or connection."""
        if scope["type"] in {"http", "websocket"}:
            refusal = self._refusal(Headers(scope=scope))
            if refusal:
                await PlainTextResponse(refusal, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> str:
        host = headers.get("host", "")
        if self._hosts is not None and (urlsplit(f"//{host}").hostname or "") not in self._hosts:
            return "This page answers to names of its own machine only. Add others with BYTEFACE_HOSTS."
        # also of what only reads: Gradio would let the page of any site that asks with its own origin read the answer
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return "Another site's page asked for this. Open ByteFace itself."
        # a browser says where a request came from even where it sends no origin; following a link is all right
        if headers.get("sec-fetch-site") in _ELSEWHERE and headers.get("sec-fetch-mode") != "navigate":
            return "Another site's page asked for this. Open ByteFace itself."
        return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
