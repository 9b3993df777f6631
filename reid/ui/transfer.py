"""Restoring a backup on the page, with the gallery of before kept beside it for Undo. Draws only the message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr

from reid.actor import Role
from reid.errors import ReidError
from reid.rights.transfers import restore_recorded, take_back_recorded
from reid.ui.components.shell import toast, toasts
from reid.ui.components.transfer import RESTORE_FILES, restore_busy, restore_dialog
from reid.ui.context import Page, html
from reid.ui.handlers import Updates, error_toast, guarded
from reid.ui.text import count, day, t


class Transfer:
    """The hidden file input and the dialog. Build it inside the Gallery tab."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.files = gr.File(
            file_count="single", label="Backup to restore", elem_id=RESTORE_FILES, elem_classes="bf-sr"
        )  # fmt: skip
        self.dialog = html(elem_id="bf-restore")
        self.all = [self.files, self.dialog]
        self.files.upload(
            guarded(page.messages)(self.restore, Role.ADMIN), self.files, [*self.all, page.top, page.messages],
            api_visibility="private", show_progress="hidden", concurrency_limit=1, concurrency_id="restoring",
        ).then(None, None, None, js="() => { document.getElementById('restore-dialog').hidden = true; "
                                    "window.bytefaceRefresh(); }")  # fmt: skip

    def restore(self, path: str | None) -> Iterator[Updates]:
        """Puts a backup in the place of what is enrolled."""
        if not path:
            return
        yield {self.dialog: restore_busy()}
        try:
            yield {**self.first(), self.files: None, **self._restore(Path(path))}
        except ReidError as error:
            yield {**self.first(), self.files: None, self.page.messages: toasts(error_toast(error))}

    def _restore(self, path: Path) -> Updates:
        recognizer = self.page.recognizer
        try:
            done = restore_recorded(
                recognizer.audit, path, recognizer.gallery.url, replace=True, space_id=recognizer.space.id
            )
        finally:
            path.unlink(missing_ok=True)
        contents, kept = done.contents, done.kept
        text = t(
            "{photographs}, as of {day}. The gallery of before is kept as {file}.",
            photographs=count(contents.photographs, "photograph", "photographs"),
            day=day(contents.made_at),
            file=kept.name if kept else "",
        )
        if done.forgotten:
            erased = t(
                "{photographs} that were erased since stay erased.",
                photographs=count(done.forgotten, "photograph", "photographs"),
            )
            text = f"{text} {erased}"
        title = t("{people} restored", people=count(contents.people, "person", "people"))
        undo = self.page.undos.offer(self._undo(kept)) if kept else ""
        return {
            self.page.top: self.page.bar(),
            self.page.messages: toasts(toast(title, text, undo=undo)),
        }

    def _undo(self, kept: Path) -> Callable[[], str]:
        log, url = self.page.recognizer.audit, self.page.recognizer.gallery.url

        def back() -> str:
            take_back_recorded(log, url, kept)
            return t("The gallery is as it was before the backup")

        return back

    def first(self) -> Updates:
        """What stands still, in the reader's language."""
        return {self.dialog: restore_dialog()}
