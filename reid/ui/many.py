"""Enrol, many people: a folder or zip in, a check or an import with its report out, one Undo for all of it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from reid.actor import Role
from reid.errors import ArchiveError, ReidError
from reid.faces import FaceChoice
from reid.intake import Import, open_upload
from reid.intake.report import counts_of, people_of, table_of
from reid.tables import csv_bytes
from reid.ui.components import shell
from reid.ui.components.imported import FILES, import_report, intake_chosen, intake_drop
from reid.ui.context import ACTS, PRESSES, Page, html, script
from reid.ui.editing import change
from reid.ui.ending import last_day
from reid.ui.fixed import label
from reid.ui.handlers import Updates, error_toast, event_data, guarded
from reid.ui.session import MAX_SESSIONS, Session
from reid.ui.text import count, number_text, t

_EVERY_S = 0.5  # between two drawings of the progress

FACES = [(label("The largest face"), "largest"), (label("The most central face"), "central")]


@dataclass(slots=True, eq=False)
class _Job:
    """The import of one browser tab, running or done."""

    done: Import
    stop: threading.Event = field(default_factory=threading.Event)
    finished: bool = False
    show: str = "all"


class ManyPart:
    """Components and handlers of the segment. Build it inside the Enrol tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self.session = gr.Textbox(visible=False, label="Import")
        self.files = gr.File(
            file_count="single", label="Folder or zip to import", elem_id=FILES, elem_classes="bf-sr"
        )  # fmt: skip
        with gr.Row(visible=False, elem_classes="bf-busy") as self.busy:
            self.progress = html()
            self.cancel = gr.Button(label("Cancel"), size="sm", elem_classes="bf-busy__stop", elem_id="bf-import-stop")
        self.report = html(acts=True, elem_id="bf-import-report")
        with gr.Row(elem_classes="bf-enrol") as self.form:
            with gr.Column():
                self.drop = gr.HTML(
                    "", apply_default_css=False, elem_id="bf-import-drop", js_on_load=ACTS + script("many.js")
                )
            with gr.Column(elem_classes="bf-card bf-card__body bf-enrol__r"):
                self._build_form()
        self.all = [
            self.session, self.files, self.busy, self.progress, self.report, self.form, self.drop, self.go, self.check,
            page.top, page.messages,
        ]  # fmt: skip
        self.inputs = [self.session]
        self._listen()

    def _build_form(self) -> None:
        self.consent = gr.Textbox(
            label=label("Consent basis"), placeholder=label("For people without one"), max_lines=1,
            elem_id="bf-import-consent",
        )  # fmt: skip
        self.expires = gr.Textbox(
            label=label("Expires"), placeholder=label("YYYY-MM-DD, for people without one"), max_lines=1,
            elem_id="bf-import-expires",
        )  # fmt: skip
        self.face = gr.Dropdown(
            FACES, value="largest", label=label("Of several faces"), filterable=False, elem_id="bf-import-face"
        )
        self.leave_poor = gr.Checkbox(True, label=label("Leave out photographs that are poor"))
        self.go = gr.Button(label("Import"), variant="primary", interactive=False, elem_id="bf-import-go")
        self.check = gr.Button(label("Check first"), interactive=False, elem_id="bf-import-check")
        self.note = html()

    def _listen(self) -> None:
        said = guarded(self.page.messages)
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        self.files.upload(said(self.chosen, Role.OPERATOR), [self.files, self.session], self.all, **quiet)
        form = [self.files, self.session, self.face, self.leave_poor, self.consent, self.expires]
        for press, handler in ((self.go, self.run), (self.check, self.look)):
            pressed = said(handler, Role.OPERATOR)
            press.click(pressed, form, self.all, concurrency_limit=2, concurrency_id="importing", **quiet)
        self.cancel.click(said(self.stop, Role.OPERATOR), self.inputs, self.all, concurrency_limit=None, **quiet)
        self.report.act(said(self.act, Role.OPERATOR), self.inputs, self.all, **PRESSES)
        self.drop.act(said(self.remove, Role.OPERATOR), [self.files], self.all, **PRESSES)

    # what the handlers do

    def chosen(self, path: str | None, session_id: str) -> Updates:
        """What the archive holds, before anything is read of it."""
        if not path:
            return {}
        try:
            with open_upload(Path(path)) as source:
                items = source.items
        except ReidError as error:
            return {**self.remove(path), self.page.messages: shell.toasts(error_toast(error))}
        people = {item.label for item in items if not item.refused}
        refused = sum(bool(item.refused) for item in items)
        return {
            self.drop: intake_chosen(source.name, len(items), len(people), refused),
            self.go: gr.Button(interactive=True),
            self.check: gr.Button(interactive=True),
            self.report: "",
            self.session: self.page.sessions.open(session_id).id,
        }

    def remove(self, path: str | None) -> Updates:
        """Takes the archive away, from this machine too."""
        if path:
            Path(path).unlink(missing_ok=True)
        off = gr.Button(interactive=False)
        return {self.drop: intake_drop(), self.files: None, self.go: off, self.check: off}

    def run(self, path: str | None, session_id: str, *form: Any) -> Iterator[Updates]:
        """Imports."""
        yield from self._go_through(path, session_id, form, dry_run=False)

    def look(self, path: str | None, session_id: str, *form: Any) -> Iterator[Updates]:
        """Reads everything and reports, without enrolling anyone."""
        yield from self._go_through(path, session_id, form, dry_run=True)

    def _go_through(self, path: str | None, session_id: str, form: Any, *, dry_run: bool) -> Iterator[Updates]:
        if not path or not Path(path).exists():
            raise ArchiveError(t("There is nothing to import. Drop a folder or a zip first."))
        session = self.page.sessions.open(session_id)
        face, leave_poor, consent, expires = form
        fields = {"consent": (consent or "").strip(), "expires": last_day(expires or "")}
        with open_upload(Path(path)) as source:
            done = Import(
                self.page.recognizer, source, face=_face(face), keep_poor=not leave_poor, dry_run=dry_run, fields=fields
            )
            job = self._start(session, done)
            try:
                yield {self.session: session.id, self.form: gr.Row(visible=False), **self._running(job, 0, None)}
                yield from self._follow(job)
            finally:  # stopped, failed or left: what is enrolled stays, and the form comes back
                job.finished = True
                session.report = csv_bytes(table_of(done))
            yield self._finish(session, job, path)

    def _start(self, session: Session, done: Import) -> _Job:
        self._jobs[session.id] = job = _Job(done)
        while len(self._jobs) > MAX_SESSIONS:
            self._jobs.popitem(last=False)
        return job

    def _follow(self, job: _Job) -> Iterator[Updates]:
        started = drawn = time.monotonic()
        steps = job.done.run()
        try:
            for looked_at in steps:
                if job.stop.is_set():
                    return
                now = time.monotonic()
                if now - drawn >= _EVERY_S:
                    drawn = now
                    yield self._running(job, looked_at, (now - started) / max(looked_at, 1))
        except ReidError as error:  # a full disk: said in words, and the report of what was done still comes
            yield {self.page.messages: shell.toasts(error_toast(error))}
        finally:
            steps.close()

    def _running(self, job: _Job, looked_at: int, seconds_each: float | None) -> Updates:
        source, total = job.done.source, len(job.done.source.items)
        title = t("Checking {name}", name=source.name) if job.done.dry_run else t("Importing {name}", name=source.name)
        words = t("{done} of {total}", done=number_text(looked_at), total=count(total, "photograph", "photographs"))
        if seconds_each is not None and looked_at >= 8:
            words = t("{done}, {left} left", done=words, left=_duration(seconds_each * (total - looked_at)))
        keeps = (
            t("Nobody is enrolled by a check.")
            if job.done.dry_run
            else t("Cancelling keeps the people already enrolled; running it again adds nothing twice.")
        )
        return {
            self.busy: gr.Row(visible=True),
            self.progress: shell.progress(title, looked_at, total, f"{words}. {keeps}"),
            self.report: import_report(job.done, "", job.show, finished=False) if job.done.lines else "",
        }

    def _finish(self, session: Session, job: _Job, path: str) -> Updates:
        done = job.done
        counts = counts_of(done)
        people = sum(bool(one.enrolled) for one in people_of(done))
        updates = self._shown(session, job) | {
            self.busy: gr.Row(visible=False),
            self.form: gr.Row(visible=True),
            self.page.top: self.page.bar(),
        }
        if done.dry_run:
            words = t("Nobody is enrolled yet. Press Import to do it.")
            title = t("{people} would be enrolled", people=count(people, "person", "people"))
            return {**updates, self.page.messages: shell.toasts(shell.toast(title, words))}
        if not job.stop.is_set():
            updates |= self.remove(path)
        title = t("{people} imported", people=count(people, "person", "people"))
        if job.stop.is_set():
            title = t("Stopped: {people} imported", people=count(people, "person", "people"))
        text = t("{photographs} added.", photographs=count(counts["enrolled"], "photograph", "photographs"))
        undo = self.page.undos.offer(self._undo(done.photo_ids)) if done.photo_ids else ""
        return {**updates, self.page.messages: shell.toasts(shell.toast(title, text, undo=undo))}

    def _undo(self, photo_ids: list[str]) -> Callable[[], str]:
        gallery = self.page.recognizer.gallery

        def back() -> str:
            gone = gallery.remove_photos(photo_ids)
            return t(
                "The import is taken back: {photographs} removed",
                photographs=count(gone.photos, "photograph", "photographs"),
            )

        return back

    def _shown(self, session: Session, job: _Job) -> Updates:
        return {self.report: import_report(job.done, session.id, job.show, finished=job.finished)}

    def stop(self, session_id: str) -> Updates:
        """Cancel: the running import ends after the photograph it is at."""
        session = self.page.sessions.find(session_id)
        job = self._jobs.get(session.id) if session else None
        if job:
            job.stop.set()
        return {}

    def act(self, session_id: str, event: gr.EventData) -> Updates:
        """A press in the report."""
        session, job = self.page.sessions.find(session_id), self._jobs.get(session_id or "")
        if session is None or job is None:
            raise ReidError(t("This report was forgotten after a while. Run the import again to see it."))
        data = event_data(event)
        match data.get("act"):
            case "show":
                job.show = str(data.get("id", "all"))
            case "join":
                target = self.page.recognizer.gallery.identity(str(data.get("to", "")))
                _, message = change(self.page, {"act": "merge", "id": data.get("id"), "value": target.name})
                job.done.resemblances = {
                    one: found
                    for one, found in job.done.resemblances.items()
                    if job.done.identity_ids.get(one) != data.get("id")
                }
                return {**self._shown(session, job), self.page.top: self.page.bar(), self.page.messages: message}
        return self._shown(session, job)

    def first(self) -> Updates:
        """What stands still, in the reader's language."""
        note = Markup('<p class="bf-quiet">{}</p>').format(
            t("A check reads everything and reports, without enrolling anyone.")
        )
        return {self.drop: intake_drop(), self.note: note}


def _face(choice: object) -> FaceChoice:
    return "central" if choice == "central" else "largest"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return t("less than a minute") if seconds < 45 else t("about a minute")
    return t("about {n} minutes", n=round(seconds / 60))
