"""People whose time is nearly over, each with one press that renews it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reid.rights.expiry import WARNING_DAYS, Due
from reid.ui.components.people import cover_of
from reid.ui.markup import button, decision, join
from reid.ui.text import count, day, number_text, t

_SHOWN = 12


def ending(people: Sequence[Due]) -> Markup:
    """Nothing where nobody's time is nearly over."""
    if not people:
        return Markup("")
    readable = sum(one.expires is not None for one in people)
    everybody = Markup('<button type="button" class="bf-link" data-act="renew_all">{}</button>').format(
        t("Renew all {number}", number=number_text(readable))
    )
    return Markup(
        '<section class="bf-review" aria-label="{title}"><div class="bf-row bf-row--apart bf-review__h"><h2 '
        'class="bf-h3">{title} <span class="bf-opt">{words}</span></h2>{more}</div><ul class="bf-dups" tabindex="-1">'
        "{cards}</ul></section>"
    ).format(
        title=t("Their time is nearly over"),
        words=t(
            "{people} within {days} days, then erased by itself",
            people=count(readable, "person", "people"),
            days=WARNING_DAYS,
        )
        if readable
        else "",
        more=everybody if readable > 1 else "",
        cards=join(_card(one) for one in people[:_SHOWN]),
    )


def _card(one: Due) -> Markup:
    identity = one.identity
    written = identity.metadata.get("expires", "")
    words = (
        t("Held through {day}", day=day(one.expires.isoformat()))
        if one.expires
        else t("“{text}” is no date: write it as 2027-11-24", text=written[:40])
    )
    act = (
        button(t("Renew"), "renew", style="sm", label=t("Renew: {name}", name=identity.name), id=identity.id)
        if one.expires
        else Markup('<a class="bf-btn bf-btn--sm" href="?tab=gallery&amp;person={0}" data-person="{0}">{1}</a>').format(
            identity.id, t("Correct it")
        )
    )
    return Markup(
        '<li class="bf-card bf-dup"><span class="bf-row bf-dup__f">{cover}</span><div class="bf-dup__t"><b '
        'class="bf-dup__n"><a href="?tab=gallery&amp;person={id}" data-person="{id}"><bdi>{name}</bdi></a></b>{words}'
        '<div class="bf-dup__a">{act}</div></div></li>'
    ).format(
        cover=cover_of(identity, "72"),
        id=identity.id,
        name=identity.name,
        words=decision("warn", words, wrap=True),
        act=act,
    )
