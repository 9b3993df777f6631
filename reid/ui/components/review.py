"""What in the gallery waits for an answer: pairs that may be one person, photographs that may be another's."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reid.duplicates import Outlier
from reid.types import Identity
from reid.ui.components.answers import crop_source
from reid.ui.components.people import cover_of
from reid.ui.markup import button, decision, icon, join, mini_scale, picture
from reid.ui.text import count, decimal, number_text, t

FIRST = 3
"""Cards of each kind before somebody asks for all."""
_BY_CHANCE = 20

Alike = tuple[Identity, Identity, float]
"""Two people and the similarity of what is compared of them."""


def not_looked() -> Markup:
    """A gallery too large to look through unasked."""
    return Markup('<div class="bf-note bf-review">{}<span class="bf-grow">{}</span>{}</div>').format(
        icon("info"),
        t("Two entries may be one person, and photographs may lie with the wrong one. Looking takes some seconds."),
        button(t("Look for them"), "look", icon_name="search", style="sm"),
    )


def duplicates(pairs: Sequence[Alike], total: int, threshold: float, shown: int) -> Markup:
    """Pairs at or above the threshold, the most alike first.

    Args:
        total: how many there are, with those that are not among `pairs`.
        shown: how many are drawn.
    """
    if not pairs:
        return Markup("")
    words = t("{pairs} above the threshold", pairs=count(total, "pair", "pairs"))
    chance = t("The more people, the more pairs reach it by chance.") if total > _BY_CHANCE else ""
    return _section(
        t("Possible duplicates"), f"{words}. {chance}" if chance else words,
        join(_pair(*pair, threshold) for pair in pairs[:shown]), "pairs" if len(pairs) > shown else "", len(pairs),
    )  # fmt: skip


def outliers(odd: Sequence[tuple[Identity, Outlier]], total: int, shown: int) -> Markup:
    """Photographs that resemble none of the others of their person, the least alike first."""
    if not odd:
        return Markup("")
    words = t(
        "{photographs} from the rest of the person",
        photographs=count(total, "photograph differs", "photographs differ"),
    )
    return _section(
        t("Outlier photographs"), words, join(_odd(*one) for one in odd[:shown]),
        "odd" if len(odd) > shown else "", len(odd),
    )  # fmt: skip


def _section(title: str, words: str, cards: Markup, more: str, number: int) -> Markup:
    everything = Markup('<button type="button" class="bf-link" data-act="{}">{}</button>').format(
        more, t("Review all {number}", number=number_text(number))
    )
    return Markup(
        '<section class="bf-review" aria-label="{title}"><div class="bf-row bf-row--apart bf-review__h"><h2 '
        'class="bf-h3">{title} <span class="bf-opt">{words}</span></h2>{more}</div><ul class="bf-dups" tabindex="-1">'
        "{cards}</ul></section>"
    ).format(title=title, words=words, more=everything if more else "", cards=cards)


def _pair(first: Identity, second: Identity, similarity: float, threshold: float) -> Markup:
    names = t("{first} and {second}", first=first.name, second=second.name)
    return Markup(
        '<li class="bf-card bf-dup"><span class="bf-row bf-dup__f">{first}{second}</span><div class="bf-dup__t"><b '
        'class="bf-dup__n">{first_name}, {second_name}</b><span class="bf-row bf-quiet">{scale}<span '
        'class="bf-num">{similarity}</span></span><div class="bf-dup__a">{merge}{apart}</div></div></li>'
    ).format(
        first=_cover(first),
        second=_cover(second),
        first_name=_name(first),
        second_name=_name(second),
        scale=mini_scale(similarity, threshold),
        similarity=decimal(similarity),
        merge=button(
            t("Merge"), "together", style="sm", label=t("Merge: {names}", names=names), id=first.id, other=second.id
        ),
        apart=button(
            t("Two people"), "apart", style="sm quiet", label=t("Two people: {names}", names=names), id=first.id,
            other=second.id,
        ),
    )  # fmt: skip


def _odd(identity: Identity, one: Outlier) -> Markup:
    return Markup(
        '<li class="bf-card bf-dup"><span class="bf-row bf-dup__f">{odd}{cover}</span><div class="bf-dup__t"><b '
        'class="bf-dup__n">{name}</b>{words}<div class="bf-dup__a"><a class="bf-btn bf-btn--sm" '
        'href="?tab=gallery&amp;person={id}" data-person="{id}" aria-label="{look_at}">{look}</a>'
        "{same}</div></div></li>"
    ).format(
        odd=picture(crop_source(one.photo_id), t("Photograph that differs, {name}", name=identity.name), "72"),
        cover=_cover(identity),
        name=_name(identity),
        words=decision("warn", t("{similarity} at most to the rest", similarity=decimal(one.similarity))),
        id=identity.id,
        look=t("Look at it"),
        same=same_person(one.photo_id, identity.name),
        look_at=t("Look at it: {names}", names=identity.name),
    )


def same_person(photo_id: str, name: str, shown: str = "") -> Markup:
    """Says of a photograph that differs that it shows its person after all.

    Args:
        shown: id of the person whose view the button stands in; empty in the list.
    """
    words = t("Same person")
    return button(words, "vouch", style="sm quiet", label=f"{words}: {name}", id=photo_id, shown=shown)


def _cover(identity: Identity) -> Markup:
    return cover_of(identity, "72")


def _name(identity: Identity) -> Markup:
    return Markup('<a href="?tab=gallery&amp;person={0}" data-person="{0}"><bdi>{1}</bdi></a>').format(
        identity.id, identity.name
    )
