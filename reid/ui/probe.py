"""The Probe tab: photographs in, every face decided, candidates beside their evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from reid.actor import Role, acting
from reid.errors import ReidError
from reid.images import read_photograph
from reid.score_odds import kept_odds
from reid.ui import roles
from reid.ui.answering import answer
from reid.ui.chance_words import chance_words
from reid.ui.components import shell
from reid.ui.components.compare import compare
from reid.ui.components.faces import faces
from reid.ui.components.inspector import Sources, inspector
from reid.ui.components.live_view import live_shell
from reid.ui.components.purpose import purpose_field
from reid.ui.components.stage import probe_actions, stage, title
from reid.ui.context import ACTS, PRESSES, SLIDES, Page, html, script
from reid.ui.drawing import drawn_box, look_at
from reid.ui.fixed import label
from reid.ui.handlers import Updates, error_toast, event_data, guarded, number_of
from reid.ui.live import frame_server
from reid.ui.probing import FaceView, decide, look
from reid.ui.recording import record
from reid.ui.session import Session
from reid.ui.strangers import kept_toast, remember
from reid.ui.text import count, t
from reid.ui.threshold_words import exact, meaning, odds, slider_value
from reid.unknowns import Kept


class ProbeTab:
    """Components and handlers of the tab. Build it inside `gr.Tab`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session = gr.Textbox(visible=False, label="Session")
        self.files = gr.File(
            file_count="multiple", label="Photographs to search", elem_id="probe-files", elem_classes="bf-sr"
        )
        self.purpose = html(elem_id="bf-purpose")
        with gr.Row(visible=False, elem_classes="bf-busy") as self.busy:
            self.progress = html()
            self.cancel = gr.Button(label("Cancel"), size="sm", elem_classes="bf-busy__stop")
        self.live = gr.HTML(
            "",
            apply_default_css=False,
            elem_id="bf-live",
            js_on_load=script("live.js"),
            server_functions=[frame_server(lambda: page.recognizer, page.sessions, self._odds)],
        )
        with gr.Column(elem_classes="bf-start") as self.start:
            self.empty = html(elem_id="bf-probe-empty")
        with gr.Column(visible=False, elem_classes="bf-full") as self.full:
            self._build_result()
        self.all = [
            self.title, self.actions, self.stage, self.faces, self.inspector, self.words, self.session, self.files,
            self.busy, self.progress, self.start, self.empty, self.full, page.top, page.messages,
        ]  # fmt: skip
        self.inputs = [self.session, self.slider, self.k]
        page.shared["slider"] = self.slider
        self.compare = gr.HTML(
            "", apply_default_css=False, elem_id="bf-compare", js_on_load=ACTS + script("compare.js")
        )
        self.all += [self.compare, self.live, self.purpose]
        self._listen()

    def _build_result(self) -> None:
        with gr.Row(elem_classes="bf-bar"):
            self.title = html(classes="bf-bar__t")
            self.actions = html(classes="bf-bar__acts", elem_id="bf-probe-actions")
        with gr.Row(elem_classes="bf-probe"):
            with gr.Column(elem_classes="bf-probe__l"):
                self.stage = gr.HTML(
                    "", apply_default_css=False, elem_id="bf-stage", js_on_load=ACTS + script("stage.js")
                )
                self.faces = gr.HTML(
                    "", apply_default_css=False, elem_id="bf-faces", js_on_load=ACTS + script("faces.js")
                )
                with gr.Row(elem_classes="bf-card bf-strip"):
                    self.slider = gr.Slider(0, 1, 0.5, step=0.01, label=label("Threshold"), elem_classes="bf-slider")
                    self.k = gr.Dropdown(
                        [("5", 5), ("10", 10), ("20", 20)],
                        value=5,
                        label=label("Candidates per face"),
                        elem_classes="bf-inline",
                        filterable=False,
                    )
                    self.words = html(classes="bf-strip__w")
            with gr.Column(elem_classes="bf-probe__r"):
                self.inspector = html(acts=True, elem_id="bf-inspector")

    def _listen(self) -> None:
        said = guarded(self.page.messages)
        inputs = self.inputs
        searching = self.files.upload(
            said(self.search, Role.VIEWER),
            [self.files, *inputs],
            self.all,
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=2,
            concurrency_id="looking",
        )
        self.cancel.click(
            said(self.stop, Role.VIEWER),
            inputs,
            self.all,
            cancels=[searching],
            api_visibility="private",
            show_progress="hidden",
        )
        for piece in (self.stage, self.faces, self.inspector, self.compare):
            piece.act(said(self.act, roles.PROBE), inputs, self.all, **PRESSES)
        for control in (self.slider, self.k):
            control.input(said(self.again, Role.VIEWER), inputs, self.all, **SLIDES)

    # what the handlers do

    def search(self, files: list[str] | None, session_id: str, shown: float, k: int) -> Iterator[Updates]:
        """Reads, finds and describes each photograph, showing each as soon as it is done."""
        session = self.page.sessions.open(session_id)
        paths = [Path(name) for name in files or []]
        problems: list[Markup] = []
        # each answer repeats the earlier ones: the browser may draw only the last of several that arrive together
        updates: Updates = {self.busy: gr.Row(visible=True), self.files: None, self.session: session.id}
        first: str | None = None
        kept: list[Kept] = []
        for done, path in enumerate(paths):
            updates[self.progress] = self._progress(done, paths)
            yield updates
            try:
                self.page.recognizer.gallery.pen.ask_purpose()
                shot = look(self.page.recognizer, read_photograph(path, path.name))
                session.add(shot)
                kept.append(remember(self.page, shot))
                first = first or shot.id
                session.show(first)  # the first of those that came together, the others wait in the rail
            except ReidError as error:
                problems.append(error_toast(error))
            finally:
                path.unlink(missing_ok=True)  # a photograph of somebody: not kept a moment longer than needed
            updates = {**updates, **self.show(session, shown, k)}
        said = [*problems, *kept_toast(self.page, kept)]
        yield {**updates, self.busy: gr.Row(visible=False), self.page.messages: shell.toasts(*said)}

    def _progress(self, done: int, paths: Sequence[Path]) -> Markup:
        return shell.progress(
            t("Searching photograph {number} of {total}", number=done + 1, total=len(paths)),
            done,
            len(paths),
            t(
                "{done} searched. Cancelling keeps what is already found.",
                done=count(done, "photograph", "photographs"),
            ),
        )

    def stop(self, session_id: str, shown: float, k: int) -> Updates:
        """After Cancel: what was found stays."""
        session = self.page.sessions.find(session_id)
        return {**(self.show(session, shown, k) if session else {}), self.busy: gr.Row(visible=False)}

    def act(self, session_id: str, shown: float, k: int, event: gr.EventData) -> Updates:
        """A press on the picture, the list of faces or the inspector."""
        session = self._session(session_id)
        data = event_data(event)
        match data.get("act"):
            case "show":
                session.show(str(data.get("id", "")))
            case "face":
                session.select(number_of(data, "i"))
            case "open":
                session.opened = str(data.get("id", ""))
            case "draw":
                shot = session.shot
                assert shot is not None
                shot.templates.append(look_at(self.page.recognizer, shot, drawn_box(shot, data)))
                session.select(len(shot.templates) - 1)
                said = shell.toasts(*kept_toast(self.page, [remember(self.page, shot)]))
                return {**self.show(session, shown, k), self.page.messages: said}
            case "compare":
                return self.show_compare(session, shown, k, str(data.get("id", "")))
            case "verdict":
                done = record(self.page, self._views(session, shown, k)[session.face], data)
                return {**self.show(session, shown, k), self.page.messages: done}
            case "confirm" | "reject" | "withdraw" | "name":
                done = answer(self.page, session, data)
                return {**self.show(session, shown, k), self.page.top: self.page.bar(), self.page.messages: done}
        return self.show(session, shown, k)

    def show_compare(self, session: Session, shown: float, k: int, identity_id: str) -> Updates:
        """Opens the compare dialog on one candidate of the selected face."""
        views = self._views(session, shown, k)
        view = views[session.face]
        found = (
            [one for one in view.assigned.result.candidates if one.identity.id == identity_id] if view.assigned else []
        )
        gallery = self.page.recognizer.gallery
        photos = gallery.photos(identity_id)
        if not found or not photos:
            return self.show(session, shown, k)
        with gallery.pen.use("consult", inputs=[view.shot.sha256], subjects=[identity_id], face=view.number):
            pass  # every photograph of the person is shown
        phrase, counted = self._odds(found[0].similarity)
        return {self.compare: compare(session, view, found[0], photos, f"{phrase} {counted}")}

    def again(self, session_id: str, shown: float, k: int) -> Updates:
        """Decides again with another threshold or number of candidates; no network is asked."""
        session = self.page.sessions.find(session_id)
        return self.show(session, shown, k) if session else {self.words: self._meaning(shown)}

    def draw(self, _person: str, session_id: str, shown: float, k: int) -> Updates:
        """When the tab is opened again: somebody may have been enrolled or erased meanwhile."""
        session = self.page.sessions.find(session_id)
        asked = {self.purpose: purpose_field(self.page.recognizer.audit.asking, acting().purpose)}
        if session and session.shots:
            return {**asked, **self.show(session, shown, k)}
        people = self.page.recognizer.gallery.count()
        return {
            **asked,
            self.empty: shell.probe_empty(people, self.page.gallery_name),
            self.words: self._meaning(shown),
        }

    def first(self) -> Updates:
        """The slider stands at the gallery's own threshold until somebody moves it."""
        return {self.slider: slider_value(self.page.recognizer.threshold), self.live: live_shell()}

    def _session(self, session_id: str) -> Session:
        session = self.page.sessions.find(session_id)
        if session is None or session.shot is None:
            raise ReidError(t("This search was forgotten after a while. Add the photographs again."))
        return session

    def show(self, session: Session, shown: float, k: int) -> Updates:
        """Everything that shows the current photograph."""
        shot = session.shot
        if shot is None:
            return {}
        views = self._views(session, shown, k)
        return {
            self.start: gr.Column(visible=False),
            self.full: gr.Column(visible=True),
            self.title: title(session, views),
            self.stage: stage(session, views),
            self.faces: faces(session, views),
            self.inspector: self._inspector(session, views),
            self.words: self._meaning(shown),
            self.actions: probe_actions(session.id, exact(self.page.recognizer.threshold, float(shown)), int(k)),
        }

    def _views(self, session: Session, shown: float, k: int) -> list[FaceView]:
        recognizer = self.page.recognizer
        assert session.shot is not None
        return decide(recognizer, session.shot, exact(recognizer.threshold, float(shown)), int(k))

    def _inspector(self, session: Session, views: Sequence[FaceView]) -> Markup:
        return inspector(session, views, Sources(self.page.recognizer.gallery.photos, self._odds, self._chance))

    def _odds(self, similarity: float) -> tuple[str, str]:
        return odds(self.page.recognizer.threshold, similarity, self.page.recognizer.gallery.count())

    def _chance(self, similarity: float) -> str:
        gallery = self.page.recognizer.gallery
        return chance_words(kept_odds(gallery), similarity, gallery.count())

    def _meaning(self, shown: float) -> Markup:
        threshold = self.page.recognizer.threshold
        return meaning(threshold, exact(threshold, float(shown)), self.page.recognizer.gallery.count())
