"""The Threshold tab: what the number means on this gallery, and how to choose another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
from markupsafe import Markup

from reid.actor import Role
from reid.errors import ReidError
from reid.images import read_photograph
from reid.leave_one_out import mated_similarities
from reid.recognizer import stack
from reid.score_odds import kept_odds, refit
from reid.threshold import calibrate
from reid.types import Template, Threshold
from reid.ui import roles
from reid.ui.assuming import change_odds
from reid.ui.components import shell
from reid.ui.components.threshold_view import numbers, only_looking, plots, stale, stranger_set, targets
from reid.ui.context import ACTS, PRESSES, Page, html, script
from reid.ui.fixed import label
from reid.ui.handlers import Updates, error_toast, event_data, guarded
from reid.ui.rates import alarms_of, targets_of
from reid.ui.roles import may
from reid.ui.text import count, decimal, t
from reid.ui.threshold_words import exact, slider_value

TARGET_FPIR = 0.01


class ThresholdTab:
    """Components and handlers of the tab. Build it inside `gr.Tab`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.value = gr.Number(visible=False, value=0.5, label="Threshold")
        self.files = gr.File(
            file_count="multiple", label="Photographs of strangers", elem_id="stranger-files", elem_classes="bf-sr"
        )
        with gr.Row(visible=False, elem_classes="bf-busy") as self.busy:
            self.progress = html()
            self.cancel = gr.Button(label("Cancel"), size="sm", elem_classes="bf-busy__stop")
        self.head = html(elem_id="bf-threshold-head")
        with gr.Row(elem_classes="bf-thr"):
            with gr.Column(elem_classes="bf-thr__l"):
                self.plots = gr.HTML(
                    "", apply_default_css=False, elem_id="bf-plots", js_on_load=ACTS + script("histogram.js")
                )
            with gr.Column(elem_classes="bf-thr__r"):
                self.targets = html(acts=True, elem_id="bf-targets")
                self.strangers = html(elem_id="bf-strangers")
        self.inputs = [self.value]
        self.all = [
            self.value, self.files, self.busy, self.progress, self.head, self.plots, self.targets, self.strangers,
            page.messages, page.shared["slider"],
        ]  # fmt: skip
        self._listen()

    def _listen(self) -> None:
        said = guarded(self.page.messages)
        measuring = self.files.upload(
            said(self.measure, Role.ADMIN),
            [self.files, self.value],
            self.all,
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=1,
        )
        self.cancel.click(
            said(self.stop, Role.VIEWER),
            None,
            self.all,
            cancels=[measuring],
            api_visibility="private",
            show_progress="hidden",
        )
        for piece in (self.plots, self.targets):
            piece.act(said(self.act, roles.THRESHOLD), self.inputs, self.all, **PRESSES)

    def first(self) -> Updates:
        """The tab starts at the gallery's own threshold."""
        return {self.value: self.page.recognizer.threshold.value}

    def draw(self, _person: str, value: float) -> Updates:
        """Everything at a value that is looked at; the gallery's own stays what it is."""
        recognizer = self.page.recognizer
        threshold, people = recognizer.threshold, recognizer.gallery.count()
        mated = mated_similarities(recognizer.gallery)
        if not people:
            empty = shell.gallery_empty()
            return {self.head: empty, self.plots: "", self.targets: "", self.strangers: ""}
        return {
            self.value: value,
            self.head: Markup('<h1 class="bf-sr">{}</h1>{}{}').format(
                t("Threshold"), stale(threshold, people), numbers(threshold, value, mated, people)
            ),
            self.plots: plots(threshold, value, mated, kept_odds(recognizer.gallery), people),
            self.targets: targets(targets_of(threshold, mated), threshold, value),
            self.strangers: stranger_set(threshold) if may(Role.ADMIN) else only_looking(),
        }

    def act(self, value: float, event: gr.EventData) -> Updates:
        """The line was moved, a target chosen, or a value is to be used from now on."""
        data = event_data(event)
        if data.get("act") in {"fit", "share"}:
            said = change_odds(self.page, data)
            return {**self.draw("", value), self.page.messages: said}
        try:
            wanted = min(max(float(data.get("t", value)), 0.0), 1.0)
        except (TypeError, ValueError):
            wanted = value
        wanted = exact(self.page.recognizer.threshold, wanted)
        return self.use(wanted) if data.get("act") == "use" else self.draw("", wanted)

    def use(self, value: float) -> Updates:
        """Makes a value the gallery's own threshold."""
        recognizer = self.page.recognizer
        before = recognizer.threshold
        rate = alarms_of(before, value)
        chosen = replace(
            before,
            value=value,
            interval=None,
            fpir=max(rate.part, 1) / rate.whole if rate.whole else None,
            origin=f"Chosen by hand. {rate.part:,} of {rate.whole:,} searches by strangers reached it."
            if rate.whole
            else "Chosen by hand. No searches by strangers have been measured.",
        )
        recognizer.threshold = chosen

        def back() -> str:
            recognizer.threshold = before
            return t("The threshold is {value} again", value=decimal(before.value))

        done = shell.toast(
            t("The threshold is {value} now", value=decimal(value)),
            t("Every search from now on is decided with it."),
            undo=self.page.undos.offer(back),
        )
        return {**self._everywhere(value), self.page.messages: shell.toasts(done)}

    def _everywhere(self, value: float) -> Updates:
        shown = slider_value(self.page.recognizer.threshold)
        return {**self.draw("", value), self.page.shared["slider"]: shown}

    def measure(self, files: list[str] | None, value: float) -> Iterator[Updates]:
        """Searches photographs of strangers and takes the threshold from what they reach."""
        recognizer = self.page.recognizer
        paths = [Path(name) for name in files or []]
        faces: list[Template] = []
        problems: list[ReidError] = []
        updates: Updates = {self.busy: gr.Row(visible=True), self.files: None}
        for done, path in enumerate(paths):
            if done % 5 == 0:
                yield {**updates, self.progress: _progress(done, len(paths))}
            try:
                faces.append(recognizer.sample(read_photograph(path, path.name), "largest").template)
            except ReidError as error:
                problems.append(error)
            finally:
                path.unlink(missing_ok=True)
        said = [error_toast(error) for error in problems[:3]]
        if len(problems) > len(said):
            said.append(
                shell.toast(t("{photographs} more were left out", photographs=len(problems) - len(said)), "", "warn")
            )
        try:
            recognizer.threshold = self._calibrated(faces)
            value = recognizer.threshold.value
            said.append(
                shell.toast(
                    t("Calibrated with {photographs}", photographs=count(len(faces), "photograph", "photographs")),
                    t("The threshold is {value} now.", value=decimal(value)),
                )
            )
        except ReidError as error:
            said.append(error_toast(error))
        yield {
            **updates,
            **self._everywhere(value),
            self.busy: gr.Row(visible=False),
            self.page.messages: shell.toasts(*said),
        }

    def _calibrated(self, faces: list[Template]) -> Threshold:
        recognizer = self.page.recognizer
        with recognizer.gallery.pen.use("calibrate", faces=len(faces), fpir=TARGET_FPIR):
            nearest = recognizer.gallery.search(stack(faces), 1) if faces else []
        top1 = np.array([found[0].similarity for found in nearest if found], np.float32)
        people = [str(index) for index in range(len(top1))]
        calibrated = calibrate(
            top1,
            people,
            TARGET_FPIR,
            gallery_size=recognizer.gallery.count(),
            source=t("photographs added on this page"),
        )
        refit(recognizer.gallery, top1, people)
        return calibrated

    def stop(self) -> Updates:
        """After Cancel: nothing was changed."""
        return {self.busy: gr.Row(visible=False)}


def _progress(done: int, total: int) -> Markup:
    return shell.progress(
        t("Searching strangers"),
        done,
        total,
        t("{done} of {total}. Cancelling changes nothing.", done=done, total=total),
    )
