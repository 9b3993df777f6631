"""A person's verdict after comparing: four answers and a reason, and what was answered before."""

from __future__ import annotations

from markupsafe import Markup

from reid.types import Candidate
from reid.ui.markup import icon, join
from reid.ui.probing import FaceView
from reid.ui.text import decimal, t


def verdict_words(verdict: str) -> str:
    """`candidate` -> Potential candidate, in the reader's language."""
    return {
        "candidate": t("Potential candidate"),
        "stranger": t("No candidate"),
        "inconclusive": t("Inconclusive"),
        "unsuitable": t("Unsuitable image"),
    }[verdict]


def verdict_form(candidate: Candidate) -> Markup:
    """The four answers; none is chosen beforehand."""
    choices = (
        ("candidate", t("Features agree, worth following up")),
        ("stranger", t("A feature that cannot change differs")),
        ("inconclusive", t("Not enough to say either")),
        ("unsuitable", t("Too small, blurred or covered")),
    )
    rows = join(
        Markup(
            '<label><input class="bf-radio" type="radio" name="verdict" value="{}" required>{}<small>{}</small></label>'
        ).format(verdict, verdict_words(verdict), why)
        for verdict, why in choices
    )
    return Markup(
        '<form class="bf-stack bf-stack--3" data-act-form="verdict"><h3 class="bf-h3">{title}</h3><input type="hidden" '
        'name="id" value="{id}"><input type="hidden" name="similarity_shown" value="1" data-similarity-shown>'
        '<div class="bf-verdict" role="radiogroup" aria-label="{title}">{rows}</div><div><label class="bf-label" '
        'for="bf-reason">{reason} <span class="bf-opt">{optional}</span></label><textarea class="bf-input" '
        'id="bf-reason" name="reason" rows="2" maxlength="2000" placeholder="{placeholder}"></textarea></div>'
        '<button class="bf-btn bf-btn--primary">{record}</button></form>'
    ).format(
        title=t("Your verdict"),
        id=candidate.identity.id,
        rows=rows,
        reason=t("Reason"),
        optional=t("optional"),
        placeholder=t("What agrees, what differs"),
        record=t("Record verdict"),
    )


def recorded(view: FaceView) -> Markup:
    """The verdicts about a face so far, the newest first; nothing without any."""
    said = view.shot.opinions.get(view.index, [])
    if not said:
        return Markup("")
    rows = join(
        Markup(
            '<li class="bf-said"><span class="bf-grow"><b>{verdict}</b>: <bdi>{name}</bdi>, {similarity}<span '
            'class="bf-xs bf-quiet bf-said__w">{how} {reason}</span></span></li>'
        ).format(
            verdict=verdict_words(one.verdict),
            name=one.name,
            similarity=decimal(one.similarity),
            how=t("Similarity seen first.") if one.similarity_shown else t("Similarity hidden until then."),
            reason=one.reason,
        )
        for one in reversed(said)
    )
    return Markup('<details class="bf-fold" open><summary>{}{}</summary><ul>{}</ul></details>').format(
        icon("right"),
        t("{number} verdicts recorded", number=len(said)) if len(said) > 1 else t("1 verdict recorded"),
        rows,
    )
