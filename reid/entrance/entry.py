"""Who is asking, by cookie, key or as a visitor, and whether accounts are asked for at all. Knows no responses."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.types import Scope

from reid.accounts import Accounts, Buckets, Throttle
from reid.accounts.keys import PREFIX
from reid.accounts.throttle import network_of
from reid.actor import LOCAL, NOBODY, Actor, Role, refuse_the_unnamed, working_as
from reid.audit import AuditLog
from reid.audit.rows import Entry as Record
from reid.audit.rows import Phase
from reid.settings import Doors, HubLogin

SESSION = "byteface_session"
VISITOR = "byteface_visitor"

_BURST = 0.2  # of a minute's requests may come at once
_FRAMES = 3  # a webcam's come one after another, several a second, and each waits for the one before


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody at the gate.

    Attributes:
        bad_key: whether they brought a key that opens nothing.
        new_visitor: token for the cookie by which a visitor is told from the others; empty where none is needed.
    """

    actor: Actor
    bad_key: bool = False
    new_visitor: str = ""


class Entry:
    """What the gate and the login share.

    Attributes:
        audit: where logins are written down; None for nowhere.
    """

    def __init__(self, accounts: Accounts, doors: Doors | None = None, throttle: Throttle | None = None) -> None:
        self.accounts = accounts
        self.audit: AuditLog | None = None
        self.doors = doors or Doors()
        self.throttle = throttle or Throttle()
        per_minute = self.doors.requests_per_minute
        self.rates = Buckets(per_minute, max(per_minute * _BURST, 20))
        self.frames = Buckets(_FRAMES * per_minute, max(per_minute * _BURST, 20))
        self._salt = secrets.token_bytes(16)
        self._in_force = False

    @property
    def in_force(self) -> bool:
        """Whether nobody gets in unnamed; once so, for as long as this process lives."""
        if not self._in_force:
            doors = self.doors
            self._in_force = doors.accounts or doors.visitors or doors.hub.wanted or self.accounts.any
        return self._in_force

    def arrive(self, scope: Scope) -> Arrival:
        """Who a request comes from; `NOBODY` where they do not say so."""
        if not self.in_force:
            return Arrival(LOCAL)
        refuse_the_unnamed()  # once more would do: the first account may have come while the server ran
        headers = Headers(scope=scope)
        key = headers.get("x-api-key") or _bearer(headers.get("authorization", ""))
        if key:
            actor = self.accounts.keys.actor(key)
            return Arrival(actor or NOBODY, bad_key=actor is None)
        cookies = cookies_of(headers)
        login = self.accounts.logins.find(cookies[SESSION]) if cookies.get(SESSION) else None
        if login and not login.elsewhere:
            return Arrival(Actor(login.name, login.role))
        if login:
            return Arrival(hub_actor(login.elsewhere, self.doors.hub))
        if self.doors.visitors:
            return self._visitor(cookies.get(VISITOR, ""), address_of(scope))
        return Arrival(NOBODY)

    def note(self, did: str, actor: Actor, phase: Phase = "done", **details: str) -> None:
        """Writes into the audit log who came, went, or was not let in. Raises: AuditError."""
        if self.audit:
            with working_as(actor):
                self.audit.append(Record("account", phase, details={"did": did, **details}), durable=True)

    def user_of(self, actor: Actor, scope: Scope) -> str:
        """Whose requests are counted together: a visitor can throw a cookie away, an address not so easily."""
        return actor.name if not actor.name.startswith("visitor:") else f"at {network_of(address_of(scope))}"

    def _visitor(self, token: str, address: str) -> Arrival:
        known = token or address
        name = hashlib.blake2b(known.encode("utf-8", "replace"), key=self._salt, digest_size=8).hexdigest()
        return Arrival(Actor(f"visitor:{name}", Role.VIEWER), new_visitor="" if token else secrets.token_urlsafe(24))


def hub_actor(claims: object, hub: HubLogin) -> Actor:
    """Who somebody of the Hub is here, by the settings of now.

    Args:
        claims: what was kept when they logged in: `user`, and the `orgs` that they are in.
    """
    held = claims if isinstance(claims, dict) else {}
    user = str(held.get("user", ""))
    names = {user.casefold(), *(str(one).casefold() for one in held.get("orgs") or [])} - {""}
    ranks = ((Role.ADMIN, hub.admins), (Role.OPERATOR, hub.operators), (Role.VIEWER, hub.viewers))
    for role, meant in ranks:
        if names & {one.casefold() for one in meant}:
            return Actor(f"hf:{user}", role)
    return NOBODY


def cookies_of(headers: Headers) -> dict[str, str]:
    """A request's cookies; nothing where they cannot be read."""
    try:
        return {name: one.value for name, one in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def address_of(scope: Scope) -> str:
    """Where a request comes from, as far as can be known."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _bearer(value: str) -> str:
    """A key of ours; a Space that is private is itself asked with a token of the Hub's in this place."""
    kind, _, token = value.partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip().startswith(PREFIX) else ""
