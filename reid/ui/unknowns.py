"""The Unknowns tab: strangers of probes that are kept, who they may be, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr
from markupsafe import Markup

from reid.actor import Role, require
from reid.errors import GalleryError
from reid.ui.components import unknowns as view
from reid.ui.components.shell import toast, toasts
from reid.ui.context import ACTS, PRESSES, Page, html, script
from reid.ui.fixed import label
from reid.ui.handlers import Updates, event_data, guarded, number_of
from reid.ui.text import count, t
from reid.unknowns import Keeping, adopt, choose_keeping, dismiss, faces_of, keeping_of, release, strangers_of

DAYS = (1, 7, 14, 30, 90, 365)


class UnknownsTab:
    """Components and handlers of the tab. Build it inside `gr.Tab`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.heading = html()
        with gr.Row(elem_classes="bf-bar bf-keep") as self.bar:
            self.keep = gr.Checkbox(
                label=label("Keep faces that found no candidate"), elem_id="bf-keep", container=False
            )
            self.days = gr.Dropdown(
                [(label("1 day") if days == 1 else label(f"{days} days"), days) for days in DAYS],
                value=30,
                label=label("Erase after"),
                elem_classes="bf-inline bf-keep__d",
                filterable=False,
            )
            self.actions = self._piece("bf-unknowns-actions", classes="bf-end bf-bar__acts")
        self.hits = self._piece("bf-hits")
        self.faces = self._piece("bf-unknowns", "person.js")
        self.all = [
            self.heading, self.bar, self.keep, self.days, self.actions, self.hits, self.faces, page.top, page.messages,
        ]  # fmt: skip
        self.inputs = [self.keep, self.days]
        said = guarded(page.messages)
        for control in (self.keep, self.days):
            control.input(said(self.choose, Role.OPERATOR), self.inputs, self.all, **PRESSES)
        for piece in (self.actions, self.hits, self.faces):
            piece.act(said(self.act, Role.OPERATOR), self.inputs, self.all, **PRESSES)

    @staticmethod
    def _piece(name: str, *scripts: str, classes: str | None = None) -> gr.HTML:
        code = "\n".join([ACTS, *map(script, scripts), script("unknowns.js")])
        return gr.HTML("", apply_default_css=False, elem_id=name, elem_classes=classes, js_on_load=code)

    # what the handlers do

    def first(self) -> Updates:
        """What was chosen for this gallery."""
        keeping = keeping_of(self.page.recognizer.gallery)
        heading = Markup('<h1 class="bf-sr">{}</h1>').format(t("Unknowns"))
        return {self.heading: heading, self.keep: keeping.on, self.days: _nearest(keeping.days)}

    def draw(self, _person: str, keep: bool, days: int) -> Updates:
        """Everything that is kept, as it is now.

        A switch that stands as it should is left alone: it may be pressed while this is on its way to the browser.
        """
        drawn, standing = self.show(), {self.keep: bool(keep), self.days: days}
        return {part: value for part, value in drawn.items() if part not in standing or value != standing[part]}

    def choose(self, keep: bool, days: int) -> Updates:
        """The switch and the time."""
        return self._choose(Keeping(bool(keep), int(days)))

    def _choose(self, keeping: Keeping) -> Updates:
        gallery = self.page.recognizer.gallery
        before = keeping_of(gallery)
        choose_keeping(gallery, keeping)
        days = count(keeping.days, "day", "days")
        if keeping.on:
            title = t("Faces without a candidate are kept for {days}", days=days)
            longer = t("Those that are kept already keep their time.") if keeping.days > before.days else ""
            return {**self.show(), self.page.messages: toasts(toast(title, longer))}
        left = gallery.unknowns.count()
        words = t("{faces} kept until their time is over.", faces=count(left, "face stays", "faces stay"))
        return {**self.show(), self.page.messages: toasts(toast(t("No more faces are kept"), words if left else ""))}

    def act(self, _keep: bool, days: int, event: gr.EventData) -> Updates:
        """A press on a card, a group or the bar."""
        data = event_data(event)
        match data.get("act"):
            case "start":
                return self._choose(Keeping(True, int(days)))
            case "more":
                return self.show(shown=number_of(data, "id", view.FIRST))
            case "ignored":
                return self.show(looking_at_ignored=True, shown=number_of(data, "id", view.FIRST))
            case "list":
                return self.show()
            case "unignore":
                return {**self._said(self._unignore(data)), **self.show(looking_at_ignored=True)}
            case "enrol" | "confirm" | "reject" | "ignore" | "erase" as done:
                change: Callable[[Mapping[str, Any]], Markup] = {
                    "enrol": self._enrol,
                    "confirm": self._confirm,
                    "reject": self._reject,
                    "ignore": self._ignore,
                    "erase": self._erase,
                }[done]
                return {**self._said(change(data)), **self.show(), self.page.top: self.page.bar()}
        return self.show()

    def _said(self, message: Markup) -> Updates:
        return {self.page.messages: toasts(message)}

    def show(self, *, looking_at_ignored: bool = False, shown: int = view.FIRST) -> Updates:
        """Those who are kept, or those who are ignored."""
        recognizer = self.page.recognizer
        keeping = keeping_of(recognizer.gallery)
        try:
            unknowns = recognizer.gallery.unknowns
        except GalleryError as error:
            return {self.bar: gr.Row(visible=False), self.hits: "", self.faces: view.refused(str(error))}
        threshold = recognizer.threshold.value
        ignored = unknowns.faces(ignored=True)
        looking_at_ignored = looking_at_ignored and bool(ignored)
        if looking_at_ignored:
            hits, faces, kept = Markup(""), view.ignored(ignored, shown), unknowns.count()
        else:
            found = strangers_of(recognizer.gallery, threshold)
            hits, kept = view.sightings(found.sightings, threshold), unknowns.count()
            some = found.sightings or found.groups or found.once
            faces = view.strangers(found, threshold, shown) if some else view.empty(keeping) + view.forget_dialog()
        return {
            self.bar: gr.Row(visible=True),
            self.keep: keeping.on,
            self.days: _nearest(keeping.days),
            self.actions: view.bar_actions(len(ignored), kept, looking_at_ignored),
            self.hits: hits,
            self.faces: faces,
        }

    # what a press does to the gallery, each with what takes it back

    def _enrol(self, data: Mapping[str, Any]) -> Markup:
        """A group, or the faces that are selected, as one person."""
        own = _ids(data, "faces")
        return self._adopt(own or _ids(data, "ids"), str(data.get("value", "")), insist=not own)

    def _confirm(self, data: Mapping[str, Any]) -> Markup:
        name = self.page.recognizer.gallery.identity(str(data.get("id", ""))).name
        return self._adopt(_chosen(data), name, insist=True)

    def _adopt(self, face_ids: list[str], name: str, *, insist: bool) -> Markup:
        recognizer, gallery = self.page.recognizer, self.page.recognizer.gallery
        done = adopt(recognizer, face_ids, name, insist=insist)
        identity = done.enrolment.identity

        def back() -> str:
            release(gallery, done)
            return t("These faces are strangers again")

        photographs = count(len(done.faces), "photograph", "photographs")
        if done.enrolment.created:
            title = t("{name} is enrolled with {photographs}", name=identity.name, photographs=photographs)
        else:
            title = t("{photographs} added to {name}", name=identity.name, photographs=photographs)
        poor = count(done.left, "face is too poor to enrol and stays kept", "faces are too poor to enrol and stay kept")
        return toast(title, f"{poor}." if done.left else "", undo=self.page.undos.offer(back))

    def _reject(self, data: Mapping[str, Any]) -> Markup:
        gallery = self.page.recognizer.gallery
        identity = gallery.identity(str(data.get("id", "")))
        made = dismiss(gallery, _chosen(data), identity.id)

        def back() -> str:
            for rejection_id in made:
                gallery.withdraw(rejection_id)
            return t("{name} may be a candidate for these faces again", name=identity.name)

        title = t(
            "{faces} remembered as not {name}", faces=count(len(made), "face is", "faces are"), name=identity.name
        )
        return toast(title, t("They stay kept until their time is over."), undo=self.page.undos.offer(back))

    def _ignore(self, data: Mapping[str, Any]) -> Markup:
        gallery = self.page.recognizer.gallery
        ids = [face.id for face in faces_of(gallery, _chosen(data)) if not face.ignored]
        number = gallery.unknowns.ignore(ids)

        def back() -> str:
            gallery.unknowns.ignore(ids, ignored=False)
            return t("These faces are kept again")

        return toast(
            t("{faces} ignored for good", faces=count(number, "face is", "faces are")),
            t("Whoever looks like that is not kept again."),
            undo=self.page.undos.offer(back),
        )

    def _unignore(self, data: Mapping[str, Any]) -> Markup:
        gallery = self.page.recognizer.gallery
        ids = [face.id for face in faces_of(gallery, _chosen(data)) if face.ignored]
        number = gallery.unknowns.ignore(ids, ignored=False)

        def back() -> str:
            gallery.unknowns.ignore(ids)
            return t("These faces are ignored again")

        return toast(
            t("{faces} not ignored any more", faces=count(number, "face is", "faces are")),
            t("Those whose time was over are erased."),
            undo=self.page.undos.offer(back),
        )

    def _erase(self, data: Mapping[str, Any]) -> Markup:
        unknowns = self.page.recognizer.gallery.unknowns
        if data.get("faces") == "all":
            require(Role.ADMIN)
            ids = [face.id for ignored in (False, True) for face in unknowns.faces(ignored=ignored)]
        else:
            ids = _ids(data, "faces")
        number = unknowns.remove(ids)
        return toast(t("{faces} erased", faces=count(number, "face is", "faces are")))


def _ids(data: Mapping[str, Any], name: str) -> list[str]:
    return [one for one in str(data.get(name, "")).split(",") if one]


def _chosen(data: Mapping[str, Any]) -> list[str]:
    """A card's own faces that are selected, otherwise all of them; without a card whatever is selected."""
    own, selected = _ids(data, "faces"), _ids(data, "ids")
    return [one for one in own if one in set(selected)] or own or selected


def _nearest(days: int) -> int:
    """The choice that stands for a time which was set elsewhere."""
    return min(DAYS, key=lambda one: abs(one - days))
