"""The Enrol tab: photographs of one person, a verdict on each, a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from reid.actor import Role
from reid.errors import GalleryError, NoFaceError, ReidError
from reid.images import read_photograph
from reid.types import Candidate
from reid.ui.components import shell
from reid.ui.components.question import duplicate_question
from reid.ui.components.sheet import sheet
from reid.ui.components.stage import chip_source
from reid.ui.context import PRESSES, Page, html
from reid.ui.drafting import DraftRow, add_shot, duplicate_of, rows_of, samples_of
from reid.ui.ending import last_day
from reid.ui.fixed import label
from reid.ui.handlers import Updates, error_toast, event_data, guarded, number_of
from reid.ui.markup import icon
from reid.ui.probing import look
from reid.ui.session import Session
from reid.ui.strangers import sighting_note
from reid.ui.text import count, t
from reid.ui.threshold_words import odds


class EnrolTab:
    """Components and handlers of the tab. Build it inside `gr.Tab`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session = gr.Textbox(visible=False, label="Draft")
        self.files = gr.File(
            file_count="multiple", label="Photographs to enrol", elem_id="enrol-files", elem_classes="bf-sr"
        )
        with gr.Row(elem_classes="bf-enrol"):
            with gr.Column():
                with gr.Row(visible=False, elem_classes="bf-busy") as self.busy:
                    self.progress = html()
                    self.cancel = gr.Button(label("Cancel"), size="sm", elem_classes="bf-busy__stop")
                self.question = html(acts=True, elem_id="bf-question")
                self.sheet = html(acts=True, elem_id="bf-sheet")
                self.drop = html(elem_id="bf-enrol-drop")
            with gr.Column(elem_classes="bf-card bf-card__body bf-enrol__r"):
                self.name = gr.Textbox(
                    label=label("Name"), placeholder=label("As it should appear"), max_lines=1, elem_id="bf-name"
                )
                self._build_record()
                self.note = html(elem_id="bf-enrol-note")
                self.button = gr.Button(
                    label("Enrol"), variant="primary", elem_classes="bf-ic bf-ic--userplus", elem_id="bf-enrol-go"
                )
                self.waiting = html(elem_id="bf-enrol-waiting")
        self.all = [
            self.session, self.files, self.busy, self.progress, self.question, self.sheet, self.drop, self.name,
            self.note, self.button, self.waiting, page.top, page.messages, *self.record,
        ]  # fmt: skip
        self.inputs = [self.session, self.name]
        self._listen()

    def _build_record(self) -> None:
        consent = gr.Textbox(label=label("Consent basis"), max_lines=1, elem_id="bf-enrol-consent")
        expires = gr.Textbox(
            label=label("Expires"), placeholder=label("YYYY-MM-DD"), max_lines=1, elem_id="bf-enrol-expires"
        )
        notes = gr.Textbox(label=label("Notes"), lines=2, elem_id="bf-enrol-notes")
        self.record = [consent, expires, notes]

    def _listen(self) -> None:
        said = guarded(self.page.messages)
        reading = self.files.upload(
            said(self.add, Role.OPERATOR),
            [self.files, self.session, self.name],
            self.all,
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=2,
            concurrency_id="looking",
        )
        self.cancel.click(said(self.stop, Role.OPERATOR), self.inputs, self.all, cancels=[reading],
                          api_visibility="private", show_progress="hidden")  # fmt: skip
        for piece in (self.sheet, self.question):
            piece.act(said(self.act, Role.OPERATOR), self.inputs, self.all, **PRESSES)
        self.name.blur(
            said(self.refresh, Role.OPERATOR),
            self.inputs,
            self.all,
            api_visibility="private",
            show_progress="hidden",
        )
        gr.on(
            [self.button.click, self.name.submit],
            said(self.enrol, Role.OPERATOR),
            [*self.inputs, *self.record],
            self.all,
            api_visibility="private",
            show_progress="hidden",
        )

    # what the handlers do

    def add(self, files: list[str] | None, session_id: str, name: str) -> Iterator[Updates]:
        """Reads photographs into the draft."""
        session = self.page.sessions.open(session_id)
        paths = [Path(name) for name in files or []]
        problems: list[Markup] = []
        # each answer repeats the earlier ones: the browser may draw only the last of several that arrive together
        updates: Updates = {self.busy: gr.Row(visible=True), self.files: None, self.session: session.id}
        for done, path in enumerate(paths):
            updates[self.progress] = shell.progress(
                t("Reading photograph {number} of {total}", number=done + 1, total=len(paths)),
                done,
                len(paths),
                t("Cancelling keeps what was read."),
            )
            yield updates
            try:
                add_shot(session, look(self.page.recognizer, read_photograph(path, path.name)))
            except ReidError as error:
                problems.append(error_toast(error))
            finally:
                path.unlink(missing_ok=True)
            updates = {**updates, **self.show(session, name)}
        yield {**updates, self.busy: gr.Row(visible=False), self.page.messages: shell.toasts(*problems)}

    def stop(self, session_id: str, name: str) -> Updates:
        """After Cancel: what was read stays."""
        return {**self.refresh(session_id, name), self.busy: gr.Row(visible=False)}

    def act(self, session_id: str, name: str, event: gr.EventData) -> Updates:
        """A press in the list of photographs."""
        session = self.page.sessions.find(session_id)
        if session is None:
            raise ReidError(t("This draft was forgotten after a while. Add the photographs again."))
        data = event_data(event)
        which = str(data.get("id", ""))
        if data.get("act") == "join":
            return self.enrol(session_id, self.page.recognizer.gallery.identity(which).name)
        if data.get("act") == "different":
            session.different_from.add(which)
            return self.show(session, name)
        shot = session.shots.get(which)
        if shot is None:
            return self.show(session, name)
        match data.get("act"):
            case "remove":
                del session.shots[shot.id]
            case "pick":
                face = number_of(data, "i")
                shot.chosen = face if 0 <= face < len(shot.templates) else None
            case "reopen":
                shot.chosen, shot.used = None, None
            case "use":
                rows = {row.shot.id: row for row in self._rows(session)}
                shot.used = not rows[shot.id].used
        return self.show(session, name)

    def enrol(self, session_id: str, name: str, consent: str = "", expires: str = "", notes: str = "") -> Updates:
        """Puts the draft into the gallery, all or nothing; of somebody enrolled before the record stays."""
        record = {
            "consent": (consent or "").strip(),
            "expires": last_day(expires or ""),
            "notes": (notes or "").strip(),
        }
        session = self.page.sessions.find(session_id)
        rows = self._rows(session) if session else []
        if not (name or "").strip():
            raise GalleryError(t("The name is missing. Write it as it should appear."))
        samples = samples_of(rows)
        if session is None or not samples:
            raise NoFaceError(t("There is no face to enrol. Add at least one photograph with a face."))
        if any(row.state == "choose" for row in rows):
            raise NoFaceError(t("A photograph still waits for an answer. Choose the face that is meant, or remove it."))
        duplicate = duplicate_of(self.page.recognizer, session, rows, name)
        if duplicate:
            return self.show(session, name)  # the question, which may be new since the page was drawn
        gallery = self.page.recognizer.gallery
        before = gallery.find(name)
        had = {photo.id for photo in gallery.photos(before.id)} if before else set()
        done = self.page.recognizer.enrol(name, samples)
        given = {key: value for key, value in record.items() if value}
        if done.created and given:
            # a day that the gallery gave by itself stays where none is written
            metadata = {**done.identity.metadata, **given}
            gallery.edit(done.identity.id, metadata=metadata)
        session.shots.clear()
        session.different_from.clear()
        link = Markup('<a href="?tab=gallery&amp;person={0}" data-person="{0}">{1}</a>').format(
            done.identity.id, t("Show the person")
        )
        words = t(
            "{added} added, {total} in all.",
            added=count(len(done.photo_ids), "photograph", "photographs"),
            total=done.identity.photo_count,
        )
        title = (
            t("{name} is enrolled", name=done.identity.name)
            if done.created
            else t("Added to {name}, who was enrolled before", name=done.identity.name)
        )
        return {
            **self.show(session, ""),
            **dict.fromkeys([self.name, *self.record], ""),
            self.page.top: self.page.bar(),
            self.page.messages: shell.toasts(
                shell.toast(
                    title,
                    Markup("{} {} {}").format(words, link, sighting_note(self.page, done.identity)),
                    undo=self._undo(done.identity.name, [one for one in done.photo_ids if one not in had]),
                )
            ),
        }

    def _undo(self, name: str, photo_ids: Sequence[str]) -> str:
        """What the message's Undo sends back: the photographs go again, and somebody new with them."""
        gallery = self.page.recognizer.gallery

        def back() -> str:
            gone = gallery.remove_photos(photo_ids)
            if gone.identities:
                return t("{name} is not enrolled any more", name=name)
            photographs = count(gone.photos, "photograph", "photographs")
            return t("{photographs} taken away from {name}", photographs=photographs, name=name)

        return self.page.undos.offer(back)

    def first(self) -> Updates:
        """What stands still, in the reader's language."""
        drop = shell.drop_zone(
            t("Add photographs of this person"), t("JPEG, PNG, HEIC, TIFF; also group photographs"), "enrol-files"
        )
        more = Markup('<div class="bf-row bf-row--wrap bf-enrol__more">{}{}</div>').format(
            shell.source_button(t("Webcam"), "camera", "enrol-files"),
            shell.source_button(t("Paste"), "paste", "enrol-files"),
        )
        return {self.drop: Markup('<h1 class="bf-sr">{}</h1>{}{}').format(t("Enrol"), drop, more)}

    def draw(self, _person: str, session_id: str, name: str) -> Updates:
        """The draft as it is."""
        return self.refresh(session_id, name)

    def refresh(self, session_id: str, name: str) -> Updates:
        """The draft as it is; when the name changes, it may answer the question about a duplicate."""
        session = self.page.sessions.find(session_id)
        return self.show(session, name) if session else {self.note: _note([]), self.waiting: ""}

    def _rows(self, session: Session) -> list[DraftRow]:
        return rows_of(session, self.page.recognizer.threshold.value)

    def show(self, session: Session, name: str) -> Updates:
        """Question, list, count and what saving waits for."""
        rows = self._rows(session)
        duplicate = duplicate_of(self.page.recognizer, session, rows, name or "")
        waiting = [t("the face in {name}", name=row.shot.name) for row in rows if row.state == "choose"]
        if duplicate:
            waiting.insert(0, t("the duplicate"))
        return {
            self.question: self._question(session, rows, duplicate) if duplicate else "",
            self.sheet: sheet(session, rows),
            self.note: _note(rows),
            self.button: gr.Button(interactive=not waiting),
            self.waiting: Markup('<p class="bf-quiet">{}</p>').format(
                t("Waiting for an answer: {what}.", what=", ".join(waiting))
            )
            if waiting
            else "",
        }

    def _question(self, session: Session, rows: list[DraftRow], duplicate: Candidate) -> Markup:
        recognizer = self.page.recognizer
        shot = next(row.shot for row in rows if row.used)
        words, _ = odds(recognizer.threshold, duplicate.similarity, recognizer.gallery.count())
        return duplicate_question(
            chip_source(session, shot, shot.chosen or 0), shot.name, duplicate, recognizer.threshold.value, words
        )


def _note(rows: list[DraftRow]) -> Markup:
    used = sum(row.used for row in rows)
    return Markup('<div class="bf-note">{}<span><b>{}</b> {}</span></div>').format(
        icon("info"),
        t("{photographs} so far.", photographs=count(used, "photograph", "photographs")),
        t("Five or more, taken on different days, find people best."),
    )
