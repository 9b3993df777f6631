"""What a threshold means in searches, in sentences that say no more than was measured."""

from __future__ import annotations

import math

from markupsafe import Markup

from reid.threshold import alarms_at, expected_fpir
from reid.types import Threshold
from reid.ui.text import decimal, number_text, t

_SAME = 0.005  # the slider's half step
_OFTEN = 0.1


def slider_value(threshold: Threshold) -> float:
    """What the slider shows of a threshold: two decimals inside its range."""
    return min(max(round(threshold.value, 2), 0.0), 1.0)


def exact(threshold: Threshold, shown: float) -> float:
    """The threshold that a slider position means: the gallery's own in full where it shows that."""
    return threshold.value if abs(shown - slider_value(threshold)) < 1e-9 else shown


def meaning(threshold: Threshold, value: float, people: int) -> Markup:
    """One or two sentences under the slider.

    Args:
        threshold: the gallery's own.
        value: what the slider says.
        people: how many are enrolled now.
    """
    if abs(value - threshold.value) > _SAME:
        return Markup('<p class="bf-strip__w"><b>{}</b> {}</p>').format(
            t("Set by you.") if threshold.calibrated else t("Set by you, not calibrated."),
            t("This gallery's own threshold is {value}.", value=decimal(threshold.value)),
        )
    if not threshold.calibrated or not threshold.fpir:
        return Markup('<p class="bf-strip__w"><b>{}</b> {}</p>').format(
            t("Not calibrated."),
            t(
                "How often strangers reach {value} is unknown: measure it with photographs of people who are not "
                "enrolled.",
                value=decimal(value),
            ),
        )
    rate = one_in(threshold.fpir)
    return Markup('<p class="bf-strip__w"><b>{}</b> {} {}</p>').format(
        t("1 false alarm in {rate} searches", rate=rate),
        t(
            "of people who are not enrolled, measured on {searches} of them with {people} enrolled.",
            searches=number_text(threshold.searches),
            people=number_text(threshold.gallery_size),
        ),
        _growth(threshold, people),
    )


def _growth(threshold: Threshold, people: int) -> str:
    expected = expected_fpir(threshold, people)
    if expected is None or threshold.fpir is None or people == threshold.gallery_size:
        return ""
    if expected < threshold.fpir:
        return t("With {people} enrolled, as now, they are rarer.", people=number_text(people))
    return t("With {people} enrolled, as now, expect 1 in {rate}.", people=number_text(people), rate=one_in(expected))


def one_in(rate: float, *, down: bool = False) -> str:
    """Searches for one alarm with as many digits as such a count deserves: 1 in 830, 1 in 4,000."""
    searches = 1 / max(rate, 1e-9)
    if searches < 10:
        return f"{searches:.2g}"
    step = 10 ** (len(str(int(searches))) - (1 if down else 2))
    rounded = math.floor(searches / step) * step if down else round(searches / step) * step
    return number_text(int(rounded))


def odds(threshold: Threshold, similarity: float, people: int) -> tuple[str, str]:
    """How often a stranger reaches a similarity: a short phrase, and the count that it rests on.

    Where nobody was counted at that height the phrase is the 95 % bound of the rule of three. A gallery that has grown
    since gives a stranger more chances; one that is smaller is not promised fewer.
    """
    alarms = alarms_at(threshold, similarity)
    if alarms is None or not threshold.searches:
        return t("Odds unknown until this gallery is calibrated."), ""
    rate = max(alarms, 3) / threshold.searches if not alarms else alarms / threshold.searches
    grown = people > threshold.gallery_size > 0
    if grown and rate < 1:
        rate = -math.expm1(math.log1p(-rate) * people / threshold.gallery_size)
    counted = t(
        "{alarms} of {searches} searches of strangers scored {value} or more.",
        alarms=number_text(alarms) if alarms else t("None"),
        searches=number_text(threshold.searches),
        value=decimal(similarity),
    )
    if grown:
        counted += " " + t("The gallery has grown since, which is reckoned in.")
    if rate > _OFTEN:
        return t("Strangers often score this high."), counted
    if not alarms:
        return t("False alarm: fewer than 1 in {rate}.", rate=one_in(rate, down=True)), counted
    return t("False alarm: about 1 in {rate}.", rate=one_in(rate)), counted
