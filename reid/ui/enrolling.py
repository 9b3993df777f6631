"""The Enrol tab: one person by hand, or many from a folder or zip."""

from __future__ import annotations

from typing import Any

import gradio as gr

from reid.actor import Role
from reid.ui.context import PRESSES, Page
from reid.ui.enrol import EnrolTab
from reid.ui.fixed import label
from reid.ui.handlers import Updates, guarded
from reid.ui.many import ManyPart

MANY = "many"
"""In the page's address where otherwise a person stands: opens the tab at Many people."""

_MODES = [(label("One person"), "one"), (label("Many people"), MANY)]


class EnrolTabs:
    """Both segments and the switch between them. Build it inside `gr.Tab`."""

    def __init__(self, page: Page) -> None:
        with gr.Row(elem_classes="bf-bar bf-modes"):
            self.mode = gr.Radio(_MODES, value="one", label=label("What to enrol"), show_label=False, elem_id="bf-mode")
        with gr.Column(elem_classes="bf-mode") as self.one_box:
            self.one = EnrolTab(page)
        with gr.Column(visible=False, elem_classes="bf-mode") as self.many_box:
            self.many = ManyPart(page)
        boxes: list[Any] = [self.mode, self.one_box, self.many_box]
        self.all = list(dict.fromkeys([*boxes, *self.one.all, *self.many.all, self.many.note]))
        self.inputs = self.one.inputs
        said = guarded(page.messages)
        shown = [self.one_box, self.many_box, page.messages]
        self.mode.input(said(self.turn, Role.OPERATOR), self.mode, shown, **PRESSES)

    def turn(self, mode: str) -> Updates:
        """Shows one of the two."""
        return {self.one_box: gr.Column(visible=mode != MANY), self.many_box: gr.Column(visible=mode == MANY)}

    def draw(self, person: str, *values: Any) -> Updates:
        """The draft as it is; the address may ask for one of the segments."""
        turned: Updates = {self.mode: person, **self.turn(person)} if person in {"one", MANY} else {}
        return {**self.one.draw(person, *values), **turned}

    def first(self) -> Updates:
        """What stands still, in the reader's language."""
        return {**self.one.first(), **self.many.first()}
