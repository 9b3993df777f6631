"""Logging in with Hugging Face: OAuth's code flow with state and PKCE (RFC 6749, 7636), then who that is.

The identity is read over TLS from the provider's userinfo, with a token that is then thrown away; no ID token is
relied upon.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from reid.actor import Role
from reid.entrance.cookies import cookie
from reid.entrance.entry import Entry, hub_actor
from reid.entrance.login import logged_in, safe_place, show_login
from reid.errors import AccountError
from reid.settings import HubLogin
from reid.ui.text import t, use_language

log = logging.getLogger(__name__)

BROWSER = "byteface_hub"
"""Cookie that ties an answer of the provider to the browser that asked."""

CALLBACK = "/login/callback"  # the path that a Space registers for itself

_LIVES_S = 600.0
_KEPT = 1000
_TIMEOUT_S = 10.0
_FAILED = "The provider of logins did not answer as it should. Try again."


@dataclass(frozen=True, slots=True)
class _Started:
    """A login that waits for the provider's answer."""

    browser: str
    verifier: str
    there: str
    began: float


class Waiting:
    """Logins that were begun, by their state; each is taken once and soon. Safe for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._started: OrderedDict[str, _Started] = OrderedDict()

    def begin(self, there: str) -> tuple[str, _Started]:
        """A new one and its state."""
        state = secrets.token_urlsafe(32)
        started = _Started(secrets.token_urlsafe(32), secrets.token_urlsafe(48), there, self._clock())
        with self._lock:
            self._started[state] = started
            while len(self._started) > _KEPT:
                self._started.popitem(last=False)
        return state, started

    def take(self, state: str, browser: str) -> _Started | None:
        """The one of a state, for the browser that began it; None where it is another, or too late, or again."""
        with self._lock:
            started = self._started.pop(state, None)
        if started is None or self._clock() - started.began > _LIVES_S:
            return None
        return started if secrets.compare_digest(started.browser.encode(), browser.encode()) else None


def add_hub_login(app: FastAPI, entry: Entry, waiting: Waiting | None = None) -> None:
    """Adds the way to the provider and back; nothing where the settings name no application or nobody."""
    hub = entry.doors.hub
    if not hub.wanted:
        return
    waiting = waiting or Waiting()

    @app.get("/login/hub")
    async def leave(request: Request) -> Response:
        """To the provider, with a state, a challenge and this browser's cookie."""
        try:
            place = (await _discovered(hub))["authorization_endpoint"]
        except AccountError:
            return _refused(request, entry, 502)
        state, started = waiting.begin(safe_place(request.query_params.get("next", "")))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(started.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": hub.client_id, "scope": "openid profile", "state": state,
            "redirect_uri": _callback(request, entry), "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        answer = RedirectResponse(f"{place}?{urlencode(asked)}", 303, headers={"Cache-Control": "no-store"})
        answer.headers.append("set-cookie", cookie(BROWSER, started.browser, request.scope, entry.doors))
        return answer

    @app.get(CALLBACK)
    async def back(request: Request) -> Response:
        """From the provider: a code for this browser's state, or a refusal."""
        query = request.query_params
        started = waiting.take(query.get("state", ""), request.cookies.get(BROWSER, ""))
        if started is None or not query.get("code"):
            return _refused(request, entry, 401)
        try:
            claims = await _claims(hub, query["code"], started.verifier, _callback(request, entry))
        except AccountError:
            return _refused(request, entry, 502)
        actor = hub_actor(claims, hub)
        if actor.role is Role.NOBODY:
            return _refused(request, entry, 403)
        await to_thread.run_sync(entry.note, "login", actor)
        answer = await logged_in(request, entry, started.there, elsewhere=claims)
        answer.headers.append("set-cookie", cookie(BROWSER, "", request.scope, entry.doors))
        return answer


def _refused(request: Request, entry: Entry, status: int) -> Response:
    use_language(request.headers.get("accept-language"))
    if status == 403:
        problem = t("This Hugging Face account may not log in here. Ask whoever runs it.")
    else:
        problem = t("Hugging Face did not say who that is. Try again, or log in with an account.")
    return show_login(request, entry, problem=problem, status=status)


def _callback(request: Request, entry: Entry) -> str:
    """Where the provider sends the browser back to: a Space knows its own name, others the one they were asked by."""
    base = f"https://{entry.doors.hub.host}" if entry.doors.hub.host else f"{request.url.scheme}://{request.url.netloc}"
    return f"{base}{entry.doors.root_path}{CALLBACK}"


async def _discovered(hub: HubLogin) -> dict[str, Any]:
    """The provider's own description of its addresses (OpenID Connect Discovery)."""
    found = await _asked("GET", f"{hub.provider}/.well-known/openid-configuration")
    if not all(isinstance(found.get(f"{one}_endpoint"), str) for one in ("authorization", "token", "userinfo")):
        raise AccountError(_FAILED)
    return found


async def _claims(hub: HubLogin, code: str, verifier: str, callback: str) -> dict[str, Any]:
    """Who the code stands for: `user`, and the `orgs` that they are in, by name."""
    places = await _discovered(hub)
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier,
        "client_id": hub.client_id,
    }  # fmt: skip
    given = await _asked("POST", places["token_endpoint"], data=form, auth=(hub.client_id, hub.secret))
    token = given.get("access_token")
    if not isinstance(token, str):
        raise AccountError(_FAILED)
    person = await _asked("GET", places["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})
    name = person.get("preferred_username")
    if not isinstance(name, str) or not name:
        raise AccountError(_FAILED)
    orgs = [
        one.get("preferred_username") or one.get("name") for one in person.get("orgs") or [] if isinstance(one, dict)
    ]
    return {"user": name, "orgs": [one for one in orgs if isinstance(one, str)]}


async def _asked(method: str, place: str, **what: Any) -> dict[str, Any]:
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            answer = await client.request(method, place, **what)
        found = answer.raise_for_status().json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        log.warning("the provider of logins did not answer as it should: %s", type(error).__name__)
        raise AccountError(_FAILED) from error
    if not isinstance(found, dict):
        raise AccountError(_FAILED)
    return found
