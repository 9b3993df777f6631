"""What a person says after comparing a face with somebody: kept with the session, for the record that is taken away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from reid.errors import IdentityNotFoundError, ReidError
from reid.ui.components.shell import toast, toasts
from reid.ui.components.verdict_form import verdict_words
from reid.ui.context import Page
from reid.ui.probing import FaceView
from reid.ui.session import VERDICTS, Opinion
from reid.ui.text import t

_LONGEST = 2000


def record(page: Page, view: FaceView, data: Mapping[str, Any]) -> Markup:
    """Keeps one verdict about a face.

    Args:
        view: the face that was compared.
        data: `verdict`, `id` of the person, `reason`, `similarity_shown`.

    Returns:
        the message about it, with the way back.

    Raises:
        ReidError: no verdict was chosen.
        IdentityNotFoundError: the person is no candidate of the face any more.
    """
    verdict = str(data.get("verdict", ""))
    if verdict not in VERDICTS:
        raise ReidError(t("No verdict was chosen. Choose one of the four."))
    candidates = view.assigned.result.candidates if view.assigned else ()
    found = next((one for one in candidates if one.identity.id == data.get("id")), None)
    if found is None:
        raise IdentityNotFoundError(t("This person is no candidate of the face any more. Nothing was recorded."))
    opinion = Opinion(
        verdict,
        found.identity.id,
        found.identity.name,
        found.similarity,
        view.threshold,
        bool(data.get("similarity_shown")),
        str(data.get("reason", "")).strip()[:_LONGEST],
        datetime.now(UTC).isoformat(timespec="seconds"),
    )
    said = view.shot.opinions.setdefault(view.index, [])
    pen = page.recognizer.gallery.pen
    facts = {
        "inputs": [view.shot.sha256], "face": view.number, "verdict": verdict, "similarity": round(found.similarity, 4),
        "threshold": round(view.threshold, 6), "similarity_shown": opinion.similarity_shown,
        "reason_given": bool(opinion.reason),
    }  # fmt: skip
    pen.log.append(pen.entry("verdict", subjects=[opinion.identity_id], details=facts))
    said.append(opinion)

    def back() -> str:
        pen.log.append(pen.entry("verdict", subjects=[opinion.identity_id], details={**facts, "taken_back": True}))
        said.remove(opinion)
        return t("The verdict is taken back")

    return toasts(
        toast(
            t("Recorded: {verdict}", verdict=verdict_words(verdict)),
            t("It is in the downloads of this session."),
            undo=page.undos.offer(back),
        )
    )
