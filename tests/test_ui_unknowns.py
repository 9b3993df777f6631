"""The Unknowns tab without a browser: what a redraw changes, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from fakes import fake_recognizer

from reid.ui.context import Page, html
from reid.ui.session import Sessions
from reid.ui.undo import Undos
from reid.ui.unknowns import UnknownsTab
from reid.unknowns import Keeping, choose_keeping


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[UnknownsTab]:
    recognizer = fake_recognizer(tmp_path)

    async def build() -> UnknownsTab:  # outside a loop Gradio opens some and never closes them
        with gr.Blocks():
            return UnknownsTab(Page(recognizer, Sessions(), html(), html(), Undos(), gr.Tabs(), html()))

    yield asyncio.run(build())
    recognizer.close()


def test_a_redraw_leaves_a_switch_alone_that_stands_as_it_should(tab: UnknownsTab) -> None:
    drawn = tab.draw("", False, 30)
    assert tab.keep not in drawn, "somebody may press it while the answer is on its way"
    assert tab.days not in drawn
    assert tab.faces in drawn


def test_a_redraw_turns_a_switch_that_was_changed_elsewhere(tab: UnknownsTab) -> None:
    choose_keeping(tab.page.recognizer.gallery, Keeping(True, 7))
    drawn = tab.draw("", False, 30)
    assert (drawn[tab.keep], drawn[tab.days]) == (True, 7)
