"""The Verify tab's two sides: photographs with their faces to choose, or an enrolled person."""

from __future__ import annotations

from markupsafe import Markup

from reid.ui.components.answers import crop_source
from reid.ui.components.people import cover_of
from reid.ui.components.shell import drop_zone, source_button
from reid.ui.components.stage import chip_source, outlines, shot_source
from reid.ui.components.tags import Box
from reid.ui.markup import button, decision, icon, join, mini_scale, picture
from reid.ui.session import Session, Shot
from reid.ui.text import count, decimal, t
from reid.ui.verifying import Side, Sides
from reid.verification import PersonVerification

_NEAREST, _PHOTOS = 5, 50
"""Photographs of a person that are shown and that are listed; the most similar come first."""


def sides(session: Session, shown: Sides) -> Markup:
    """Both sides."""
    if session.pair.against_person:
        right = _person(shown, session.pair.query)
    else:
        right = _photograph(session, shown.second, "second")
    return Markup('<div class="bf-sides">{}{}</div>').format(
        _side(t("First photograph"), Markup(""), _photograph(session, shown.first, "first")),
        _side(t("Compared with"), _kinds(session.pair.against_person), right),
    )


def _side(heading: str, extra: Markup, body: Markup) -> Markup:
    return Markup(
        '<section class="bf-card bf-side" aria-label="{0}"><header class="bf-side__h"><h2 class="bf-h3">{0}</h2>{1}'
        "</header>{2}</section>"
    ).format(heading, extra, body)


def _kinds(person: bool) -> Markup:
    def one(words: str, kind: str, chosen: bool) -> Markup:
        return Markup('<button type="button" data-act="against" data-id="{}" aria-pressed="{}">{}</button>').format(
            kind, "true" if chosen else "false", words
        )

    return Markup('<div class="bf-seg bf-seg--sm bf-end" role="group" aria-label="{}">{}{}</div>').format(
        t("Compared with"), one(t("A photograph"), "photograph", not person), one(t("A person"), "person", person)
    )


def _photograph(session: Session, shot: Shot | None, side: Side) -> Markup:
    files = f"verify-{side}"
    if shot is None:
        return Markup('<div class="bf-side__b">{}<div class="bf-row bf-side__a">{}{}</div></div>').format(
            drop_zone(t("Drop a photograph here"), t("or choose one"), files),
            source_button(t("Paste"), "paste", files, "sm"),
            source_button(t("Webcam"), "camera", files, "sm"),
        )
    again = Markup('<button type="button" class="bf-btn bf-btn--sm" data-pick="{}">{}</button>').format(
        files, t("Another photograph")
    )
    remove = button("", "clear", icon_name="close", style="quiet sm icon", label=t("Remove"), id=side)
    return Markup(
        '<div class="bf-side__b"><div class="bf-frame">{picture}</div>{faces}<div class="bf-row bf-side__f"><bdi '
        'class="bf-quiet bf-clip bf-grow">{name}</bdi>{again}{remove}</div></div>'
    ).format(
        picture=_boxed(session, shot, side, files),
        faces=_faces(session, shot, side),
        name=shot.name,
        again=again,
        remove=remove,
    )


def _boxed(session: Session, shot: Shot, side: Side, files: str) -> Markup:
    faces = []
    for index, template in enumerate(shot.templates):
        box = Box.of(template.face.box_px, shot.width_px, shot.height_px)
        faces.append(
            Markup(
                '<g class="face {kind}" role="button" tabindex="0" data-act="face" data-id="{side}" data-i="{index}" '
                'aria-pressed="{pressed}" aria-label="{label}">{rects}</g>'
            ).format(
                kind="chosen sel" if index == shot.chosen else "pending",
                side=side,
                index=index,
                pressed="true" if index == shot.chosen else "false",
                label=t("Face {number}", number=index + 1),
                rects=outlines(box, ("hit", "halo", "line")),
            )
        )
    return Markup(
        '<div class="bf-pic" style="--w:{w};--h:{h}" data-drop="{files}"><img class="bf-pic__img" src="{source}" '
        'width="{w}" height="{h}" alt="{name}" draggable="false"><svg class="bf-over" viewBox="0 0 {w} {h}" '
        'role="group" aria-label="{label}">{faces}</svg></div>'
    ).format(
        w=shot.width_px,
        h=shot.height_px,
        files=files,
        source=shot_source(session, shot),
        name=shot.name,
        label=t("Faces in {name}", name=shot.name),
        faces=join(faces),
    )


def _faces(session: Session, shot: Shot, side: Side) -> Markup:
    """Which of several is meant, as crops to press."""
    if not shot.templates:
        return decision("warn", t("No face found. Try a larger or sharper original."), wrap=True)
    if len(shot.templates) == 1:
        return Markup("")
    items = join(
        Markup(
            '<button type="button" class="bf-chip48" data-act="face" data-id="{side}" data-i="{index}" '
            'aria-pressed="{pressed}">{picture}<span class="bf-no">{number}</span></button>'
        ).format(
            side=side,
            index=index,
            pressed="true" if index == shot.chosen else "false",
            picture=picture(chip_source(session, shot, index), t("Face {number}", number=index + 1), "48"),
            number=index + 1,
        )
        for index in range(len(shot.templates))
    )
    return Markup(
        '<div><p class="bf-quiet bf-side__q">{}</p><div class="bf-chips48 bf-scroll-x" role="group" aria-label="{}">{}'
        "</div></div>"
    ).format(t("{faces}: which one is meant?", faces=count(len(shot.templates), "face", "faces")), t("Faces"), items)


def _person(shown: Sides, query: str) -> Markup:
    person = shown.person
    rows = join(
        Markup(
            '<li><button type="button" class="bf-whorow" data-act="who" data-id="{id}"{current}>{cover}<span '
            'class="bf-stack bf-stack--1"><bdi class="bf-candrow__n bf-clip">{name}</bdi><span '
            'class="bf-xs bf-quiet">{photographs}</span></span></button></li>'
        ).format(
            id=one.id,
            current=Markup(' aria-current="true"') if person and one.id == person.id else "",
            cover=cover_of(one, "40"),
            name=one.name,
            photographs=count(one.photo_count, "photograph", "photographs"),
        )
        for one in shown.offered
    )
    empty = Markup('<p class="bf-quiet">{}</p>').format(
        t("Nobody is called “{query}”", query=query) if query else t("Type a name, or a part of it.")
    )
    chosen = Markup("")
    if person:
        chosen = Markup(
            '<a class="bf-who" href="?tab=gallery&amp;person={id}" data-person="{id}">{cover}<span '
            'class="bf-stack bf-stack--1"><bdi class="bf-cand__name">{name}</bdi><span class="bf-quiet">{photographs}'
            "</span></span></a>"
        ).format(
            id=person.id,
            cover=cover_of(person, "96"),
            name=person.name,
            photographs=count(person.photo_count, "photograph", "photographs"),
        )
    return Markup(
        '<div class="bf-side__b">{chosen}<form class="bf-row" data-act-form="find"><div class="bf-search bf-grow">'
        '{icon}<input class="bf-input" name="value" autocomplete="off" aria-label="{label}" placeholder="{label}" '
        'value="{query}"></div><button class="bf-btn">{find}</button></form>{list}</div>{photos}'
    ).format(
        chosen=chosen,
        icon=icon("search"),
        label=t("Name of an enrolled person"),
        query=query,
        find=t("Find"),
        list=Markup('<ul class="bf-whos">{}</ul>').format(rows) if rows else "" if person else empty,
        photos=_photos(shown.found) if isinstance(shown.found, PersonVerification) else "",
    )


def _photos(found: PersonVerification) -> Markup:
    rows = [
        Markup(
            '<li class="bf-photorow">{picture}<span class="bf-clip"><bdi>{source}</bdi></span><span '
            'class="bf-candrow__s"><b>{similarity}</b>{scale}</span></li>'
        ).format(
            picture=picture(crop_source(photo.id), t("Photograph {source}", source=photo.source), "40"),
            source=photo.source,
            similarity=decimal(similarity),
            scale=mini_scale(similarity, found.threshold),
        )
        for photo, similarity in found.photos[:_PHOTOS]
    ]
    if not rows:
        return Markup("")
    more = len(found.photos) - _NEAREST
    folded = Markup('<details class="bf-fold"><summary>{}{}</summary><ul>{}</ul></details>').format(
        icon("right"),
        t("{photographs} more, less similar", photographs=count(more, "photograph", "photographs")),
        join(rows[_NEAREST:]),
    )
    return Markup('<div class="bf-photorows"><h3 class="bf-h3">{}</h3><ul>{}</ul>{}</div>').format(
        t("Each photograph by itself"), join(rows[:_NEAREST]), folded if more > 0 else ""
    )
