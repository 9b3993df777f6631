"""The photographs that are about to be enrolled: a row each with its verdict, and which face is meant."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reid.ui.components.faces import remark_words
from reid.ui.components.stage import chip_source, shot_source
from reid.ui.components.tags import Box
from reid.ui.drafting import DraftRow
from reid.ui.markup import button, decision, icon, join, picture
from reid.ui.session import Session
from reid.ui.text import count, t
from reid.verdicts import Remark

_ASPECTS = {"size": "Size", "sharpness": "Sharpness", "pose": "Turn of the head", "exposure": "Exposure"}


def sheet(session: Session, rows: Sequence[DraftRow]) -> Markup:
    """All rows, nothing without photographs."""
    if not rows:
        return Markup("")
    return Markup(
        '<section class="bf-card" aria-label="{label}"><div class="bf-row bf-row--apart bf-sheet__h"><h2 '
        'class="bf-h3">{n}'
        '</h2><span class="bf-quiet bf-wide">{legend}</span></div><ul>{rows}</ul></section>'
    ).format(
        label=t("Photographs"),
        n=count(len(rows), "photograph", "photographs"),
        legend=t("The mark on each line is the least that is accepted"),
        rows=join(_row(session, row) for row in rows),
    )


def _row(session: Session, row: DraftRow) -> Markup:
    if row.state == "choose":
        return _group(session, row)
    remove = button(
        "",
        "remove",
        icon_name="close",
        style="quiet sm icon",
        label=t("Remove {name}", name=row.shot.name),
        id=row.shot.id,
    )
    if row.state == "empty":
        shown = Markup('<span class="bf-ph bf-mini bf-mini--sq"><img src="{}" alt=""></span>').format(
            shot_source(session, row.shot)
        )
        verdict = decision("warn", t("No face found, left out"))
        extra = Markup('<p class="bf-quiet">{}</p>').format(t("Try a larger original, or another photograph."))
    else:
        assert row.shot.chosen is not None
        assert row.verdict is not None
        shown = picture(chip_source(session, row.shot, row.shot.chosen), t("The face that is enrolled"), "mini")
        verdict = _verdict(row)
        extra = Markup("{}{}").format(_advice(row), _meters(row.verdict.remarks))
    return Markup(
        '<li class="bf-ph-row">{shown}<div class="bf-ph-row__b"><div class="bf-row bf-row--wrap bf-ph-row__t">{verdict}'
        '<bdi class="bf-quiet bf-clip">{name}</bdi>{again}</div>{extra}</div>{remove}</li>'
    ).format(
        shown=shown,
        verdict=verdict,
        name=row.shot.name,
        again=_choose_again(row),
        extra=extra,
        remove=remove,
    )


def _choose_again(row: DraftRow) -> Markup:
    if row.state == "empty" or len(row.shot.templates) < 2:
        return Markup("")
    return Markup('<button type="button" class="bf-link" data-act="reopen" data-id="{}">{}</button>').format(
        row.shot.id,
        t("Face {number} of {total}, choose another", number=(row.shot.chosen or 0) + 1, total=len(row.shot.templates)),
    )


def _verdict(row: DraftRow) -> Markup:
    assert row.verdict is not None
    if row.odd is not None:
        return decision("warn", t("Differs from the rest, left out") if not row.used else t("Differs from the rest"))
    if row.verdict.level == "poor":
        return decision("warn", t("Poor, left out") if not row.used else t("Poor, used anyway"))
    words = t("Good") if row.verdict.level == "good" else t("Usable")
    return Markup('<span class="bf-dec">{}{}</span>').format(icon("check"), words)


def _advice(row: DraftRow) -> Markup:
    assert row.verdict is not None
    if row.odd is None and row.verdict.level != "poor":
        return Markup("")
    if row.odd is not None:
        why = t("It looks like somebody else than the other photographs do.")
    else:
        why = t("Photographs like this find people less often.")
    words = t("Leave it out") if row.used else t("Use it anyway")
    return Markup(
        '<p class="bf-quiet">{} <button type="button" class="bf-link" data-act="use" data-id="{}">{}</button></p>'
    ).format(why, row.shot.id, words)


def _meters(remarks: Sequence[Remark]) -> Markup:
    return Markup('<div class="bf-q">{}</div>').format(
        join(
            Markup(
                '<div class="{bad}"><span class="bf-meter" style="--v:{v:.0f}%;--lim:{lim:.0f}%"></span><span><span '
                'class="bf-sr">{aspect}: </span><b>{words}</b></span></div>'
            ).format(
                bad="bad" if remark.bad else "",
                v=100 * min(max(remark.position, 0.03), 0.97),
                lim=100 * remark.limit,
                aspect=t(_ASPECTS[remark.aspect]),
                words=remark_words(remark.words, remark.value, remark.limit_value),
            )
            for remark in remarks
        )
    )


def _group(session: Session, row: DraftRow) -> Markup:
    """A photograph with several faces: which one is meant?"""
    shot = row.shot
    faces = []
    for index, template in enumerate(shot.templates):
        box = Box.of(template.face.box_px, shot.width_px, shot.height_px)
        faces.append(
            Markup(
                '<button type="button" class="bf-pickface" data-act="pick" data-id="{id}" data-i="{index}" '
                'aria-label="{label}" aria-pressed="{pressed}" style="left:{l:.2f}%;top:{t:.2f}%;width:{w:.2f}%;'
                'height:{h:.2f}%"></button>'
            ).format(
                id=shot.id,
                index=index,
                label=t("Face {number}", number=index + 1),
                pressed="true" if index == row.suggested else "false",
                l=100 * box.left / shot.width_px,
                t=100 * box.top / shot.height_px,
                w=100 * box.width / shot.width_px,
                h=100 * box.height / shot.height_px,
            )
        )
    advice = (
        t("The face most like the other photographs is chosen. Pick another if that is wrong.")
        if row.suggested_by_others
        else t("Click the face of the person, or use the largest one, which is chosen.")
    )
    return Markup(
        '<li class="bf-ph-group"><div class="bf-grouppick"><div class="bf-pic" style="--w:{w};--h:{h}"><img '
        'class="bf-pic__img" src="{source}" alt="{name}">{faces}</div><div class="bf-stack bf-stack--1"><div '
        'class="bf-row '
        'bf-row--wrap bf-ph-row__t">{words}<bdi class="bf-quiet bf-clip">{name}</bdi></div><p '
        'class="bf-quiet">{advice}</p>'
        '<div class="bf-row bf-row--wrap bf-ph-group__a">{use}{remove}</div></div></div></li>'
    ).format(
        w=shot.width_px,
        h=shot.height_px,
        source=shot_source(session, shot),
        name=shot.name,
        faces=join(faces),
        words=decision("warn", t("{faces}: which one to enrol?", faces=count(len(shot.templates), "face", "faces"))),
        advice=advice,
        use=button(t("Use the chosen face"), "pick", style="sm", id=shot.id, i=row.suggested),
        remove=button(t("Remove"), "remove", style="quiet sm", id=shot.id),
    )
