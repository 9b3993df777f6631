"""The Gallery tab: who is enrolled, a page at a time, and one person's photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import gradio as gr
from markupsafe import Markup

from reid.actor import Role
from reid.errors import IdentityNotFoundError
from reid.types import Identity
from reid.ui import roles
from reid.ui.components import shell
from reid.ui.components.people import people_page
from reid.ui.components.person import person
from reid.ui.components.transfer import export_menu, import_button
from reid.ui.context import ACTS, PRESSES, SLIDES, Page, html, script
from reid.ui.editing import change, overtaken, view_of
from reid.ui.ending import ending, renewed
from reid.ui.fixed import label
from reid.ui.handlers import Updates, event_data, guarded, number_of
from reid.ui.markup import icon
from reid.ui.reviewing import Review, vouch
from reid.ui.text import count, t
from reid.ui.transfer import Transfer

ORDERS = [(label("Name"), "name"), (label("Newest"), "newest"), (label("Most photographs"), "photos")]


class GalleryTab:
    """Components and handlers of the tab. Build it inside `gr.Tab`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.waiting = Review(page)
        self.transfer = Transfer(page)
        with gr.Column(elem_classes="bf-list") as self.list:
            with gr.Row(elem_classes="bf-bar bf-bar--tight"):
                self.query = gr.Textbox(
                    label=label("Search a name"),
                    show_label=False,
                    placeholder=label("Search a name"),
                    elem_id="bf-query",
                    elem_classes="bf-search bf-ic--search",
                )
                self.order = gr.Dropdown(
                    ORDERS, value="name", label=label("Sort"), elem_classes="bf-inline bf-sort", filterable=False
                )
                self.actions = html(classes="bf-end bf-bar__acts")
            self.ending = html(acts=True, elem_id="bf-ending")
            self.review = html(acts=True, elem_id="bf-review")
            self.people = html(acts=True, elem_id="bf-people")
        with gr.Column(visible=False, elem_classes="bf-one") as self.one:
            self.person = gr.HTML(
                "", apply_default_css=False, elem_id="bf-person", js_on_load=ACTS + script("person.js")
            )
        self.all = [self.list, self.actions, self.review, self.people, self.one, self.person, page.top, page.messages]
        self.all += [*self.transfer.all, self.ending]
        self.inputs = [self.query, self.order]
        self._listen()

    def _listen(self) -> None:
        said = guarded(self.page.messages)
        # a textbox reports pasted text as a change only
        for changed in (self.query.change, self.order.input):
            changed(said(self.search, Role.VIEWER), self.inputs, self.all, **SLIDES)
        for piece in (self.ending, self.review, self.people, self.person):
            piece.act(said(self.act, roles.GALLERY), self.inputs, self.all, **PRESSES)

    def draw(self, person: str, query: str, order: str) -> Updates:
        """Somebody's own view where the address names one, otherwise the cards."""
        if person:
            return self.show_person(person, query, order)
        return {**self.show_people(query, order), self.review: self.waiting.draw(), self.ending: ending(self.page)}

    def first(self) -> Updates:
        """What stands still, in the reader's language."""
        enrol = Markup('<button type="button" class="bf-btn bf-btn--primary" data-tab="enrol">{}{}</button>')
        actions = Markup('<div class="bf-bar__a">{}{}{}</div>').format(
            import_button(t("Import")), export_menu(), enrol.format(icon("enrol"), t("Enrol a person"))
        )
        return {self.actions: actions, **self.transfer.first()}

    def search(self, query: str, order: str) -> Updates:
        """First page of what was asked for."""
        return self.show_people(query, order)

    def act(self, query: str, order: str, event: gr.EventData) -> Updates:
        """A press on a card, the pager or a person's view."""
        data = event_data(event)
        match data.get("act"):
            case "page":
                return self.show_people(query, order, number_of(data, "id", 1))
            case "erase":
                return self.erase(str(data.get("id", "")), query, order)
            case "renew" | "renew_all":
                which = str(data.get("id", "")) if data.get("act") == "renew" else ""
                return {self.page.messages: renewed(self.page, which), self.ending: ending(self.page)}
            case "look":
                return {self.review: self.waiting.draw(asked=True)}
            case "pairs":
                return {self.review: self.waiting.all_pairs()}
            case "odd":
                return {self.review: self.waiting.all_odd()}
            case "together" | "apart":
                said = {self.page.messages: self.waiting.answer(data), self.page.top: self.page.bar()}
                return {**said, **self.show_people(query, order), self.review: self.waiting.draw(asked=True)}
            case "vouch":
                shown, message = str(data.get("shown", "")), vouch(self.page, str(data.get("id", "")))
                rest = self.show_person(shown, query, order) if shown else {self.review: self.waiting.draw(asked=True)}
                return {**rest, self.page.messages: message}
            case "record" if draft := overtaken(self.page, data):
                return self.show_person(str(data.get("id", "")), query, order, draft)
            case "record" | "cover" | "move" | "delete" | "merge":
                shown, message = change(self.page, data)
                updates = self.show_person(shown, query, order) if shown else self.show_people(query, order)
                return {**updates, self.page.top: self.page.bar(), self.page.messages: message}
        return {}

    def show_people(self, query: str, order: str, number: int = 1) -> Updates:
        """The cards."""
        everybody = self.page.recognizer.gallery.identities()
        found = _ordered(_named(everybody, query), order)
        return {
            self.list: gr.Column(visible=True),
            self.one: gr.Column(visible=False),
            self.people: people_page(found, number, len(everybody), query),
        }

    def show_person(self, identity_id: str, query: str, order: str, draft: Mapping[str, str] | None = None) -> Updates:
        """One person's view; the cards where somebody else has erased that person."""
        recognizer = self.page.recognizer
        try:
            recognizer.gallery.identity(identity_id)
            with recognizer.gallery.pen.use("consult", subjects=[identity_id]):
                view = replace(view_of(recognizer, identity_id), draft=draft)
        except IdentityNotFoundError:
            gone = shell.toast(t("This person is not enrolled"), t("Somebody may have erased the record."), "warn")
            return {**self.show_people(query, order), self.page.messages: shell.toasts(gone)}
        return {
            self.list: gr.Column(visible=False),
            self.one: gr.Column(visible=True),
            self.person: person(view),
        }

    def erase(self, identity_id: str, query: str, order: str) -> Updates:
        """Erases a person for good; the page has asked for the name before."""
        gallery = self.page.recognizer.gallery
        name = gallery.identity(identity_id).name
        erased = gallery.remove(identity_id)
        done = shell.toast(
            t("{name} is erased", name=name),
            t("{photographs} went with the record.", photographs=count(erased.photos, "photograph", "photographs")),
        )
        return {
            **self.draw("", query, order),
            self.page.top: self.page.bar(),
            self.page.messages: shell.toasts(done),
        }


def _named(everybody: list[Identity], query: str) -> list[Identity]:
    """Those whose name holds every word of the query, capital letters aside."""
    words = (query or "").casefold().split()
    if not words:
        return everybody
    return [one for one in everybody if all(word in one.name.casefold() for word in words)]


def _ordered(found: list[Identity], order: str) -> list[Identity]:
    match order:
        case "newest":
            return sorted(found, key=lambda one: one.created_at, reverse=True)
        case "photos":
            return sorted(found, key=lambda one: one.photo_count, reverse=True)
    return found
