"""The gallery as cards, a page at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from reid.types import Identity
from reid.ui.components.answers import crop_source
from reid.ui.components.shell import gallery_empty
from reid.ui.components.transfer import import_button, restore_button
from reid.ui.markup import button, glyph, icon, join, picture
from reid.ui.text import count, number_text, t

PAGE = 24


def people_page(found: Sequence[Identity], page: int, everybody: int, query: str) -> Markup:
    """One page of cards.

    Args:
        found: everybody that the search left, in order.
        page: from 1; beyond the last it is the last.
        everybody: how many are enrolled.
        query: what was searched for, for the sentence where nobody was found.
    """
    if not everybody:
        more = Markup("{}{}").format(import_button(t("Import a folder, zip or CSV"), fold=False), restore_button())
        return gallery_empty(more)
    if not found:
        return Markup('<div class="bf-card bf-empty"><h2 class="bf-h1">{}</h2><p>{}</p></div>').format(
            t("Nobody is called “{query}”", query=query),
            t("The search looks for parts of names. Fewer letters find more."),
        )
    pages = math.ceil(len(found) / PAGE)
    page = min(max(page, 1), pages)
    start = (page - 1) * PAGE
    shown = found[start : start + PAGE]
    return Markup('<ul class="bf-grid" aria-label="{}">{}</ul>{}').format(
        t("People"), join(_card(identity) for identity in shown), _pager(start, len(shown), len(found), page, pages)
    )


def cover_of(identity: Identity, size: str = "fill") -> Markup:
    """The photograph that stands for a person."""
    if identity.cover_photo_id is None:
        return Markup('<span class="bf-ph bf-ph--{} bf-ph--none">{}</span>').format(size, icon("image"))
    return picture(crop_source(identity.cover_photo_id), "", size)


def _card(identity: Identity) -> Markup:
    photographs = count(identity.photo_count, "photograph", "photographs")
    if identity.photo_count < 2:
        meta = Markup('<span class="bf-person__w">{}{}</span>').format(glyph("warn"), photographs)
    else:
        meta = Markup("{}").format(photographs)
    return Markup(
        '<li class="bf-cell"><a class="bf-person" href="?tab=gallery&amp;person={id}" data-person="{id}">'
        '{cover}<bdi class="bf-person__n">{name}</bdi><span class="bf-person__m bf-clip">{meta}</span></a></li>'
    ).format(id=identity.id, cover=cover_of(identity), name=identity.name, meta=meta)


def _pager(start: int, shown: int, total: int, page: int, pages: int) -> Markup:
    if pages == 1:
        return Markup('<div class="bf-pager"><span class="bf-num">{}</span></div>').format(
            count(total, "person", "people")
        )
    return Markup(
        '<div class="bf-pager"><span class="bf-num">{range}</span><nav aria-label="{label}">{back}{next}</nav>'
        '<label class="bf-row">{page_word} <input class="bf-input bf-pager__n" data-page aria-label="{page_word}" '
        'inputmode="numeric" value="{page}"> {of}</label></div>'
    ).format(
        range=t(
            "{first} to {last} of {total}",
            first=number_text(start + 1),
            last=number_text(start + shown),
            total=number_text(total),
        ),
        label=t("Pages"),
        back=button(t("Back"), "page", icon_name="left", style="sm", disabled=page == 1, id=page - 1),
        next=button(t("Next"), "page", icon_name="right", style="sm", disabled=page == pages, id=page + 1),
        page_word=t("Page"),
        page=page,
        of=t("of {pages}", pages=number_text(pages)),
    )
