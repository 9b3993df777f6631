"""The Verify tab: two sides with their faces, and what comes of comparing them."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from reid.types import Photo
from reid.ui.components.answers import crop_source
from reid.ui.components.compare import Still, dialog, evidence_still, face_facts, score
from reid.ui.components.faces import remark_words
from reid.ui.components.people import cover_of
from reid.ui.components.shell import drop_zone, source_button
from reid.ui.components.stage import chip_source, shot_source
from reid.ui.components.tags import Box
from reid.ui.markup import button, decision, icon, join, lead_line, mini_scale, picture, scale
from reid.ui.session import Session, Shot
from reid.ui.text import count, decimal, t
from reid.ui.verifying import Side, Sides
from reid.verdicts import Remark
from reid.verification import PersonVerification, Verification

Odds = Callable[[float], tuple[str, str]]
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
        rects = join(
            Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{:.1f}"/>').format(
                part, box.left, box.top, box.width, box.height, box.width * 0.045
            )
            for part in ("hit", "halo", "line")
        )
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
                rects=rects,
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


# --- what comes of it -------------------------------------------------------------------------------------------------


def answer(session: Session, shown: Sides, odds: Odds, people: int) -> Markup:
    """The card beside the sides.

    Args:
        odds: the sentence about false alarms at a similarity, bold part first.
        people: how many are enrolled, which is what the threshold was chosen for.
    """
    found = shown.found
    if found is None:
        head, body = Markup(""), _waiting(session, shown)
    else:
        words = {
            "candidate": t("Potential candidate"),
            "stranger": t("No candidate"),
            "unsearched": t("Not searched"),
        }[found.decision]
        head = decision(found.decision, words)
        body = _result(session, shown, odds, people)
    return Markup(
        '<aside class="bf-card bf-insp" aria-label="{title}"><header class="bf-insp__h bf-insp__h--plain"><div '
        'class="bf-stack bf-stack--1"><h2 class="bf-h2">{title}</h2>{head}</div></header><div class="bf-insp__l">'
        "{lead}</div>{body}</aside>"
    ).format(title=t("One person or two?"), head=head, lead=lead_line(), body=body)


def _waiting(session: Session, shown: Sides) -> Markup:
    if shown.first is None:
        words = t("Add a photograph of the face in question.")
    elif shown.first.chosen is None or (shown.second and shown.second.chosen is None):
        words = t("One of the photographs shows no face. Add another one.")
    elif session.pair.against_person:
        words = t("Choose the person to compare it with.")
    else:
        words = t("Add the photograph to compare it with, or choose an enrolled person.")
    return Markup('<div class="bf-stack bf-stack--3 bf-insp__b"><p>{}</p><p class="bf-odds">{}</p></div>').format(
        words, t("The photographs are not kept.")
    )


def _result(session: Session, shown: Sides, odds: Odds, people: int) -> Markup:
    found = shown.found
    assert found is not None  # or nothing was compared
    assert shown.first is not None
    if found.similarity is None:
        return _unsearched(found)
    bold, rest = odds(found.similarity)
    right, note = _right(session, shown, people)
    return Markup(
        '<div class="bf-cand"><div class="bf-pair">{left}{right}</div><div class="bf-stack bf-cand__b">{scale}<p '
        'class="bf-odds"><b>{bold}</b> {rest}</p><p class="bf-odds">{note}</p><div class="bf-acts bf-acts--one">'
        "{compare}</div></div></div>"
    ).format(
        left=_figure(_still(session, shown.first, t("First"))),
        right=right,
        scale=scale(found.similarity, found.threshold),
        bold=bold,
        rest=rest,
        note=note,
        compare=button(t("Compare"), "compare", icon_name="compare", style="primary"),
    )


def _right(session: Session, shown: Sides, people: int) -> tuple[Markup, str]:
    """The figure of the right side, and what its similarity means."""
    found = shown.found
    if isinstance(found, PersonVerification):
        name = found.identity.name
        if not found.photos:
            figure = Markup('<figure><p class="bf-note">{}</p></figure>').format(
                t("This gallery keeps no photographs.")
            )
        else:
            figure = _figure(evidence_still(found.photos[0][0], name))
        return figure, t(
            "The similarity is that to all photographs of {name} together, as in a search. Each one's own stands "
            "beside it.",
            name=name,
        )
    assert shown.second is not None  # a Verification has two photographs
    return _figure(_still(session, shown.second, t("Second"))), t(
        "The threshold was chosen for searches among {people}. Two photographs alone are confused more rarely, and "
        "one person is missed more often.",
        people=count(people, "person", "people"),
    )


def _still(session: Session, shot: Shot, tag: str) -> Still:
    assert shot.chosen is not None
    number = t("face {number}", number=shot.chosen + 1) if len(shot.templates) > 1 else ""
    return Still(
        chip_source(session, shot, shot.chosen),
        f"{tag}, {number}" if number else tag,
        tag,
        shot.name,
        (t("Face"), face_facts(shot.templates[shot.chosen])),
    )


def _figure(still: Still) -> Markup:
    return Markup(
        '<figure>{}<figcaption><b>{}</b><span class="bf-clip"><bdi>{}</bdi></span><span>{}</span></figcaption></figure>'
    ).format(picture(still.source, still.alternative), still.alternative, still.file, still.about[1])


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


def _unsearched(found: Verification | PersonVerification) -> Markup:
    if isinstance(found, PersonVerification):
        reasons: list[tuple[str, Remark | None]] = [(t("First"), found.reason)]
    else:
        reasons = [(t("First"), found.first_reason), (t("Second"), found.second_reason)]
    lines = [
        f"{tag}: {remark_words(reason.words, reason.value, reason.limit_value)}." for tag, reason in reasons if reason
    ]
    return Markup('<div class="bf-stack bf-stack--3 bf-insp__b"><p>{}</p><p class="bf-odds">{}</p></div>').format(
        " ".join(lines), t("A comparison would say nothing. Try a larger or sharper original of this photograph.")
    )


def compare_sides(session: Session, shown: Sides, odds: Odds) -> Markup:
    """The compare dialog on both sides; against a person it leafs through all photographs, the most similar first."""
    found = shown.found
    if found is None or found.similarity is None or shown.first is None:
        return Markup("")
    if isinstance(found, PersonVerification):
        photos: list[Photo] = [photo for photo, _ in found.photos]
        right = [evidence_still(photo, found.identity.name) for photo in photos]
        title = t("Compare with {name}", name=found.identity.name)
    else:
        assert shown.second is not None
        right, title = [_still(session, shown.second, t("Second"))], t("Compare the two faces")
    if not right:
        return Markup("")
    verdict = Markup('<h3 class="bf-h3">{}</h3><p class="bf-quiet">{}</p>{}').format(
        t("What to look for"),
        t("Look for a feature that cannot change and differs. A similarity is no reason by itself."),
        score(found.similarity, found.threshold, " ".join(odds(found.similarity))),
    )
    return dialog("verify-dialog", title, _still(session, shown.first, t("First")), right, verdict)
