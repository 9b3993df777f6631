"""How often the nearest person is the right one, in words that never leave the assumption out. Draws nothing."""

from __future__ import annotations

from reid.probability import Chance, ScoreOdds, chance_at
from reid.ui.text import decimal, number_text, t
from reid.ui.threshold_words import one_in

SHARES = (0.001, 0.01, 0.1, 0.5, 0.9)
"""What may be assumed on the page."""


def chance_words(odds: ScoreOdds | str | None, similarity: float, people: int) -> str:
    """One sentence for the first candidate of a search; empty where nothing can be claimed.

    Args:
        odds: what the gallery keeps.
        people: enrolled now.
    """
    if not isinstance(odds, ScoreOdds):
        return ""
    found = chance_at(odds, similarity, people)
    whole = 1000 if found.value >= 0.995 else 100
    return t(
        "Of {whole} searches with such a score, {number} found the right person, if {share} of the people you search "
        "are enrolled.",
        whole=number_text(whole),
        number=_number(found, whole),
        share=share_words(odds.share),
    )


def _number(found: Chance, whole: int) -> str:
    value = found.value * whole
    if found.value < 0.005:
        return t("fewer than 1")
    number = number_text(min(round(value), whole - 1))
    if found.limit == "at least":
        return t("at least {number}", number=number)
    if found.limit == "at most":
        return t("at most {number}", number=number)
    low, high = (number_text(min(round(edge * whole), whole - 1)) for edge in (found.low, found.high))
    if low == high:
        return t("about {number}", number=number)
    return t("about {number} ({low} to {high})", number=number, low=low, high=high)


def share_words(share: float) -> str:
    """`1 in 10`, `half`, `9 in 10`."""
    if abs(share - 0.5) < 1e-9:
        return t("half")
    if share > 0.5:
        return t("{part} in 10", part=decimal(share * 10, 0))
    return t("1 in {searches}", searches=one_in(share))


def basis_words(odds: ScoreOdds) -> str:
    """What a fit rests on."""
    right = t(
        "Fitted on {searches} searches that found the right one of {people} enrolled people, each photograph left out "
        "in turn,",
        searches=number_text(odds.right_searches),
        people=number_text(odds.right_people),
    )
    counts = {"searches": number_text(odds.wrong_searches), "people": number_text(odds.wrong_people)}
    if odds.source == "strangers":
        wrong = t("and {searches} searches by {people} strangers.", **counts)
    else:
        wrong = t("and {searches} searches by {people} enrolled people without their own photographs.", **counts)
    return f"{right} {wrong}"
