"""What every handler of the page has in common: who asks and whether they may, the language, errors in words.

A handler returns a dict from component to its update; this adds the toast where something was refused.
"""

from __future__ import annotations

import functools
import inspect
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import unquote

import gradio as gr
from gradio.context import LocalContext
from markupsafe import Markup

from reid.actor import Actor, Role, act_as, acting, require
from reid.errors import ReidError
from reid.gallery.shelf import choose
from reid.ui.components.shell import toast, toasts
from reid.ui.refusals import in_words
from reid.ui.roles import Needs
from reid.ui.text import t, use_language

log = logging.getLogger(__name__)

COOKIE = "byteface_gallery"
PURPOSE = "byteface_purpose"
"""Cookie that says what is searched for; it goes when the browser is closed."""
ACTOR = "byteface.actor"
"""Key of a request's ASGI scope under which whoever lets requests in says who is asking."""

Updates = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request says about the work that it asks for.

    Attributes:
        language: the browser's `Accept-Language`.
        gallery: name of the gallery that is meant; empty for the first.
        actor: who asks; None where nobody looks at who comes in.
        purpose: what somebody wrote in this browser that they search for.
    """

    language: str | None
    gallery: str
    actor: Actor | None
    purpose: str = ""

    @classmethod
    def now(cls) -> Visit:
        """Of the request that is being handled."""
        request = LocalContext.request.get(None)
        headers = getattr(request, "headers", None)
        scope = getattr(getattr(request, "request", request), "scope", None) or {}
        language = headers.get("accept-language") if headers else None
        return cls(language, chosen_gallery(), scope.get(ACTOR), _cookie(PURPOSE))

    def enter(self) -> None:
        """Says so for the rest of this thread's work; each step of a generator may run in a thread of its own."""
        use_language(self.language)
        choose(self.gallery)
        actor = self.actor or acting()
        act_as(replace(actor, purpose=self.purpose or (self.actor.purpose if self.actor else "")))


class Guard(Protocol):
    """Decorates handlers of one tab."""

    def __call__(self, handler: Callable[..., Any], needs: Needs) -> Callable[..., Any]:
        """The handler, to be given to an event."""


class Turns:
    """A lock for each browser tab: what is done there in quick succession is answered in that order.

    Work that shows its progress is a generator and holds none: nothing waits for it, least of all its Cancel.
    """

    _MOST = 1000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tabs: OrderedDict[str, threading.Lock] = OrderedDict()

    def of(self, tab: str) -> threading.Lock:
        """That tab's own; those that were idle for longest are forgotten."""
        with self._lock:
            found = self._tabs.setdefault(tab, threading.Lock())
            self._tabs.move_to_end(tab)
            while len(self._tabs) > self._MOST:
                self._tabs.popitem(last=False)
            return found


_turns = Turns()


def _in_turn() -> AbstractContextManager[Any]:
    """Waits for what was done before in the same browser tab."""
    tab = getattr(LocalContext.request.get(None), "session_hash", None)
    return _turns.of(tab) if tab else nullcontext()


def event_data(event: gr.EventData) -> dict[str, Any]:
    """What the browser sent along with an event, nothing where it sent nothing usable."""
    found = getattr(event, "_data", None)
    return found if isinstance(found, dict) else {}


def number_of(data: dict[str, Any], name: str, default: int = 0) -> int:
    """A whole number of an event's data; what is none counts as the default."""
    try:
        return int(data.get(name, default))
    except (TypeError, ValueError):
        return default


def error_toast(error: ReidError) -> Markup:
    """First sentence as the title, the way out below it."""
    title, _, rest = in_words(str(error)).partition(". ")
    return toast(title.rstrip("."), rest, "error")


def permit(needs: Needs, arguments: Sequence[Any] = ()) -> None:
    """Whether whoever asks may do that.

    Args:
        needs: of the handler.
        arguments: the handler's; an event among them says which act it is.

    Raises:
        NotAllowedError: they may not.
    """
    if isinstance(needs, Role):
        require(needs)
        return
    event = next((one for one in arguments if isinstance(one, gr.EventData)), None)
    act = event_data(event).get("act") if event else None
    require(needs.get(act, Role.ADMIN) if isinstance(act, str) else Role.ADMIN)


def guarded(messages: gr.HTML) -> Guard:
    """Decorates handlers: asks who comes and whether they may, sets the language, turns what is raised into a toast.

    Args:
        messages: where toasts appear; must be among the event's outputs.
    """

    def decorate(handler: Callable[..., Any], needs: Needs) -> Callable[..., Any]:
        @functools.wraps(handler)
        def function(*args: Any, **kwargs: Any) -> Updates:
            Visit.now().enter()
            try:
                permit(needs, args)
                with _in_turn():
                    found: Updates = handler(*args, **kwargs)
            except (
                Exception
            ) as error:  # an entry point, like the command line: said in words, logged, and the page lives
                return {messages: _refusal(error)}
            return found

        @functools.wraps(handler)
        def generator(*args: Any, **kwargs: Any) -> Iterator[Updates]:
            visit = Visit.now()  # the one of the beginning, wherever the browser has turned meanwhile
            visit.enter()
            try:
                permit(needs, args)
            except ReidError as error:
                yield {messages: _refusal(error)}
                return
            steps = handler(*args, **kwargs)
            while True:
                visit.enter()
                try:
                    answer = next(steps)
                except StopIteration:
                    return
                except Exception as error:  # as above
                    yield {messages: _refusal(error)}
                    return
                yield answer

        return declared(generator if inspect.isgeneratorfunction(handler) else function, needs)

    return decorate


def declared(function: Callable[..., Any], needs: Needs) -> Callable[..., Any]:
    """Notes what a handler needs, for `check_declared`."""
    function.byteface_needs = needs  # type: ignore[attr-defined]
    return function


def check_declared(blocks: gr.Blocks) -> None:
    """Nothing of a page can be called that did not say which role it needs.

    Raises:
        TypeError: something did not; it names it.
    """
    called = [one.fn for one in blocks.fns.values() if one.fn]
    called += [function for piece in blocks.blocks.values() for function in getattr(piece, "server_fns", ())]
    silent = [getattr(one, "__qualname__", str(one)) for one in called if not hasattr(one, "byteface_needs")]
    if silent:
        raise TypeError(f"{silent} say no role: wrap them with guarded(messages)(handler, needs)")


def chosen_gallery() -> str:
    """Name of the gallery that the browser, or a client with the same cookie, has turned to; empty for the first."""
    return _cookie(COOKIE)


def _cookie(name: str) -> str:
    cookies = getattr(LocalContext.request.get(None), "cookies", None)
    return unquote(cookies.get(name, "")) if cookies else ""


def _refusal(error: Exception) -> Markup:
    if isinstance(error, ReidError):
        return toasts(error_toast(error))
    log.error("a handler of the page failed", exc_info=error)
    return toasts(
        toast(t("That did not work"), t("Nothing was changed. Try again; the log of this machine says more."), "error")
    )
