"""What a threshold means in searches, in sentences that say no more than was measured."""

from __future__ import annotations

from markupsafe import Markup

from reid.threshold import expected_fpir
from reid.types import Threshold
from reid.ui.text import decimal, number_text, t

_SAME = 0.005  # the slider's half step


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
    rate = _one_in(threshold.fpir)
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
    return t("With {people} enrolled, as now, expect 1 in {rate}.", people=number_text(people), rate=_one_in(expected))


def _one_in(rate: float) -> str:
    searches = 1 / max(rate, 1e-9)
    digits = 2 if searches >= 100 else 1
    rounded = round(searches, digits - len(str(int(searches)))) if searches >= 10 else round(searches, 1)
    return number_text(int(rounded)) if rounded >= 10 else f"{rounded:g}"


def odds(threshold: Threshold, similarity: float) -> tuple[str, str]:
    """How often a stranger reaches a similarity: what is known, the bold part first."""
    if not threshold.calibrated or not threshold.fpir or similarity < threshold.value:
        return t("Odds unknown until this gallery is calibrated."), ""
    return (
        t("False alarm: at most 1 in {rate} searches.", rate=_one_in(threshold.fpir)),
        t("That is how often a stranger reaches the threshold; fewer reach {value}.", value=decimal(similarity)),
    )
