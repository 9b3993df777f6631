"""The Threshold tab's cards: is the calibration still true, four numbers, targets and what each costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from reid.probability import ScoreOdds
from reid.threshold import expected_fpir
from reid.types import Threshold
from reid.ui.components.chance_view import right_person
from reid.ui.components.histogram import NARROW, WIDE, histogram, trade_off
from reid.ui.markup import button, glyph, icon, join
from reid.ui.rates import Rate, Target, alarms_of, bars_of_mated, bars_of_strangers, missed_of
from reid.ui.text import count, decimal, number_text, t
from reid.ui.threshold_words import one_in


def stale(threshold: Threshold, people: int) -> Markup:
    """A warning where the gallery has outgrown its calibration or never had one."""
    if not threshold.alarms:
        return _note(
            t("This gallery is not calibrated."),
            t(
                "Add photographs of people who are not enrolled: only they show how often a stranger reaches a "
                "threshold."
            ),
        )
    expected = expected_fpir(threshold, people)
    if threshold.fpir and expected and people > threshold.gallery_size:
        return _note(
            t(
                "The gallery grew by {people} since it was calibrated.",
                people=count(people - threshold.gallery_size, "person", "people"),
            ),
            t(
                "Expect about 1 false alarm in {now} searches instead of 1 in {then}.",
                now=one_in(expected),
                then=one_in(threshold.fpir),
            ),
        )
    return Markup("")


def _note(bold: str, text: str) -> Markup:
    return Markup(
        '<div class="bf-note bf-note--warn" role="status">{}<span class="bf-grow"><b>{}</b> {}</span></div>'
    ).format(glyph("warn"), bold, text)


def share(rate: Rate) -> str:
    """`0.10 %`, with as many digits as it needs."""
    value = rate.share * 100
    return f"{decimal(value, 2 if value < 1 else 1)} %"


def _interval(rate: Rate) -> str:
    low, high = rate.interval
    return t(
        "{part} of {whole}; {low} to {high} %",
        part=number_text(rate.part),
        whole=number_text(rate.whole),
        low=decimal(low * 100, 2 if high < 0.01 else 1),
        high=decimal(high * 100, 2 if high < 0.01 else 1),
    )


def numbers(threshold: Threshold, value: float, mated: NDArray[np.float32], people: int) -> Markup:
    """Threshold, false alarms, people missed, gallery."""
    alarms, missed = alarms_of(threshold, value), missed_of(mated, value)
    cells = (
        (t("Threshold"), decimal(value), t("similarity from 0 to 1")),
        (
            t("False alarms"),
            share(alarms) if alarms.whole else "–",
            _interval(alarms) if alarms.whole else t("no stranger was searched"),
        ),
        (
            t("People missed"),
            share(missed) if missed.whole else "–",
            _interval(missed) if missed.whole else t("nobody has two photographs"),
        ),
        (
            t("Gallery"),
            number_text(people),
            t("people now, {then} when calibrated", then=number_text(threshold.gallery_size))
            if threshold.gallery_size
            else t("people now"),
        ),
    )
    return Markup('<dl class="bf-card bf-stats">{}</dl>').format(
        join(
            Markup('<div class="bf-stat"><dt>{}</dt><dd>{}</dd><dd class="bf-stat__s">{}</dd></div>').format(*cell)
            for cell in cells
        )
    )


def plots(
    threshold: Threshold, value: float, mated: NDArray[np.float32], odds: ScoreOdds | str | None, people: int
) -> Markup:
    """Histogram with the line, the trade-off where there is something to trade, and the right person's share."""
    points = [(alarms_of(threshold, step / 100), missed_of(mated, step / 100)) for step in range(len(threshold.alarms))]
    curve = Markup("")
    if len(mated) and points:
        curve = Markup(
            '<section class="bf-card bf-card__body bf-tradeoff"><h2 class="bf-h2">{}</h2>{}<p '
            'class="bf-quiet">{}</p></section>'
        ).format(
            t("Missed people against false alarms"),
            trade_off(points, (alarms_of(threshold, value), missed_of(mated, value))),
            t(
                "The band is the 95 % interval of the missed. Photographs of one person are alike, so it is "
                "rather too narrow."
            ),
        )
    return Markup(
        '<section class="bf-card bf-card__body"><div class="bf-row bf-row--apart bf-row--wrap"><h2 '
        'class="bf-h2">{title}</h2>'
        '<div class="bf-key"><span class="n"><i></i>{strangers}</span><span '
        'class="m"><i></i>{mated}</span></div></div>{plot}'
        '<p class="bf-quiet">{legend}</p></section><div class="bf-plots">{curve}{chance}</div>'
    ).format(
        title=t("Similarities of this gallery"),
        strangers=t("Strangers, best score of a search"),
        mated=t("Enrolled people, right person"),
        plot=histogram(bars_of_strangers(threshold), bars_of_mated(mated), value, WIDE, "only-wide")
        + histogram(bars_of_strangers(threshold), bars_of_mated(mated), value, NARROW, "only-narrow"),
        legend=t(
            "Count of searches, logarithmic, against similarity. Drag the line, or focus it and press an arrow key. "
            "Enrolled people are searched with each photograph left out in turn."
        ),
        curve=curve,
        chance=right_person(odds, value, people),
    )


def targets(found: Sequence[Target], threshold: Threshold, value: float) -> Markup:
    """One false alarm in so many searches: the threshold follows; what cannot be measured is disabled."""
    rows = []
    for target in found:
        if target.value is None:
            words = t(
                "Needs {needed} stranger searches, there are {there}",
                needed=number_text(target.searches),
                there=number_text(threshold.searches),
            )
            shown, off = "", Markup(" disabled")
        else:
            words = (
                t("Misses {share} of enrolled people", share=share(target.missed))
                if target.missed and target.missed.whole
                else ""
            )
            shown, off = decimal(target.value), Markup("")
        chosen = target.value is not None and abs(target.value - value) < 0.005
        rows.append(
            Markup(
                '<label class="bf-target"><input class="bf-radio" type="radio" name="target" data-act="set" '
                'data-t="{value}"'
                "{checked}{off}>{words}<span>{shown}</span><small>{small}</small></label>"
            ).format(
                value=target.value if target.value is not None else "",
                checked=Markup(" checked") if chosen else "",
                off=off,
                words=t("1 in {searches}", searches=number_text(target.searches)),
                shown=shown,
                small=words,
            )
        )
    same = abs(value - threshold.value) < 0.005
    return Markup(
        '<section class="bf-card bf-card__body bf-stack bf-stack--3"><div><h2 class="bf-h2">{title}</h2><p '
        'class="bf-quiet">'
        '{text}</p></div><div class="bf-targets">{rows}</div>{use}</section>'
    ).format(
        title=t("Accept one false alarm in"),
        text=t("searches of people who are not enrolled. The threshold follows."),
        rows=join(rows),
        use=button(
            t("Use {value} everywhere", value=decimal(value)), "use", style="primary", disabled=same, t=f"{value:.4f}"
        ),
    )


def only_looking() -> Markup:
    """For whoever may move the line and not keep it."""
    words = t("Looking at another threshold changes nothing. Only an administrator chooses the one that decides.")
    return Markup('<p class="bf-note">{}{}</p>').format(icon("info"), words)


def stranger_set(threshold: Threshold) -> Markup:
    """Where the strangers come from, and the way to bring others."""
    origin = threshold.origin if threshold.alarms else t("None yet.")
    return Markup(
        '<section class="bf-card bf-card__body bf-stack bf-stack--3" data-drop="stranger-files"><h2 '
        'class="bf-h2">{title}</h2>'
        '<p class="bf-quiet">{origin}</p><div><button type="button" class="bf-btn" '
        'data-pick="stranger-files">{icon}{words}'
        '</button></div><p class="bf-quiet bf-xs">{hint}</p></section>'
    ).format(
        title=t("Stranger set"),
        origin=origin,
        icon=icon("upload"),
        words=t("Calibrate with photographs"),
        hint=t("One photograph each of at least 100 people who are not enrolled. They are searched and forgotten."),
    )
