"""A gallery's own line from similarity to the right person's share: made of its searches, kept with it, read again.

Knows a gallery; the arithmetic is `reid.probability`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reid.errors import CalibrationError
from reid.gallery.base import Gallery
from reid.leave_one_out import own_searches
from reid.probability import SHARE, ScoreOdds, fit_odds, from_json, to_json, with_share

_KEY = "score_odds"


def fit_gallery(
    gallery: Gallery, strangers: NDArray[np.float32] | None = None, people: Sequence[str] = (), share: float = SHARE
) -> ScoreOdds:
    """Fits a gallery's own searches: each photograph against the template of the person's others.

    Args:
        strangers: (M,) best similarity of searches by people who are not enrolled; without them the enrolled people's
            own photographs are searched with their own person left out.
        people: (M,) who of the strangers searched.
        share: assumed share of searches whose person is enrolled, in (0, 1).

    Raises:
        CalibrationError: too few searches or people for any claim.
    """
    own = own_searches(gallery)
    wrong, wrong_people = (own.wrong, own.wrong_people) if strangers is None else (strangers, tuple(people))
    odds = fit_odds(
        own.right,
        own.right_people,
        wrong,
        wrong_people,
        first=own.first,
        gallery_size=gallery.count(),
        source="enrolled" if strangers is None else "strangers",
    )
    return with_share(odds, share)


def refit(gallery: Gallery, strangers: NDArray[np.float32] | None = None, people: Sequence[str] = ()) -> str:
    """Fits and keeps, under the share that was assumed before; what cannot be claimed is kept as its reason.

    Args: as `fit_gallery`.

    Returns:
        why there is no fit; empty where there is one.
    """
    before = kept_odds(gallery)
    share = before.share if isinstance(before, ScoreOdds) else SHARE
    try:
        keep_odds(gallery, fit_gallery(gallery, strangers, people, share))
    except CalibrationError as error:
        keep_odds(gallery, str(error))
        return str(error)
    return ""


def kept_odds(gallery: Gallery) -> ScoreOdds | str | None:
    """What was fitted, or why it could not be; None where nobody tried."""
    text = gallery.get_meta(_KEY)
    if not text:
        return None
    refused = json.loads(text).get("refused")
    return str(refused) if refused else from_json(text)


def keep_odds(gallery: Gallery, odds: ScoreOdds | str | None) -> None:
    """Keeps a fit, the reason that there is none, or nothing."""
    if isinstance(odds, ScoreOdds):
        gallery.set_meta(_KEY, to_json(odds))
    else:
        gallery.set_meta(_KEY, json.dumps({"refused": odds}) if odds else "")
