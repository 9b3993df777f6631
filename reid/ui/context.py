"""What every tab of the page is given: the recognizer, the sessions, the shared components, where to put which."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Protocol

import gradio as gr

from reid.actor import acting
from reid.recognizer import Recognizer
from reid.settings import CHECKOUT
from reid.ui.components import shell
from reid.ui.session import Sessions
from reid.ui.undo import Undos

ASSETS = CHECKOUT / "assets"


def script(name: str) -> str:
    """A file of `assets/js`."""
    return (ASSETS / "js" / name).read_text(encoding="utf-8")


ACTS = script("acts.js")
"""Reports presses of `data-act` elements as the event 'act'; for `gr.HTML(js_on_load=)`."""

PRESSES: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "trigger_mode": "multiple",
    "concurrency_limit": None,
}
"""How presses and switches are listened to: none is dropped while another is answered; `guarded` answers those of a
browser tab in turn."""

SLIDES: dict[str, Any] = {**PRESSES, "trigger_mode": "always_last"}
"""How controls are listened to that change many times a second: the last value counts. Only for those that no answer
sets, and for handlers that read no event: Gradio would give the last turn the first one's.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """The parts that all tabs share.

    Attributes:
        top: the bar with the number of people, redrawn where it changes.
        messages: the toasts.
        undos: what a toast's Undo button takes back.
        route: a hidden piece through which the browser says where it is: the event `visit` with tab and person.
        shared: components of one tab that another one changes, by name.
    """

    recognizer: Recognizer
    sessions: Sessions
    top: gr.HTML
    messages: gr.HTML
    undos: Undos
    tabs: gr.Tabs
    route: gr.HTML
    shared: dict[str, Any] = field(default_factory=dict)

    @property
    def gallery_name(self) -> str:
        """What the gallery in use is called."""
        url = self.recognizer.gallery.url
        return PurePath(url.split("?")[0]).stem or url

    def bar(self) -> str:
        """The bar as it is now."""
        return shell.top(self.gallery_name, self.recognizer.gallery.count(), self.recognizer.shelf.names(), acting())


class Tab(Protocol):
    """What the page asks of a tab.

    Attributes:
        inputs: components whose values `draw` is given.
        all: everything that `draw` may change.
    """

    inputs: list[Any]
    all: list[Any]

    def draw(self, person: str, *values: Any) -> dict[Any, Any]:
        """The tab as it is now; `person` is the id in the page's address, empty without one."""
        ...

    def first(self) -> dict[Any, Any]:
        """Values that inputs start with and that only the running page knows."""
        ...


def html(
    value: str = "", *, classes: str | list[str] | None = None, elem_id: str | None = None, acts: bool = False
) -> gr.HTML:
    """A piece of our own HTML; with `acts` its buttons reach Python as the event `act`.

    Its template stays Gradio's `${value}`: what is put into a template is evaluated, what is a value is not.
    """
    return gr.HTML(
        value,
        apply_default_css=False,
        elem_classes=classes,
        elem_id=elem_id,
        js_on_load=ACTS if acts else None,
    )
