"""The Verify tab: two photographs, or a photograph and an enrolled person: one person or two?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from reid.actor import Role, acting
from reid.errors import ReidError
from reid.images import read_photograph
from reid.ui import roles
from reid.ui.components import shell
from reid.ui.components.purpose import purpose_field
from reid.ui.components.verify_answer import answer, compare_sides
from reid.ui.components.verify_view import sides
from reid.ui.context import ACTS, PRESSES, Page, html, script
from reid.ui.handlers import Updates, error_toast, event_data, guarded, number_of
from reid.ui.markup import button
from reid.ui.probing import look
from reid.ui.session import Session
from reid.ui.text import t
from reid.ui.threshold_words import odds
from reid.ui.verifying import SIDES, Side, clear, put, side_for, sides_of


class VerifyTab:
    """Components and handlers of the tab. Build it inside `gr.Tab`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session = gr.Textbox(visible=False, label="Verification")
        self.files = {
            side: gr.File(
                file_count="multiple", label="Photographs to verify", elem_id=f"verify-{side}", elem_classes="bf-sr"
            )
            for side in SIDES
        }
        self.purpose = html(elem_id="bf-verify-purpose")
        with gr.Row(elem_classes="bf-bar"):
            self.title = html(classes="bf-bar__t")
            self.actions = html(classes="bf-bar__acts", acts=True)
        with gr.Row(visible=False, elem_classes="bf-busy") as self.busy:
            self.progress = html()
        with gr.Row(elem_classes="bf-probe"):
            with gr.Column(elem_classes="bf-probe__l"):
                self.sides = html(acts=True, elem_id="bf-verify-sides")
            with gr.Column(elem_classes="bf-probe__r"):
                self.answer = html(acts=True, elem_id="bf-verify-answer")
        self.compare = gr.HTML(
            "",
            apply_default_css=False,
            elem_id="bf-verify-compare",
            elem_classes="bf-compare",
            js_on_load=ACTS + script("compare.js"),
        )
        self.inputs = [self.session]
        self.all = [
            self.session, *self.files.values(), self.title, self.actions, self.busy, self.progress, self.sides,
            self.answer, self.compare, self.purpose, page.messages,
        ]  # fmt: skip
        self._listen()

    def _listen(self) -> None:
        said = guarded(self.page.messages)
        for side, files in self.files.items():
            files.upload(
                said(self._adder(side), Role.VIEWER),
                [files, *self.inputs],
                self.all,
                api_visibility="private",
                show_progress="hidden",
                concurrency_limit=2,
                concurrency_id="looking",
            )
        for piece in (self.sides, self.answer, self.actions):
            piece.act(said(self.act, roles.VERIFY), self.inputs, self.all, **PRESSES)

    # what the handlers do

    def _adder(self, asked: Side) -> Callable[[list[str] | None, str], Iterator[Updates]]:
        def add(files: list[str] | None, session_id: str) -> Iterator[Updates]:
            """Stands photographs on their sides: the second of two that came together goes to the other one."""
            session = self.page.sessions.open(session_id)
            paths = [Path(name) for name in files or []]
            problems: list[Markup] = []
            updates: Updates = {
                self.busy: gr.Row(visible=True),
                self.progress: shell.progress(t("Looking for faces"), 0, 1, t("The photographs are not kept.")),
                self.files[asked]: None,
                self.session: session.id,
            }
            yield updates
            for taken, path in enumerate(paths):
                try:
                    if taken < len(SIDES):
                        self.page.recognizer.gallery.pen.ask_purpose()
                        shot = look(self.page.recognizer, read_photograph(path, path.name))
                        put(session, side_for(asked, taken), shot)
                except ReidError as error:
                    problems.append(error_toast(error))
                finally:
                    path.unlink(missing_ok=True)
            if len(paths) > len(SIDES):
                problems.append(
                    shell.toast(t("Only two photographs are compared"), t("The others were left out."), "warn")
                )
            done = {self.busy: gr.Row(visible=False), self.page.messages: shell.toasts(*problems)}
            yield {**updates, **self.show(session), **done}

        return add

    def act(self, session_id: str, event: gr.EventData) -> Updates:
        """A press on one of the sides, in the answer or above."""
        data = event_data(event)
        session = self.page.sessions.open(session_id)
        which = str(data.get("id", ""))
        match data.get("act"):
            case "compare":
                return {self.compare: compare_sides(session, sides_of(self.page.recognizer, session), self._odds)}
            case "again":
                session = self.page.sessions.open(None)
            case "face":
                shot = session.shots.get(session.pair.second if which == "second" else session.pair.first)
                index = number_of(data, "i")
                if shot and 0 <= index < len(shot.templates):
                    shot.chosen = index
            case "clear":
                clear(session, "second" if which == "second" else "first")
            case "against":
                session.pair.against_person = which == "person"
            case "find":
                session.pair.query = str(data.get("value", ""))[:200]
            case "who":
                session.pair.person, session.pair.query = which, ""
        return {self.session: session.id, **self.show(session)}

    def draw(self, _person: str, session_id: str) -> Updates:
        """When the tab is opened, for the first time or again."""
        session = self.page.sessions.find(session_id) or Session("")  # looking in alone keeps nothing
        return {**self.show(session), **self.first()}

    def first(self) -> Updates:
        """What the comparison is for, where this ByteFace asks."""
        return {self.purpose: purpose_field(self.page.recognizer.audit.asking, acting().purpose)}

    def show(self, session: Session) -> Updates:
        """Both sides and the answer."""
        shown = sides_of(self.page.recognizer, session)
        started = bool(session.shots or session.pair.person)
        again = Markup('<div class="bf-bar__a">{}</div>').format(button(t("Start again"), "again", icon_name="undo"))
        return {
            self.title: Markup('<h1 class="bf-h1">{}</h1><p class="bf-quiet">{}</p>').format(
                t("Verify"), t("Two photographs, or one and an enrolled person.")
            ),
            self.actions: again if started else "",
            self.sides: sides(session, shown),
            self.answer: answer(session, shown, self._odds, self._people()),
        }

    def _people(self) -> int:
        threshold = self.page.recognizer.threshold
        return threshold.gallery_size or self.page.recognizer.gallery.count()

    def _odds(self, similarity: float) -> tuple[str, str]:
        return odds(self.page.recognizer.threshold, similarity, self.page.recognizer.gallery.count())
