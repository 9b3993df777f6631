"""The page: `build_ui` puts the tabs together. Knows the recognizer and the sessions, no server."""

from __future__ import annotations

import os

# read by Gradio when it is imported: without it the page would ask two hosts for news
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from markupsafe import Markup

from reid.recognizer import Recognizer
from reid.ui.components import shell
from reid.ui.context import ASSETS, Page, html
from reid.ui.enrol import EnrolTab
from reid.ui.gallery import GalleryTab
from reid.ui.handlers import Updates, event_data, guarded
from reid.ui.probe import ProbeTab
from reid.ui.session import Sessions
from reid.ui.text import t

TABS = ("probe", "gallery", "enrol")

_CACHE_S = (600, 3600)
"""Gradio's own copies of files are looked through every ten minutes and removed after an hour."""


def build_ui(recognizer: Recognizer, sessions: Sessions) -> gr.Blocks:
    """The page with all its tabs, to be mounted beside our own routes."""
    blocks = gr.Blocks(title="ByteFace", fill_width=True, delete_cache=_CACHE_S, analytics_enabled=False)
    with blocks:
        top = html(elem_id="bf-top")
        messages = gr.HTML(
            shell.toasts(),
            apply_default_css=False,
            elem_id="bf-messages",
            js_on_load=(ASSETS / "js" / "toasts.js").read_text(encoding="utf-8"),
        )
        route = gr.HTML("", visible="hidden", js_on_load="window.bytefaceVisit = place => trigger('visit', place);")
        with gr.Tabs(elem_id="bf-tabs", selected="probe") as tabs:
            page = Page(recognizer, sessions, top, messages, tabs, route)
            with gr.Tab("Probe", id="probe"):
                probe = ProbeTab(page)
            with gr.Tab("Gallery", id="gallery"):
                gallery = GalleryTab(page)
            with gr.Tab("Enrol", id="enrol"):
                enrol = EnrolTab(page)
        html(_camera_dialog(), elem_id="bf-camera")
        _listen(blocks, page, probe, gallery, enrol)
    return blocks


def _listen(blocks: gr.Blocks, page: Page, probe: ProbeTab, gallery: GalleryTab, enrol: EnrolTab) -> None:
    """Links, Back and the first load: all of them say where to be, and the tab there is drawn again."""
    inputs = [probe.session, probe.slider, probe.k, gallery.query, gallery.order, enrol.session]
    outputs = list(dict.fromkeys([page.tabs, page.top, *probe.all, *gallery.all, *enrol.all]))
    said = guarded(page.messages)

    def visit(session: str, shown: float, k: int, query: str, order: str, draft: str, event: gr.EventData) -> Updates:
        place = event_data(event)
        tab, who = str(place.get("tab", "")), str(place.get("person", ""))
        return draw(tab, who, session, shown, k, query, order, draft)

    def draw(tab: str, who: str, session: str, shown: float, k: int, query: str, order: str, draft: str) -> Updates:
        tab = tab if tab in TABS else "probe"
        updates: Updates = {page.tabs: gr.Tabs(selected=tab), page.top: page.bar()}
        if tab == "probe":
            return updates | probe.refresh(session, shown, k)
        if tab == "enrol":
            return updates | enrol.refresh(draft)
        if who:
            return updates | gallery.show_person(who, query, order)
        return updates | gallery.show_people(query, order)

    def load(request: gr.Request) -> Updates:
        query = request.query_params
        value = probe.initial_threshold()
        updates = draw(query.get("tab", ""), query.get("person", ""), "", value, 5, "", "name", "")
        return {**updates, probe.slider: value}

    page.route.visit(said(visit), inputs, outputs, api_visibility="private", show_progress="hidden",
                     concurrency_limit=None)  # fmt: skip
    blocks.load(said(load), None, [*outputs, probe.slider], api_visibility="private", show_progress="hidden")


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
