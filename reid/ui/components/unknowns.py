"""Strangers that are kept: who of them may be enrolled by now, groups of likely one person, faces seen once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from markupsafe import Markup

from reid.types import KeptFace
from reid.ui.components.people import cover_of
from reid.ui.markup import button, decision, glyph, icon, join, picture
from reid.ui.text import count, day, decimal, short_day, t
from reid.unknowns import Keeping, Sighting, Strangers

FIRST = 24
"""Groups that are drawn before somebody asks for more; of the faces seen once, four times as many."""
_IN_LINE = 6
_SOON_DAYS = 3

_DRAWING = Markup(
    '<svg viewBox="0 0 132 88" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">'
    '<circle cx="40" cy="40" r="14" stroke-dasharray="4 3"/><circle cx="66" cy="34" r="14" stroke-dasharray="4 3"/>'
    '<circle cx="92" cy="40" r="14" stroke-dasharray="4 3"/><path d="M16 80c2-14 12-22 24-22M116 80c-2-14-12-22-24-22'
    'M44 80c2-18 10-28 22-28s20 10 22 28" stroke-dasharray="4 3"/></svg>'
)


def face_source(face_id: str) -> str:
    """Where the crop of a kept face is served."""
    return f"unknowns/{face_id}.jpg"


def bar_actions(ignored: int, everything: int, looking_at_ignored: bool) -> Markup:
    """The buttons beside the switch: those who are ignored, and the end of all."""
    if looking_at_ignored:
        return Markup('<div class="bf-bar__a">{}</div>').format(button(t("Back to those kept"), "list"))
    shown = button(t("{number} ignored", number=ignored), "ignored") if ignored else Markup("")
    total = everything + ignored
    erase = _forget(t("Erase all"), "all", t("Erase everything that is kept, {faces}?", faces=_faces(total)))
    return Markup('<div class="bf-bar__a">{}{}</div>').format(shown, erase if total else "")


def empty(keeping: Keeping) -> Markup:
    """Nothing is kept."""
    if keeping.on:
        words = t("A face that finds no candidate is kept from now on, and erased after the time you set.")
    else:
        words = t(
            "Keep the faces that found no candidate, and somebody enrolled next week is searched among them at once. "
            "Each one is erased after the time you set."
        )
    start = button(t("Keep for {days} days", days=keeping.days), "start", style="primary")
    return Markup(
        '<div class="bf-card bf-empty">{}<h2 class="bf-h1">{}</h2><p>{}</p>'
        '<div class="bf-row bf-row--wrap bf-empty__a">{}</div></div>'
    ).format(_DRAWING, t("No faces are kept"), words, "" if keeping.on else start)


def refused(reason: str) -> Markup:
    """A gallery that cannot keep any."""
    return Markup('<div class="bf-card bf-empty">{}<h2 class="bf-h1">{}</h2><p>{}</p></div>').format(
        _DRAWING, t("No faces are kept"), reason
    )


# --- those who may be enrolled by now --------------------------------------------------------------------------------


def sightings(found: Sequence[Sighting], threshold: float) -> Markup:
    """One card a person: their cover, the kept faces with similarities, yes and no."""
    return join(_sighting(one, threshold) for one in found)


def _sighting(one: Sighting, threshold: float) -> Markup:
    identity, ids = one.identity, ",".join(face.id for face, _ in one.faces)
    number = len(one.faces)
    below = sum(similarity < threshold for _, similarity in one.faces)
    words = [t("Select faces to answer about some of them.")] if number > 1 else []
    if below:
        words.insert(0, t("{faces} below the threshold, but in a group that reaches it.", faces=_faces(below)))
    return Markup(
        '<section class="bf-hit" aria-label="{label}"><div class="bf-hit__f"><a class="bf-sight" '
        'href="?tab=gallery&amp;person={id}" data-person="{id}" aria-label="{enrolled}, {name}">{cover}'
        '<span>{enrolled}</span></a><span class="bf-hit__v"></span>{faces}</div><div class="bf-hit__w">{title}<p '
        'class="bf-quiet">{text}</p></div><div class="bf-row bf-row--wrap">{yes}{no}{later}</div></section>'
    ).format(
        label=t("Kept faces that may be {name}", name=identity.name),
        id=identity.id,
        name=identity.name,
        cover=cover_of(identity),
        enrolled=t("Enrolled"),
        faces=join(_tile(face, decimal(similarity)) for face, similarity in one.faces[:_IN_LINE])
        + (Markup('<span class="bf-others__more">+{}</span>').format(number - _IN_LINE) if number > _IN_LINE else ""),
        title=decision(
            "candidate",
            t(
                "Potential candidate for {name}" if number == 1 else "{number} potential candidates for {name}",
                number=number,
                name=identity.name,
            ),
        ),
        text=" ".join(
            [
                t("Enrolled {day}.", day=day(identity.created_at)),
                t("Similarities: {values}.", values=", ".join(decimal(value) for _, value in one.faces[:_IN_LINE])),
                *words,
                t("A lead, not an identification."),
            ]
        ),
        yes=button(t("Add to the person"), "confirm", icon_name="plus", id=identity.id, faces=ids, collect=1),
        no=button(t("Not this person"), "reject", id=identity.id, faces=ids, collect=1),
        later=Markup('<button type="button" class="bf-btn bf-btn--quiet" data-later>{}</button>').format(t("Later")),
    )


# --- groups and faces seen once --------------------------------------------------------------------------------------


def strangers(found: Strangers, threshold: float, shown: int) -> Markup:
    """Groups, faces seen once, and the bar for those that are selected.

    Args:
        shown: groups that are drawn.
    """
    parts = [_bulk(t("Enrol as a person"))]
    if found.groups:
        parts.append(_groups(found.groups, threshold, shown))
    if found.once:
        parts.append(_once(t("Seen once"), found.once, 4 * shown))
    if len(found.groups) > shown or len(found.once) > 4 * shown:
        parts.append(Markup('<div class="bf-pager">{}</div>').format(button(t("Show more"), "more", id=shown + FIRST)))
    if found.left_out:
        parts.append(
            Markup('<p class="bf-note">{}<span>{}</span></p>').format(
                icon("info"),
                t("{faces} more, older than these, wait for their end or their turn.", faces=_faces(found.left_out)),
            )
        )
    return join([*parts, forget_dialog()])


def ignored(faces: Sequence[KeptFace], shown: int) -> Markup:
    """Those who are ignored for good, and the way back."""
    parts = [
        _bulk(""),
        _once(t("Ignored for good"), faces, 4 * shown, t("Never kept again. Select faces to change it.")),
    ]
    if len(faces) > 4 * shown:
        parts.append(
            Markup('<div class="bf-pager">{}</div>').format(button(t("Show more"), "ignored", id=shown + FIRST))
        )
    return join([*parts, forget_dialog()])


def _groups(groups: Sequence[Sequence[KeptFace]], threshold: float, shown: int) -> Markup:
    faces = sum(len(group) for group in groups)
    return Markup(
        '<section class="bf-card" aria-label="{title}"><div class="bf-row bf-row--apart bf-groups__h">'
        '<h2 class="bf-h3">{title} <span class="bf-opt">{groups}, {faces}</span></h2>'
        '<span class="bf-quiet bf-wide">{how}</span></div><ul>{rows}</ul></section>'
    ).format(
        title=t("Seen more than once"),
        groups=count(len(groups), "group", "groups"),
        faces=_faces(faces),
        how=t("Grouped at a similarity of {threshold} or more", threshold=decimal(threshold)),
        rows=join(_group(number, group) for number, group in enumerate(groups[:shown], 1)),
    )


def _group(number: int, group: Sequence[KeptFace]) -> Markup:
    ids = ",".join(face.id for face in group)
    rest = Markup(
        '<details class="bf-group__rest"><summary class="bf-group__more">+{}<span class="bf-sr"> {}</span></summary>'
        '<div class="bf-group__f">{}</div></details>'
    ).format(len(group) - _IN_LINE, t("more"), join(_tile(face, short_day(face.seen_at)) for face in group[_IN_LINE:]))
    return Markup(
        '<li class="bf-group"><div class="bf-group__l"><div class="bf-group__t"><h3 class="bf-h2">{title}</h3>'
        '<span class="bf-quiet">{facts}</span>{expires}</div><div class="bf-group__f">{faces}{rest}</div></div>'
        '<div class="bf-group__a"><form class="bf-group__n" data-act-form="enrol" data-reset>'
        '<input type="hidden" name="faces" value="{ids}"><input class="bf-input" name="value" required '
        'autocomplete="off" maxlength="200" placeholder="{placeholder}" aria-label="{placeholder}, {title}">'
        '<button class="bf-btn">{icon}{enrol}</button></form>{ignore}{erase}</div></li>'
    ).format(
        title=t("Group {number}", number=number),
        facts=_facts(group),
        expires=_expires(group),
        faces=join(_tile(face, short_day(face.seen_at)) for face in group[:_IN_LINE]),
        rest=rest if len(group) > _IN_LINE else "",
        ids=ids,
        placeholder=t("Name, or a new person"),
        icon=icon("enrol"),
        enrol=t("Enrol as a person"),
        ignore=button(t("Ignore for good"), "ignore", style="quiet", faces=ids),
        erase=_forget("", ids, t("Erase {faces} of this group?", faces=_faces(len(group)))),
    )


def _facts(group: Sequence[KeptFace]) -> str:
    first, last = group[-1].seen_at, group[0].seen_at
    where = t(
        "{sightings} in {photographs}",
        sightings=count(len(group), "sighting", "sightings"),
        photographs=count(len({face.sha256 for face in group}), "photograph", "photographs"),
    )
    if short_day(first) == short_day(last):
        return f"{where}, {short_day(last)}"
    return f"{where}, " + t(
        "{first} to {last}",
        first=short_day(first),
        last=t("today") if short_day(last) == t("Today") else short_day(last),
    )


def _expires(group: Sequence[KeptFace]) -> Markup:
    ends = min(face.expires_at for face in group)
    left = max((datetime.fromisoformat(ends) - datetime.now(UTC)).days, 0)
    words = t("Expires within a day") if left == 0 else t("Expires in {days}", days=count(left, "day", "days"))
    if left < _SOON_DAYS:
        return Markup('<span class="bf-person__w">{}{}</span>').format(glyph("warn"), words)
    return Markup('<span class="bf-quiet">{}</span>').format(words)


def _tile(face: KeptFace, caption: str) -> Markup:
    """A face with its box to select it."""
    words = t("Seen {day} in {source}", day=day(face.seen_at), source=face.source)
    return Markup(
        '<label class="bf-sight bf-cell bf-photo__p">{picture}<input class="bf-check bf-pick" type="checkbox" '
        'data-select="{id}" aria-label="{select}"><span><bdi>{caption}</bdi></span></label>'
    ).format(
        picture=picture(face_source(face.id), words),
        id=face.id,
        select=t("Select the face of {source}", source=face.source),
        caption=caption,
    )


def _once(title: str, faces: Sequence[KeptFace], shown: int, words: str = "") -> Markup:
    return Markup(
        '<section class="bf-card bf-card__body bf-once__c" aria-label="{title}"><div class="bf-row bf-row--apart '
        'bf-once__h"><h2 class="bf-h3">{title} <span class="bf-opt">{faces}</span></h2><span '
        'class="bf-quiet bf-wide">{words}</span></div><div class="bf-once">{tiles}</div></section>'
    ).format(
        title=title,
        faces=_faces(len(faces)),
        words=words or t("Select faces to enrol, ignore or erase them."),
        tiles=join(_tile(face, short_day(face.seen_at)) for face in faces[:shown]),
    )


def _bulk(enrol: str) -> Markup:
    """The bar over the faces while some are selected; without `enrol` those of the ignored."""
    if enrol:
        acts = Markup(
            '<form class="bf-row bf-row--tight" data-act-form="enrol" data-collect data-reset><input '
            'class="bf-input bf-bulk__to" name="value" required autocomplete="off" maxlength="200" aria-label="{to}" '
            'placeholder="{to}"><button class="bf-btn bf-btn--sm">{icon}{enrol}</button></form>{ignore}'
        ).format(
            to=t("Name, or a new person"),
            icon=icon("enrol"),
            enrol=enrol,
            ignore=button(t("Ignore for good"), "ignore", style="sm", collect=1),
        )
    else:
        acts = button(t("Take back"), "unignore", icon_name="undo", style="sm", collect=1)
    return Markup(
        '<div class="bf-bulk" data-bulk hidden role="region" aria-label="{label}"><b><span data-bulk-n>0</span> '
        '{selected}</b>{acts}{erase}<button type="button" class="bf-btn bf-btn--sm bf-btn--icon" data-unselect '
        'aria-label="{clear}">{x}</button></div>'
    ).format(
        label=t("Selection"),
        selected=t("selected"),
        acts=acts,
        erase=_forget(t("Erase"), "selected", t("Erase the selected faces?"), "sm"),
        clear=t("Clear selection"),
        x=icon("close"),
    )


# --- erasure ---------------------------------------------------------------------------------------------------------


def _forget(words: str, faces: str, title: str, size: str = "") -> Markup:
    """A button that opens the question before erasure.

    Args:
        faces: their ids, `selected` or `all`.
        title: the question.
    """
    return Markup(
        '<button type="button" class="bf-btn{size} bf-btn--dangerquiet{alone}" data-dialog="forget-dialog" '
        'data-forget="{faces}" data-title="{title}"{label}>{icon}{words}</button>'
    ).format(
        size=f" bf-btn--{size}" if size else "",
        alone="" if words else " bf-btn--icon",
        faces=faces,
        title=title,
        label="" if words else Markup(' aria-label="{}"').format(t("Erase")),
        icon=icon("trash"),
        words=words,
    )


def forget_dialog() -> Markup:
    """Erasure has no undo: it is asked for twice."""
    return Markup(
        '<div class="bf-modal" id="forget-dialog" hidden><section class="bf-dialog bf-dialog--sm" role="alertdialog" '
        'aria-modal="true" aria-labelledby="forget-title" aria-describedby="forget-text"><div class="bf-dialog__b '
        'bf-stack bf-stack--4"><h2 class="bf-h2" id="forget-title"></h2><div class="bf-note bf-note--danger">{sign}'
        '<span id="forget-text">{text}</span></div></div><footer class="bf-dialog__f bf-dialog__f--end"><button '
        'type="button" class="bf-btn" data-dialog-close>{keep}</button>{erase}</footer></section></div>'
    ).format(
        sign=glyph("danger"),
        text=t("The crop and everything computed from it go. This cannot be undone."),
        keep=t("Keep"),
        erase=button(t("Erase for good"), "erase", style="danger", faces=""),
    )


def _faces(number: int) -> str:
    return count(number, "face", "faces")
