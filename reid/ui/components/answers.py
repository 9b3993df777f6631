"""What an operator can answer about a face: yes, no, somebody else; and what was answered before."""

from __future__ import annotations

from markupsafe import Markup

from reid.types import Candidate
from reid.ui.markup import button, icon, join, picture
from reid.ui.probing import FaceView
from reid.ui.text import day, decimal, t


def crop_source(photo_id: str) -> str:
    """Where the crop of an enrolled photograph is served."""
    return f"crops/{photo_id}"


def acts(candidate: Candidate) -> Markup:
    """The person decides: comparing is the first thing, yes and no weigh the same."""
    identity = candidate.identity
    compare = button(t("Compare"), "compare", icon_name="compare", style="primary", id=identity.id)
    return Markup('<div class="bf-acts">{}{}{}</div>').format(
        compare if candidate.photo_id else "",
        button(t("This is {name}", name=_first_name(identity.name)), "confirm", id=identity.id),
        button(t("Not this person"), "reject", id=identity.id),
    )


def _first_name(name: str) -> str:
    first = name.split()[0]
    return first if len(first) <= 12 else first[:11] + "…"


def resembles(view: FaceView, candidate: Candidate) -> Markup:
    """The other faces of the photograph that this person lost."""
    others = [(face, lost) for face, lost in view.rivals if lost.identity.id == candidate.identity.id]
    if not others:
        return Markup("")
    return Markup('<p class="bf-odds">{}</p>').format(
        " ".join(
            t(
                "Face {number} resembles this person too, at {similarity}.",
                number=face + 1,
                similarity=decimal(lost.similarity),
            )
            for face, lost in others
        )
        + " "
        + t("One person is given to one face of a photograph.")
    )


def rejected(view: FaceView) -> Markup:
    """Who was left out because somebody said so, and the way back."""
    if not view.rejected:
        return Markup("")
    rows = join(
        Markup(
            '<div class="bf-said">{picture}<span class="bf-grow"><bdi class="bf-candrow__n">{name}</bdi> '
            "{words}</span>{back}</div>"
        ).format(
            picture=picture(crop_source(c.photo_id), "", "40") if c.photo_id else "",
            name=c.identity.name,
            words=Markup('<span class="bf-xs bf-quiet">{}</span>').format(
                t(
                    "{similarity}; rejected on {day} for {source}",
                    similarity=decimal(c.similarity),
                    day=day(r.added_at),
                    source=r.source,
                )
            ),
            back=button(t("Take back"), "withdraw", style="sm", id=r.id),
        )
        for c, r in view.rejected
    )
    names = ", ".join(candidate.identity.name for candidate, _ in view.rejected)
    return Markup('<details class="bf-fold"><summary>{}<span class="bf-clip">{}</span></summary>{}</details>').format(
        icon("right"), t("{number} rejected earlier: {names}", number=len(view.rejected), names=names), rows
    )


def naming(view: FaceView) -> Markup:
    """The way to say who it is instead."""
    words = t("This is somebody else") if view.kind == "candidate" else t("This is")
    return Markup(
        '<form class="bf-naming" data-act-form="name" data-reset><label class="bf-label" '
        'for="bf-who">{label}</label><div '
        'class="bf-row">'
        '<div class="bf-search bf-grow">{icon}<input class="bf-input" id="bf-who" name="value" autocomplete="off" '
        'placeholder="{placeholder}"></div><button class="bf-btn">{enrol}{words}</button></div></form>'
    ).format(
        label=words,
        icon=icon("search"),
        placeholder=t("Name, or a new person"),
        enrol=icon("enrol"),
        words=t("Enrol"),
    )
