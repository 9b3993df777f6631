"""What every handler of the page has in common: the reader's language, errors in words, event data.

A handler returns a dict from component to its update; this adds the toast where something was refused.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import gradio as gr
from gradio.context import LocalContext
from markupsafe import Markup

from reid.errors import ReidError
from reid.gallery.shelf import choose
from reid.ui.components.shell import toast, toasts
from reid.ui.refusals import in_words
from reid.ui.text import t, use_language

log = logging.getLogger(__name__)

COOKIE = "byteface_gallery"

Updates = dict[Any, Any]


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


def guarded(messages: gr.HTML) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a handler: sets the language, and turns what it raises into a toast.

    Args:
        messages: where toasts appear; must be among the event's outputs.
    """

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def function(*args: Any, **kwargs: Any) -> Updates:
            use_language(_accepted_language())
            choose(chosen_gallery())
            try:
                found: Updates = handler(*args, **kwargs)
            except (
                Exception
            ) as error:  # an entry point, like the command line: said in words, logged, and the page lives
                return {messages: _refusal(error)}
            return found

        @functools.wraps(handler)
        def generator(*args: Any, **kwargs: Any) -> Iterator[Updates]:
            accepted, gallery = _accepted_language(), chosen_gallery()
            steps = handler(*args, **kwargs)
            while True:
                use_language(accepted)  # each step may run in a thread of its own
                choose(gallery)  # the one of the beginning, wherever the browser has turned meanwhile
                try:
                    answer = next(steps)
                except StopIteration:
                    return
                except Exception as error:  # as above
                    yield {messages: _refusal(error)}
                    return
                yield answer

        return generator if inspect.isgeneratorfunction(handler) else function

    return decorate


def chosen_gallery() -> str:
    """Name of the gallery that the browser, or a client with the same cookie, has turned to; empty for the first."""
    cookies = getattr(LocalContext.request.get(None), "cookies", None)
    return unquote(cookies.get(COOKIE, "")) if cookies else ""


def _accepted_language() -> str | None:
    headers = getattr(LocalContext.request.get(None), "headers", None)
    return headers.get("accept-language") if headers else None


def _refusal(error: Exception) -> Markup:
    if isinstance(error, ReidError):
        return toasts(error_toast(error))
    log.error("a handler of the page failed", exc_info=error)
    return toasts(
        toast(t("That did not work"), t("Nothing was changed. Try again; the log of this machine says more."), "error")
    )
