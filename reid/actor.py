"""Who is acting, and what they may do: said where a request comes in, asked where something happens.

Knows no accounts, no web and no gallery. A command line acts as `LOCAL`, who owns this machine's files anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum

from reid.errors import NotAllowedError


class Role(IntEnum):
    """What somebody may do; each may also do what the lower ones may."""

    NOBODY = 0
    VIEWER = 1  # probe and look
    OPERATOR = 2  # enrol, correct, merge, erase a person
    ADMIN = 3  # thresholds, exports, restoring, erasing in bulk, accounts, the audit log


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something.

    Attributes:
        name: of the account or the API key: what the audit log calls them.
        role: what they may do.
        purpose: what they said that they search for; empty where nobody asked them.
    """

    name: str
    role: Role
    purpose: str = ""


LOCAL = Actor("local", Role.ADMIN)
"""Whoever sits at this machine: without accounts, and at the command line."""

NOBODY = Actor("nobody", Role.NOBODY)

SYSTEM = Actor("byteface", Role.ADMIN)
"""The program itself: what it does by the clock."""

_acting: ContextVar[Actor | None] = ContextVar("byteface_actor", default=None)
_otherwise = LOCAL


def acting() -> Actor:
    """Whoever the work at hand is done for."""
    return _acting.get() or _otherwise


def act_as(actor: Actor) -> None:
    """Says for whom the rest of this thread's or task's work is done."""
    _acting.set(actor)


@contextmanager
def working_as(actor: Actor) -> Iterator[None]:
    """Says it for a while."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)


def refuse_the_unnamed() -> None:
    """From now on work for which nobody was named is done for nobody: for a server with accounts."""
    global _otherwise  # of the process, as the accounts are
    _otherwise = NOBODY


def require(role: Role) -> Actor:
    """The actor, who has at least this role.

    Raises:
        NotAllowedError: they have a lower one.
    """
    actor = acting()
    if actor.role < role:
        raise NotAllowedError(
            f"This needs the role {role.name.lower()}, and {actor.name} has the role {actor.role.name.lower()}. "
            "Ask whoever keeps the accounts of this ByteFace."
        )
    return actor
