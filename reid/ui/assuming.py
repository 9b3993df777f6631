"""What the operator says about the right person's share: work it out, or assume another share of enrolled people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from reid.errors import CalibrationError
from reid.probability import ScoreOdds, with_share
from reid.score_odds import keep_odds, kept_odds, refit
from reid.ui.chance_words import share_words
from reid.ui.components.shell import toast, toasts
from reid.ui.context import Page
from reid.ui.refusals import in_words
from reid.ui.text import t


def change_odds(page: Page, data: Mapping[str, Any]) -> Markup:
    """Does what a button of the card says.

    Args:
        data: `act` is fit or share; `share` says which.

    Returns:
        the message about it, with the way back.

    Raises:
        CalibrationError: there is no fit yet, or that is no share.
    """
    gallery = page.recognizer.gallery
    before = kept_odds(gallery)

    def back() -> str:
        keep_odds(gallery, before)
        return t("The odds are as they were")

    if data.get("act") == "fit":
        if reason := refit(gallery):
            return toasts(toast(t("Too few to say"), in_words(reason), "warn"))
        return toasts(
            toast(
                t("The odds are worked out"),
                t("They stand beside each first candidate now."),
                undo=page.undos.offer(back),
            )
        )
    if not isinstance(before, ScoreOdds):
        raise CalibrationError(t("There are no odds yet. Work them out first."))
    try:
        share = float(data.get("share", ""))
    except (TypeError, ValueError):
        share = 0.0
    chosen = with_share(before, share)
    keep_odds(gallery, chosen)
    words = t("Assumed from now on: {share} are enrolled", share=share_words(chosen.share))
    return toasts(toast(words, t("Every first candidate is told with it."), undo=page.undos.offer(back)))
