"""One person's own view: photographs to choose from, the record, who is alike, and the questions before big steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reid.actor import Role
from reid.types import Candidate, Identity, Photo
from reid.ui.components.answers import crop_source
from reid.ui.components.held import HELD, held_dialog
from reid.ui.components.people import cover_of
from reid.ui.components.review import same_person
from reid.ui.markup import button, decision, glyph, icon, join, mini_scale, picture
from reid.ui.roles import may
from reid.ui.text import count, day, decimal, t

RECORD_FIELDS = ("notes", "consent", "expires")
"""Free fields that have a place of their own on the page; all others are shown as details."""


@dataclass(frozen=True, slots=True, eq=False)
class PersonView:
    """What is known about a person.

    Attributes:
        outliers: similarity of each photograph that differs from the rest, by its id.
        nearest: other people whom this one resembles, nearest first.
        draft: what somebody typed into the record while somebody else saved another one; None where nobody did.
    """

    identity: Identity
    photos: Sequence[Photo]
    outliers: dict[str, float]
    nearest: Sequence[Candidate]
    threshold: float
    draft: Mapping[str, str] | None = None


def version_of(identity: Identity) -> str:
    """Changes with everything that the record shows: two who edit at once notice each other."""
    state = json.dumps([identity.name, dict(identity.metadata)], sort_keys=True)
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def person(view: PersonView) -> Markup:
    """The whole view."""
    identity = view.identity
    return Markup(
        '{crumb}{head}<div class="bf-two"><div class="bf-stack bf-stack--4">{bulk}{photos}{nearest}</div>{record}</div>'
        "{merge}{held}{erase}"
    ).format(
        crumb=_crumb(identity),
        head=_head(identity),
        bulk=_bulk(identity) if view.photos else "",
        photos=_photos(view),
        nearest=_nearest(view),
        record=_record(identity, view.draft),
        merge=_merge_dialog(view),
        held=held_dialog(identity),
        erase=_erase_dialog(identity),
    )


def _crumb(identity: Identity) -> Markup:
    return Markup(
        '<nav class="bf-crumb" aria-label="{}"><a href="?tab=gallery" data-tab="gallery">{}</a>{}<bdi>{}</bdi></nav>'
    ).format(t("Where"), t("Gallery"), icon("right"), identity.name)


def _head(identity: Identity) -> Markup:
    def opener(words: str, icon_name: str, dialog: str, style: str) -> Markup:
        return Markup('<button type="button" class="bf-btn {}" data-dialog="{}">{}{}</button>').format(
            style, dialog, icon(icon_name), words
        )

    return Markup(
        '<div class="bf-phead">{cover}<div class="bf-grow"><h1 class="bf-h1"><bdi>{name}</bdi></h1>'
        '<p class="bf-quiet">{facts}</p></div><div class="bf-bar__a">{link}{held}{merge}{erase}</div></div>'
    ).format(
        cover=cover_of(identity, "72"),
        name=identity.name,
        facts=t(
            "{photographs}, enrolled {day}",
            photographs=count(identity.photo_count, "photograph", "photographs"),
            day=day(identity.created_at),
        ),
        link=Markup('<button type="button" class="bf-btn" data-copy-link>{}{}</button>').format(
            icon("link"), t("Copy link")
        ),
        held=opener(t("What is held"), "download", HELD, ""),
        merge=opener(t("Merge"), "merge", "merge-dialog", ""),
        erase=opener(t("Erase"), "trash", "erase-dialog", "bf-btn--dangerquiet"),
    )


def _bulk(identity: Identity) -> Markup:
    """Takes its place over the photographs while some are selected."""
    return Markup(
        '<div class="bf-bulk" data-bulk hidden role="region" aria-label="{label}"><b><span '
        "data-bulk-n>0</span> {selected}</b>"
        '<form class="bf-row bf-row--tight" data-act-form="move" data-collect data-reset><input type="hidden" '
        'name="id" '
        'value="{id}"><input class="bf-input bf-bulk__to" name="value" required autocomplete="off" aria-label="{to}" '
        'placeholder="{to}"><button class="bf-btn bf-btn--sm">{move_icon}{move}</button></form>{cover}{delete}'
        '<button type="button" class="bf-btn bf-btn--sm bf-btn--icon" data-unselect '
        'aria-label="{clear}">{x}</button></div>'
    ).format(
        label=t("Selection"),
        selected=t("selected"),
        id=identity.id,
        to=t("Name, or a new person"),
        move_icon=icon("move"),
        move=t("Move"),
        cover=_collecting(t("Make cover"), "cover", "star", identity.id),
        delete=_collecting(t("Delete"), "delete", "trash", identity.id),
        clear=t("Clear selection"),
        x=icon("close"),
    )


def _collecting(words: str, act: str, icon_name: str, identity_id: str) -> Markup:
    return Markup(
        '<button type="button" class="bf-btn bf-btn--sm" data-act="{}" data-id="{}" data-collect="1">{}{}</button>'
    ).format(act, identity_id, icon(icon_name), words)


def _photos(view: PersonView) -> Markup:
    if not view.photos:
        return Markup('<p class="bf-note">{}{}</p>').format(icon("info"), t("This gallery keeps no photographs."))
    return Markup('<ul class="bf-photos" aria-label="{}">{}</ul>').format(
        t("Photographs"), join(_photo(view, photo) for photo in view.photos)
    )


def _photo(view: PersonView, photo: Photo) -> Markup:
    differs = view.outliers.get(photo.id)
    cover = (
        Markup('<span class="bf-badge bf-photo__tag bf-photo__cover">{}</span>').format(t("Cover"))
        if photo.id == view.identity.cover_photo_id
        else ""
    )
    words = (
        decision("warn", t("Differs from the rest, {similarity}", similarity=decimal(differs)))
        + same_person(photo.id, view.identity.name, view.identity.id)
        if differs is not None
        else Markup("<span>{}</span>").format(day(photo.added_at))
    )
    return Markup(
        '<li class="bf-cell bf-photo{out}"><label class="bf-photo__p">{picture}{cover}<input class="bf-check bf-pick" '
        'type="checkbox" data-select="{id}" aria-label="{select}"></label><span class="bf-photo__m"><bdi '
        'class="bf-clip">'
        "{source}</bdi>{words}</span></li>"
    ).format(
        out=" bf-photo--out" if differs is not None else "",
        id=photo.id,
        picture=picture(crop_source(photo.id), t("Photograph {source}", source=photo.source)),
        cover=cover,
        select=t("Select {source}", source=photo.source),
        source=photo.source,
        words=words,
    )


def _nearest(view: PersonView) -> Markup:
    if not view.nearest:
        return Markup("")
    items = join(
        Markup(
            '<a href="?tab=gallery&amp;person={id}" data-person="{id}">{picture}<span class="bf-stack bf-stack--1">'
            '<bdi class="bf-candrow__n bf-clip">{name}</bdi><span class="bf-row bf-quiet">{scale}<span class="bf-num">'
            "{similarity}</span></span></span></a>"
        ).format(
            id=candidate.identity.id,
            picture=picture(crop_source(candidate.photo_id), "", "48") if candidate.photo_id else "",
            name=candidate.identity.name,
            scale=mini_scale(candidate.similarity, view.threshold),
            similarity=decimal(candidate.similarity),
        )
        for candidate in view.nearest
    )
    return Markup(
        '<section aria-label="{0}"><h2 class="bf-h3 bf-near__h">{0}</h2><div class="bf-near">{1}</div></section>'
    ).format(t("Nearest other people"), items)


def fields_of(identity: Identity) -> dict[str, str]:
    """The record as its form shows it."""
    held = identity.metadata
    details = "\n".join(f"{key}: {value}" for key, value in held.items() if key not in RECORD_FIELDS)
    return {"name": identity.name, **{key: held.get(key, "") for key in RECORD_FIELDS}, "details": details}


def _meanwhile(theirs: Mapping[str, str], draft: Mapping[str, str]) -> Markup:
    """What somebody else saved, beside what is still in the form: whoever presses Save again replaces it."""
    words = {
        "name": t("Name"), "notes": t("Notes"), "consent": t("Consent basis"), "expires": t("Expires"),
        "details": t("Details"),
    }  # fmt: skip
    other = [key for key in words if theirs[key].split() != draft.get(key, "").split()]
    lines = join(
        Markup("<dt>{}</dt><dd><bdi>{}</bdi></dd>").format(words[key], theirs[key] or t("empty")) for key in other
    )
    return Markup(
        '<div class="bf-note bf-note--warn" role="alert">{}<div><b>{}</b> {}<dl class="bf-facts">{}</dl></div></div>'
    ).format(
        glyph("warn"),
        t("Somebody else saved this record meanwhile."),
        t("Your text still stands here. Saving again puts it in the place of theirs:"),
        lines,
    )


def _record(identity: Identity, draft: Mapping[str, str] | None) -> Markup:
    held = fields_of(identity) | dict(draft or {})
    return Markup(
        '<form class="bf-card bf-card__body bf-stack bf-stack--4" data-act-form="record" aria-label="{record}">'
        '<input type="hidden" name="id" value="{id}"><input type="hidden" name="version" value="{version}">'
        '<input type="hidden" name="before" value="{before}">{meanwhile}'
        '<div><label class="bf-label" for="rec-name">{name_word}</label><input class="bf-input" id="rec-name" '
        'name="name" '
        'required maxlength="200" autocomplete="off" value="{name}"{off}></div>'
        '<div><label class="bf-label" for="rec-notes">{notes_word} <span class="bf-opt">{optional}</span></label>'
        '<textarea class="bf-input" id="rec-notes" name="notes" rows="3"{off}>{notes}</textarea></div>'
        '<div><label class="bf-label" for="rec-consent">{consent_word}</label><input class="bf-input" id="rec-consent" '
        'name="consent" autocomplete="off" value="{consent}"{off}></div>'
        '<div><label class="bf-label" for="rec-expires">{expires_word}</label><input class="bf-input" id="rec-expires" '
        'name="expires" type="date" value="{expires}"{off}></div>'
        '<div><label class="bf-label" for="rec-more">{details_word} <span class="bf-opt">{each}</span></label>'
        '<textarea class="bf-input" id="rec-more" name="details" rows="3" '
        'placeholder="{example}"{off}>{details}</textarea></div>'
        "{save}</form>"
    ).format(
        record=t("Record"),
        off="" if may(Role.OPERATOR) else Markup(" disabled"),
        id=identity.id,
        version=version_of(identity),
        before=json.dumps(fields_of(identity)),
        meanwhile=_meanwhile(fields_of(identity), draft) if draft else "",
        name_word=t("Name"),
        name=held["name"],
        notes_word=t("Notes"),
        optional=t("optional"),
        notes=held["notes"],
        consent_word=t("Consent basis"),
        consent=held["consent"],
        expires_word=t("Expires"),
        expires=held["expires"],
        details_word=t("Details"),
        each=t("one a line"),
        example=t("Staff no.: HM-0417"),
        details=held["details"],
        save=_save(),
    )


def _save() -> Markup:
    if may(Role.OPERATOR):
        return Markup('<div class="bf-row"><button class="bf-btn bf-btn--primary">{}</button></div>').format(t("Save"))
    words = t("Only an operator changes what is kept about a person.")
    return Markup('<p class="bf-note">{}{}</p>').format(icon("info"), words)


def _merge_dialog(view: PersonView) -> Markup:
    identity = view.identity
    options = join(Markup('<option value="{}">').format(one.identity.name) for one in view.nearest)
    return Markup(
        '<div class="bf-modal" id="merge-dialog" hidden><section class="bf-dialog bf-dialog--sm" role="dialog" '
        'aria-modal="true" aria-labelledby="merge-title"><form data-act-form="merge"><input type="hidden" name="id" '
        'value="{id}"><div class="bf-dialog__b bf-stack bf-stack--4"><div><h2 class="bf-h2" '
        'id="merge-title">{title}</h2>'
        '<p class="bf-quiet">{text}</p></div><div><label class="bf-label" for="merge-name">{label}</label><input '
        'class="bf-input" id="merge-name" name="value" required autocomplete="off" list="merge-names"><datalist '
        'id="merge-names">{options}</datalist></div></div><footer class="bf-dialog__f bf-dialog__f--end"><button '
        'type="button" class="bf-btn" data-dialog-close>{cancel}</button><button class="bf-btn bf-btn--primary">{merge}'
        "</button></footer></form></section></div>"
    ).format(
        id=identity.id,
        title=t("Merge {name} into somebody", name=identity.name),
        text=t("All photographs go to the other person, whose name stays. It can be undone."),
        label=t("Name of the other person"),
        options=options,
        cancel=t("Cancel"),
        merge=t("Merge"),
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
        cover=cover_of(identity, "56"),
        title=t("Erase {name}?", name=identity.name),
        what=t(
            "Everything held about this person goes: {photographs}, what was computed from them, notes, remembered "
            "answers and the name.",
            photographs=count(identity.photo_count, "photograph", "photographs"),
        ),
        sign=glyph("danger"),
        final=t("This cannot be undone, nor by a backup. Older copies hold this person until their day."),
        type=t("Type the name to confirm"),
        name=identity.name,
        keep=t("Keep"),
        erase=button(t("Erase for good"), "erase", style="danger", disabled=True, id=identity.id),
    )
