"""The faces of the photograph as a list: the same selection as on the picture, for keyboard and phone."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reid.ui.components.stage import chip_source
from reid.ui.markup import decision, join, picture
from reid.ui.probing import FaceView
from reid.ui.session import Session
from reid.ui.text import decimal, t


def remark_words(view_words: str, value: float, limit: float) -> str:
    """A remark's words with its numbers, whole ones."""
    return t(view_words, value=f"{value:g}", limit=f"{limit:g}")


def faces(session: Session, views: Sequence[FaceView]) -> Markup:
    """One button a face."""
    return Markup('<ul class="bf-faces bf-scroll-x" aria-label="{}">{}</ul>').format(
        t("Faces"), join(_item(session, view) for view in views)
    )


def headline(view: FaceView) -> str:
    """Who, or which decision."""
    if view.assigned and view.assigned.given:
        return view.assigned.given.identity.name
    return t("No candidate") if view.kind == "stranger" else t("Not searched")


def _second_line(view: FaceView) -> str:
    assigned = view.assigned
    if assigned is None:
        assert view.reason is not None
        return remark_words(view.reason.words, view.reason.value, view.reason.limit_value)
    if assigned.given:
        return t("Potential candidate, {similarity}", similarity=decimal(assigned.given.similarity))
    if assigned.elsewhere:
        candidate, face = assigned.elsewhere[0]
        return t("{name} fits face {number} better", name=candidate.identity.name, number=face + 1)
    if assigned.result.candidates:
        return t("Nearest {similarity}", similarity=decimal(assigned.result.candidates[0].similarity))
    return t("Nobody is enrolled")


def _item(session: Session, view: FaceView) -> Markup:
    selected = view.index == session.face
    return Markup(
        '<li><button type="button" class="bf-facebtn" data-act="face" data-i="{index}" aria-pressed="{pressed}">'
        '{picture}<span class="bf-stack bf-stack--1"><span class="bf-facebtn__n"><span class="bf-no{quiet}">{number}'
        '</span><bdi class="bf-clip">{name}</bdi></span>{decision}</span></button></li>'
    ).format(
        index=view.index,
        pressed="true" if selected else "false",
        picture=picture(
            chip_source(session, view.shot, view.index), t("Probe, face {number}", number=view.number), "48"
        ),
        quiet="" if selected else " bf-no--quiet",
        number=view.number,
        name=headline(view),
        decision=decision(view.kind, _second_line(view)),
    )
