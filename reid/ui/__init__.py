"""The page: `build_ui` puts the tabs together. Knows the recognizer and the sessions, no server."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

# read by Gradio when it is imported: without it the page would ask two hosts for news
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from markupsafe import Markup

from reid.actor import Role
from reid.errors import ReidError
from reid.recognizer import Recognizer
from reid.ui.audit import AuditTab
from reid.ui.components import shell
from reid.ui.context import PRESSES, Page, Tab, html, script
from reid.ui.endpoints import add_endpoints
from reid.ui.enrolling import EnrolTabs
from reid.ui.fixed import label
from reid.ui.gallery import GalleryTab
from reid.ui.handlers import Updates, check_declared, event_data, guarded
from reid.ui.probe import ProbeTab
from reid.ui.roles import may_look
from reid.ui.session import Sessions
from reid.ui.text import decimal, t
from reid.ui.threshold import ThresholdTab
from reid.ui.undo import Undos
from reid.ui.unknowns import UnknownsTab
from reid.ui.verify import VerifyTab
from reid.weights.choice import BestRun

TABS: dict[str, tuple[str, Callable[[Page], Tab]]] = {
    "probe": ("Probe", ProbeTab),
    "verify": ("Verify", VerifyTab),
    "gallery": ("Gallery", GalleryTab),
    "enrol": ("Enrol", EnrolTabs),
    "unknowns": ("Unknowns", UnknownsTab),
    "threshold": ("Threshold", ThresholdTab),
    "audit": ("Audit", AuditTab),
}
"""In the order of the bar."""

_CACHE_S = (600, 3600)
"""Gradio's own copies of files are looked through every ten minutes and removed after an hour."""


def build_ui(recognizer: Recognizer, sessions: Sessions, saved_every_min: int | None = None) -> gr.Blocks:
    """The page with all its tabs, to be mounted beside our own routes.

    Args:
        saved_every_min: of a gallery on a disk that is not kept: how often it is saved, 0 for never; None elsewhere.
    """
    blocks = gr.Blocks(title="ByteFace", fill_width=True, delete_cache=_CACHE_S, analytics_enabled=False)
    with blocks:
        add_endpoints(recognizer)  # first: an endpoint is named before the page's events could take its name
        top = html(elem_id="bf-top")
        messages = gr.HTML(
            shell.toasts(),
            apply_default_css=False,
            elem_id="bf-messages",
            js_on_load=script("toasts.js"),
        )
        route = gr.HTML("", visible="hidden", js_on_load="window.bytefaceVisit = place => trigger('visit', place);")
        with gr.Tabs(elem_id="bf-tabs", selected="probe") as tabs:
            page = Page(recognizer, sessions, top, messages, Undos(), tabs, route)
            built: dict[str, Tab] = {}
            for name, (words, tab) in TABS.items():
                with gr.Tab(label(words), id=name):
                    built[name] = tab(page)
        camera = html(elem_id="bf-camera")
        _listen(blocks, page, built, camera)
        if saved_every_min is not None:
            _say_how_long(blocks, page, saved_every_min)
    check_declared(blocks)
    return blocks


def _listen(blocks: gr.Blocks, page: Page, tabs: dict[str, Tab], camera: gr.HTML) -> None:
    """Links, Back and the first load: all of them say where to be, and the tab there is drawn again."""
    inputs = [component for tab in tabs.values() for component in tab.inputs]
    outputs = list(dict.fromkeys([page.tabs, page.top, *(component for tab in tabs.values() for component in tab.all)]))
    said = guarded(page.messages)
    news = [page.recognizer.better] if page.recognizer.better else []  # told to the first visitor

    def draw(name: str, person: str, values: Sequence[Any]) -> Updates:
        name = name if name in tabs and may_look(name) else next(iter(tabs))
        before = sum(len(tab.inputs) for tab in list(tabs.values())[: list(tabs).index(name)])
        own = values[before : before + len(tabs[name].inputs)]
        return {page.top: page.bar(), **tabs[name].draw(person, *own)}

    def visit(event: gr.EventData, *values: Any) -> Updates:
        place = event_data(event)
        return draw(str(place.get("tab", "")), str(place.get("person", "")), values)

    def load(request: gr.Request) -> Updates:
        first = {component: value for name, tab in tabs.items() if may_look(name)
                 for component, value in tab.first().items()}  # fmt: skip
        values = [first.get(component, component.value) for component in inputs]
        query = request.query_params
        turn = gr.Tabs(selected=query.get("tab")) if query.get("tab") in tabs and may_look(query["tab"]) else gr.skip()
        return {
            **first,
            camera: _camera_dialog(),
            page.tabs: turn,
            **draw(query.get("tab", ""), query.get("person", ""), values),
            **({page.messages: _better_run(news.pop(), page)} if news else {}),
        }

    def undo(event: gr.EventData) -> Updates:
        action = page.undos.take(str(event_data(event).get("id", "")))
        if action is None:
            raise ReidError(t("This cannot be taken back any more. It was undone already, or is too long ago."))
        return {page.messages: shell.toasts(shell.toast(action()))}

    page.messages.act(said(undo, Role.VIEWER), None, [page.messages], **PRESSES).then(
        None, None, None, js="() => window.bytefaceRefresh()"
    )
    page.route.visit(said(visit, Role.VIEWER), inputs, outputs, **PRESSES)
    blocks.load(
        said(load, Role.VIEWER),
        None,
        [*outputs, *inputs, camera, page.messages],
        api_visibility="private",
        show_progress="hidden",
    )


def _say_how_long(blocks: gr.Blocks, page: Page, minutes: int) -> None:
    """A quiet line below every tab, in the visitor's language."""
    line = html(elem_id="bf-disk")

    def draw() -> Updates:
        return {line: shell.disk_note(minutes)}

    said = guarded(page.messages)
    blocks.load(said(draw, Role.VIEWER), None, [line], api_visibility="private", show_progress="hidden")


def _better_run(better: BestRun, page: Page) -> Markup:
    """Stays until it is closed: whoever runs this machine should read it."""
    title = t("Better weights are here: {run}", run=better.folder.name)
    text = t(
        "On people outside of their training they find {tuned} instead of {frozen} at one false alarm in 100. "
        "Bring this gallery to them: byteface reembed --gallery {gallery}",
        tuned=f"{decimal(100 * better.tuned, 1)} %",
        frozen=f"{decimal(100 * better.frozen, 1)} %",
        gallery=PurePath(page.recognizer.gallery.url).name,
    )
    return shell.toasts(shell.toast(title, text, "news"))


def _camera_dialog() -> Markup:
    return Markup(
        '<div class="bf-modal" id="camera-dialog" hidden><section class="bf-dialog bf-dialog--cam" role="dialog" '
        'aria-modal="true" aria-label="{title}"><header class="bf-dialog__h"><h2 class="bf-h2 '
        'bf-grow">{title}</h2></header>'
        '<div class="bf-dialog__b"><video playsinline muted aria-label="{picture}"></video><p '
        'class="bf-quiet">{text}</p></div>'
        '<footer class="bf-dialog__f bf-dialog__f--end"><button type="button" class="bf-btn" data-dialog-close>{cancel}'
        '</button><button type="button" class="bf-btn bf-btn--primary" '
        "data-shoot>{shoot}</button></footer></section></div>"
    ).format(
        title=t("Webcam"),
        picture=t("Picture of the webcam"),
        text=t("Only the picture that you take is used. Nothing is recorded."),
        cancel=t("Cancel"),
        shoot=t("Take the photograph"),
    )
