"""The Audit tab, for administrators: what was done, whether the record is whole, how long people are held."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from reid.audit.reading import Filters, choices_of, count_of, rows_of
from reid.audit.recording import retention_days
from reid.audit.rows import Row
from reid.audit.verifying import verify
from reid.errors import AuditError, GalleryError
from reid.rights.backups import copies_in
from reid.rights.expiry import choose_default
from reid.ui import roles
from reid.ui.components import shell
from reid.ui.components.audit_view import PAGE, LogPage, log_page
from reid.ui.components.retention_view import retention
from reid.ui.context import PRESSES, Page, html
from reid.ui.handlers import Updates, event_data, guarded, number_of
from reid.ui.text import count, number_text, t


class AuditTab:
    """Components and handlers of the tab. Build it inside `gr.Tab`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.view = html(acts=True, elem_id="bf-audit")
        self.rules = html(acts=True, elem_id="bf-rules")
        self.inputs: list[Any] = []
        self.all = [self.view, self.rules, page.messages]
        for piece in (self.view, self.rules):
            piece.act(guarded(page.messages)(self.act, roles.AUDIT), self.inputs, self.all, **PRESSES)

    def first(self) -> Updates:
        """Nothing that only the running page knows."""
        return {}

    def draw(self, _person: str) -> Updates:
        """The newest rows."""
        return {**self._log({}), **self._rules()}

    def act(self, event: gr.EventData) -> Updates:
        """Filters, pages, the check, the days."""
        data = event_data(event)
        match data.get("act"):
            case "check":
                return {self.page.messages: self._checked()}
            case "retention":
                return {**self._rules_changed(data), **self._rules()}
        return self._log(data)

    def _log(self, data: Mapping[str, Any]) -> Updates:
        """
        Args:
            data: `who`, `what`, `since`, `until`, `person` and `number` of the page.
        """
        log = self.page.recognizer.audit
        asked = {name: str(data.get(name, "")).strip() for name in ("who", "what", "since", "until", "person")}
        person = self._id_of(asked["person"]) if asked["person"] else ""
        filters = Filters(asked["who"], asked["what"], asked["since"], asked["until"], person, ends=True)
        if not log.path.is_file():  # nothing was done here yet
            empty = LogPage([], 0, 1, filters, asked["person"], [], [], {})
            return {self.view: log_page(empty)}
        total = count_of(log, filters)
        number = min(max(number_of(dict(data), "number", 1), 1), max(1, -(-total // PAGE)))
        rows = rows_of(log, filters, limit=PAGE, offset=(number - 1) * PAGE)
        actors, actions = choices_of(log)
        shown = LogPage(rows, total, number, filters, asked["person"], actors, actions, self._names(rows))
        return {self.view: log_page(shown)}

    def _id_of(self, person: str) -> str:
        gallery = self.page.recognizer.gallery
        found = gallery.find(person)
        return gallery.pen.log.opaque(found.id if found else person)

    def _names(self, rows: list[Row]) -> dict[str, str]:
        """Of those in the rows who are still enrolled in the gallery in use."""
        wanted = {one for row in rows for one in row.subject_ids}
        return {one.id: one.name for one in self.page.recognizer.gallery.identities() if one.id in wanted}

    def _checked(self) -> Any:
        found = verify(self.page.recognizer.audit)
        if found.bad is not None:
            raise AuditError(
                t("Row {number} of the log is not as it was written.", number=number_text(found.bad))
                + " "
                + t("Keep a copy of the file and find out who could change it.")
            )
        title = t("{rows} are as they were written", rows=count(found.rows, "row", "rows"))
        text = t("Keep this end elsewhere and compare it later: {head}", head=str(found.head))
        return shell.toasts(shell.toast(title, text, "news"))

    def _rules_changed(self, data: Mapping[str, Any]) -> Updates:
        gallery = self.page.recognizer.gallery
        given = choose_default(gallery, number_of(dict(data), "days", -1), existing=data.get("existing") == "1")
        text = t("{people} without a last day got one.", people=count(given, "person", "people")) if given else ""
        return {self.page.messages: shell.toasts(shell.toast(t("Saved"), text))}

    def _rules(self) -> Updates:
        recognizer = self.page.recognizer
        folder = Path(recognizer.shelf.urls()[0].removeprefix("sqlite:")).expanduser().parent
        try:
            days = retention_days(recognizer.gallery)
        except GalleryError:  # of a kind that keeps no settings
            days = 0
        return {self.rules: retention(days, copies_in(folder, recognizer.backup_days))}
