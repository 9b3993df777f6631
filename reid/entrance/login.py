"""Logging in and out: the page, the form that it sends, the cookie that comes back. Knows accounts, no gallery."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from reid.accounts import Account
from reid.accounts.throttle import TooOftenError, network_of
from reid.actor import NOBODY, Actor, Role, acting
from reid.entrance.cookies import cookie
from reid.entrance.entry import SESSION, Entry, address_of
from reid.errors import AuditError
from reid.ui.components.login import login_page
from reid.ui.refusals import in_words
from reid.ui.text import t, use_language

_LARGEST_FORM = 16_384
_HEADERS = {"Cache-Control": "no-store"}
_AT_ONCE = 2  # passwords that are looked at; the others wait without a thread, so that nobody else's request waits too


def add_login(app: FastAPI, entry: Entry) -> None:
    """Adds the page and both of its ways out."""
    room = CapacityLimiter(_AT_ONCE)

    @app.get("/login")
    def page(request: Request) -> Response:
        """The form; whoever needs none goes on."""
        there = safe_place(request.query_params.get("next", ""))
        if not entry.in_force:
            return _go(entry, there)
        return show_login(request, entry, there=there)

    @app.post("/login")
    async def enter(request: Request) -> Response:
        """Name and password, as the form sends them."""
        use_language(request.headers.get("accept-language"))
        form = await _form(request)
        if form is None:
            return Response("This form is too large. Open /login and fill it in again.", 413)
        there = safe_place(form.get("next", ""))
        name, password, address = form.get("name", ""), form.get("password", ""), address_of(request.scope)
        try:
            entry.throttle.begin(name, address)
        except TooOftenError as refused:
            seconds = math.ceil(refused.wait_s)
            problem = t("Too many logins failed. Wait {seconds} seconds and try again.", seconds=seconds)
            answer = show_login(request, entry, there=there, name=name, problem=problem, status=429)
            answer.headers["Retry-After"] = str(seconds)
            return answer
        try:
            account = await to_thread.run_sync(_checked, entry, name, password, address, limiter=room)
        except AuditError as error:
            return show_login(request, entry, there=there, name=name, problem=in_words(str(error)), status=503)
        if account is None:
            problem = t("That name and password do not belong together. Check both and try again.")
            return show_login(request, entry, there=there, name=name, problem=problem, status=401)
        entry.throttle.succeeded(name, address)
        return await logged_in(request, entry, there, account=account.name)

    @app.post("/logout")
    async def leave(request: Request) -> Response:
        """Ends this login on the server, not only in the browser."""
        token = request.cookies.get(SESSION)
        if token:
            await to_thread.run_sync(_ended, entry, token, acting())
        answer = _go(entry, "/login")
        answer.headers.append("set-cookie", cookie(SESSION, "", request.scope, entry.doors))
        return answer


def _checked(entry: Entry, name: str, password: str, address: str) -> Account | None:
    """The account of a name and password, with what the audit log says of it. Raises: AuditError."""
    people = entry.accounts.people
    account = people.check(name, password)
    if account:
        entry.note("login", Actor(account.name, account.role))
    else:  # what was typed for a name may be a password
        entry.note("login", NOBODY, "refused", account=people.known(name), address=network_of(address))
    return account


def _ended(entry: Entry, token: str, actor: Actor) -> None:
    entry.accounts.logins.end(token)
    if actor.role is not Role.NOBODY:
        entry.note("logout", actor)


async def logged_in(
    request: Request,
    entry: Entry,
    there: str,
    *,
    account: str | None = None,
    elsewhere: Mapping[str, Any] | None = None,
) -> Response:
    """A new login and its cookie; one that the browser brought ends."""
    before = request.cookies.get(SESSION)
    if before:
        await to_thread.run_sync(entry.accounts.logins.end, before)
    token = await to_thread.run_sync(entry.accounts.logins.begin, account, elsewhere)
    answer = _go(entry, there)
    answer.headers.append("set-cookie", cookie(SESSION, token, request.scope, entry.doors))
    return answer


def show_login(
    request: Request, entry: Entry, *, there: str = "/", name: str = "", problem: str = "", status: int = 200
) -> Response:
    """The page, in the browser's language."""
    use_language(request.headers.get("accept-language"))
    root = entry.doors.root_path
    page = login_page(
        root=root, there=there, name=name[:200], problem=problem,
        hub=f"{root}/login/hub?{urlencode({'next': there})}" if entry.doors.hub.wanted else "",
        form=entry.accounts.any or not entry.doors.hub.wanted, guests=entry.doors.visitors,
    )  # fmt: skip
    return HTMLResponse(page, status, headers=_HEADERS)


def safe_place(there: str) -> str:
    """A path of this page, and never another site's address that looks like one."""
    own = there.startswith("/") and not there.startswith(("//", "/\\")) and there.isprintable() and len(there) < 2000
    return there if own and not there.startswith(("/login", "/logout")) else "/"


def _go(entry: Entry, there: str) -> Response:
    return RedirectResponse(entry.doors.root_path + there, 303, headers={"Cache-Control": "no-store"})


async def _form(request: Request) -> dict[str, str] | None:
    """A form as browsers without scripts send it; None where it is too large or has too many fields."""
    body = bytearray()
    async for piece in request.stream():
        body.extend(piece)
        if len(body) > _LARGEST_FORM:
            return None
    try:
        found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    return {name: values[-1] for name, values in found.items()}
