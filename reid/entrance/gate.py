"""The gate before everything: asks who comes, shuts what their role does not open, counts what they ask for."""

from __future__ import annotations

import math
from urllib.parse import quote

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reid.actor import Actor, Role, act_as
from reid.entrance.cookies import cookie
from reid.entrance.doors import door_of
from reid.entrance.entry import VISITOR, Entry
from reid.entrance.uploads import USER
from reid.errors import AccountError
from reid.ui.handlers import ACTOR

COUNTED = ("queue/join", "run/", "api/", "call/", "component_server", "upload")
"""Below Gradio's prefix: what makes this machine work."""

_GRADIO = "/gradio_api/"


class Gate:
    """One for the whole application, before its routes and Gradio's."""

    def __init__(self, app: ASGIApp, entry: Entry) -> None:
        self._app = app
        self._entry = entry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing of ours speaks anything else
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            arrival = await to_thread.run_sync(self._entry.arrive, scope)
        except AccountError as error:  # damaged or locked: nobody gets in
            await PlainTextResponse(str(error), 503)(scope, receive, send)
            return
        actor = arrival.actor
        refusal = self._refusal(scope, actor.role, bad_key=arrival.bad_key) or self._too_often(scope, arrival.actor)
        if refusal:
            await refusal(scope, receive, send)
            return
        scope[ACTOR] = actor
        scope[USER] = self._entry.user_of(actor, scope)
        act_as(actor)
        if arrival.new_visitor and _is_navigation(scope):
            send = self._with_cookie(scope, send, arrival.new_visitor)
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, role: Role, *, bad_key: bool) -> Response | None:
        needed = door_of(scope["path"])
        if needed is None:
            return PlainTextResponse("There is nothing here. Open ByteFace at its own address.", 404)
        if role >= needed:
            return None
        if bad_key:
            return PlainTextResponse("This API key opens nothing. Ask for a new one.", 401)
        if role is not Role.NOBODY:
            words = f"This needs the role {needed.name.lower()}. Ask whoever keeps the accounts of this ByteFace."
            return PlainTextResponse(words, 403)
        if _is_navigation(scope):
            query = scope["query_string"].decode("latin-1")
            there = quote(scope["path"] + (f"?{query}" if query else ""), safe="/")
            return RedirectResponse(f"{self._entry.doors.root_path}/login?next={there}", 303)
        return PlainTextResponse(
            "Nobody is logged in. Log in at /login, or send an API key as x-api-key.",
            401,
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _too_often(self, scope: Scope, actor: Actor) -> Response | None:
        counted = scope["method"] == "POST" and scope["path"].removeprefix(_GRADIO).startswith(COUNTED)
        if not counted or not self._entry.in_force:
            return None
        buckets = self._entry.frames if "component_server" in scope["path"] else self._entry.rates
        wait = buckets.take(self._entry.user_of(actor, scope))
        if not wait:
            return None
        words = "That is more than one user may ask in a minute. Wait a moment and go on."
        return PlainTextResponse(words, 429, headers={"Retry-After": str(math.ceil(wait))})

    def _with_cookie(self, scope: Scope, send: Send, token: str) -> Send:
        made = cookie(VISITOR, token, scope, self._entry.doors)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"set-cookie", made.encode("latin-1"))]
            await send(message)

        return sending


def _is_navigation(scope: Scope) -> bool:
    """Whether somebody at a browser goes somewhere, and not a page or a program asking for a part."""
    headers = Headers(scope=scope)
    mode = headers.get("sec-fetch-mode")
    asks_for_a_page = mode == "navigate" if mode else "text/html" in headers.get("accept", "")
    return scope["method"] == "GET" and asks_for_a_page
