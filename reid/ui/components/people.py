"""The gallery as cards, a page at a time, and one person's own view with the question before erasure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from reid.types import Identity, Photo
from reid.ui.components.inspector import crop_source
from reid.ui.components.shell import gallery_empty
from reid.ui.markup import button, glyph, icon, join, picture
from reid.ui.text import count, day, number_text, t

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
        return gallery_empty()
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


def _cover(identity: Identity, size: str = "fill") -> Markup:
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
    ).format(id=identity.id, cover=_cover(identity), name=identity.name, meta=meta)


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


def person(identity: Identity, photos: Sequence[Photo]) -> Markup:
    """One person: photographs, and erasure behind a second question."""
    return Markup("{crumb}{head}{photos}{dialog}").format(
        crumb=_crumb(identity), head=_head(identity), photos=_photos(identity, photos), dialog=_erase_dialog(identity)
    )


def _crumb(identity: Identity) -> Markup:
    return Markup(
        '<nav class="bf-crumb" aria-label="{}"><a href="?tab=gallery" data-tab="gallery">{}</a>{}<bdi>{}</bdi></nav>'
    ).format(t("Where"), t("Gallery"), icon("right"), identity.name)


def _head(identity: Identity) -> Markup:
    erase = Markup(
        '<button type="button" class="bf-btn bf-btn--dangerquiet" data-dialog="erase-dialog">{}{}</button>'
    ).format(icon("trash"), t("Erase"))
    return Markup(
        '<div class="bf-phead">{cover}<div class="bf-grow"><h1 class="bf-h1"><bdi>{name}</bdi></h1>'
        '<p class="bf-quiet">{facts}</p></div><div class="bf-bar__a">{erase}</div></div>'
    ).format(
        cover=_cover(identity, "72"),
        name=identity.name,
        facts=t(
            "{photographs}, enrolled {day}",
            photographs=count(identity.photo_count, "photograph", "photographs"),
            day=day(identity.created_at),
        ),
        erase=erase,
    )


def _photos(identity: Identity, photos: Sequence[Photo]) -> Markup:
    if not photos:
        return Markup('<p class="bf-note">{}{}</p>').format(icon("info"), t("This gallery keeps no photographs."))
    return Markup('<ul class="bf-photos" aria-label="{}">{}</ul>').format(
        t("Photographs"), join(_photo(identity, photo) for photo in photos)
    )


def _photo(identity: Identity, photo: Photo) -> Markup:
    cover = (
        Markup('<span class="bf-badge bf-photo__tag bf-photo__cover">{}</span>').format(t("Cover"))
        if photo.id == identity.cover_photo_id
        else ""
    )
    return Markup(
        '<li class="bf-cell bf-photo"><span class="bf-photo__p">{picture}{cover}</span><span class="bf-photo__m">'
        '<bdi class="bf-clip">{source}</bdi><span>{day}</span></span></li>'
    ).format(
        picture=picture(crop_source(photo.id), t("Photograph {source}", source=photo.source)),
        cover=cover,
        source=photo.source,
        day=day(photo.added_at),
    )


def _erase_dialog(identity: Identity) -> Markup:
    """The one action without undo: the name must be typed."""
    return Markup(
        '<div class="bf-modal" id="erase-dialog" hidden><section class="bf-dialog bf-dialog--sm" role="alertdialog" '
        'aria-modal="true" aria-labelledby="erase-title" aria-describedby="erase-text"><div '
        'class="bf-dialog__b bf-stack '
        'bf-stack--4"><div class="bf-row bf-row--3 bf-row--top">{cover}<div><h2 class="bf-h2" '
        'id="erase-title">{title}</h2>'
        '<p class="bf-quiet" id="erase-text">{what}</p></div></div><div class="bf-note '
        'bf-note--danger">{sign}<span>{final}'
        '</span></div><div><label class="bf-label" for="erase-name">{type}</label><input class="bf-input" '
        'id="erase-name" '
        'data-confirm="{name}" placeholder="{name}" autocomplete="off"></div></div><footer class="bf-dialog__f '
        'bf-dialog__f--end"><button type="button" class="bf-btn" data-dialog-close>{keep}</button>{erase}</footer>'
        "</section></div>"
    ).format(
        cover=_cover(identity, "56"),
        title=t("Erase {name}?", name=identity.name),
        what=t(
            "Everything held about this person goes: {photographs}, what was computed from them, and the name.",
            photographs=count(identity.photo_count, "photograph", "photographs"),
        ),
        sign=glyph("danger"),
        final=t("This cannot be undone. Backups made before today still hold this person: erase or replace them too."),
        type=t("Type the name to confirm"),
        name=identity.name,
        keep=t("Keep"),
        erase=button(t("Erase for good"), "erase", style="danger", disabled=True, id=identity.id),
    )
