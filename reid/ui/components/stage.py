"""The photograph with every face boxed, numbered and labelled, and the photographs of the session beside it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reid.ui.components.tags import Box, Tags, lay_tags
from reid.ui.markup import decision, glyph, icon, join
from reid.ui.probing import FaceView
from reid.ui.session import Session, Shot
from reid.ui.text import count, decimal, t


def shot_source(session: Session, shot: Shot) -> str:
    """Where the picture of a photograph is served."""
    return f"probes/{session.id}/{shot.id}.jpg"


def chip_source(session: Session, shot: Shot, face: int) -> str:
    """Where the upright crop of one of its faces is served."""
    return f"probes/{session.id}/{shot.id}/{face}.jpg"


def probe_actions(session_id: str, threshold: float, k: int) -> Markup:
    """What can be done with the photographs: draw, take the result away, add more."""
    links = join(
        Markup(
            '<a class="bf-btn bf-btn--quiet" href="probes/{}/result.{}?threshold={:.6f}&amp;k={}" download>{}</a>'
        ).format(session_id, kind, threshold, k, words)
        for kind, words in (("csv", t("Table, CSV")), ("json", t("All details, JSON")), ("jpg", t("Annotated picture")))
    )
    download = Markup(
        '<details class="bf-menu"><summary class="bf-btn" aria-label="{0}">{1}<span '
        'class="bf-fold-words">{0}</span></summary>'
        '<div class="bf-menu__b bf-card">{2}</div></details>'
    ).format(t("Download"), icon("download"), links)
    draw = Markup(
        '<button type="button" class="bf-btn" data-draw aria-pressed="false" aria-label="{0}">{1}<span '
        'class="bf-fold-words">{0}</span></button>'
    ).format(t("Draw a missed face"), icon("draw"))
    camera = Markup(
        '<button type="button" class="bf-btn" data-camera="probe-files" aria-label="{0}">{1}<span '
        'class="bf-fold-words">{0}</span></button>'
    ).format(t("Webcam"), icon("camera"))
    live = Markup(
        '<button type="button" class="bf-btn" data-live aria-label="{0}">{1}<span '
        'class="bf-fold-words">{0}</span></button>'
    ).format(t("Live"), icon("live"))
    add = Markup('<button type="button" class="bf-btn" data-pick="probe-files">{}{}</button>').format(
        icon("upload"), t("Add photographs")
    )
    return Markup('<div class="bf-bar__a">{}{}{}{}{}</div>').format(draw, download, camera, live, add)


def title(session: Session, views: Sequence[FaceView]) -> Markup:
    """The photograph's name and what was decided about its faces, in numbers and words."""
    shot = session.shot
    if shot is None:
        return Markup("")
    kinds = [view.kind for view in views]
    parts = [Markup('<span class="bf-quiet bf-wide">{}</span>').format(count(len(views), "face", "faces"))]
    for kind, one, many in (
        ("candidate", "potential candidate", "potential candidates"),
        ("stranger", "no candidate", "no candidate"),
        ("unsearched", "not searched", "not searched"),
    ):
        if number := kinds.count(kind):  # type: ignore[arg-type]
            parts.append(decision(kind, count(number, one, many)))
    return Markup(
        '<div class="bf-bar__t"><h1 class="bf-h1 bf-clip"><bdi>{}</bdi></h1>'
        '<div class="bf-row bf-row--wrap bf-tally">{}</div></div>'
    ).format(shot.name, join(parts))


def stage(session: Session, views: Sequence[FaceView]) -> Markup:
    """Rail and picture."""
    shot = session.shot
    if shot is None:
        return Markup("")
    return Markup(
        '<div class="bf-stage">{rail}<div class="bf-framed"><div class="bf-frame">{pic}</div>{zoom}</div></div>'
    ).format(rail=_rail(session), pic=_picture(session, shot, views), zoom=_zoom())


def _zoom() -> Markup:
    def one(words: str, icon_name: str, factor: float) -> Markup:
        return Markup('<button type="button" data-zoomby="{}" aria-label="{}">{}</button>').format(
            factor, words, icon(icon_name)
        )

    return Markup('<div class="bf-zoom">{}{}</div>').format(
        one(t("Zoom out"), "minus", 2 / 3), one(t("Zoom in"), "plus", 1.5)
    )


def _rail(session: Session) -> Markup:
    items = [
        Markup(
            '<button type="button" data-act="show" data-id="{id}"{current} aria-label="{label}">'
            '<img src="{source}" alt="" draggable="false"><span class="bf-rail__n">{faces}</span></button>'
        ).format(
            id=shot.id,
            current=Markup(' aria-current="true"') if shot.id == session.current else "",
            label=f"{shot.name}, {count(len(shot.templates), 'face', 'faces')}",
            source=shot_source(session, shot),
            faces=len(shot.templates),
        )
        for shot in session.shots.values()
    ]
    add = Markup(
        '<button type="button" class="bf-rail__add" data-pick="probe-files" aria-label="{}">{}</button>'
    ).format(t("Add photographs"), icon("plus"))
    return Markup('<div class="bf-rail" role="group" aria-label="{}">{}{}</div>').format(
        t("Photographs of this session"), join(items), add
    )


def _picture(session: Session, shot: Shot, views: Sequence[FaceView]) -> Markup:
    boxes = [Box.of(view.template.face.box_px, shot.width_px, shot.height_px) for view in views]
    words = [_tag_words(view) for view in views]
    tags = lay_tags(boxes, [len(word) for word in words], shot.width_px, shot.height_px, session.face)
    return Markup(
        '<div class="bf-pic bf-pic--{style}" style="--w:{w};--h:{h}" data-drop="probe-files">'
        '<img class="bf-pic__img" src="{source}" width="{w}" height="{h}" alt="{name}" draggable="false">'
        '<svg class="bf-over" viewBox="0 0 {w} {h}" role="group" aria-label="{label}">{dim}{faces}</svg>{tags}</div>'
    ).format(
        w=shot.width_px,
        h=shot.height_px,
        source=shot_source(session, shot),
        name=shot.name,
        label=t("Faces in {name}", name=shot.name),
        dim=_dim(shot, boxes[session.face]) if len(boxes) > 1 and session.face < len(boxes) else "",
        faces=join(_face(view, box, view.index == session.face) for view, box in zip(views, boxes, strict=True)),
        style=tags.style,
        tags=_tags(views, words, [box.width / shot.width_px for box in boxes], tags, session.face),
    )


def _dim(shot: Shot, box: Box) -> Markup:
    """All of the picture but the chosen face, darkened."""
    return Markup('<path class="dim" d="M0 0h{w}v{h}H0ZM{x:.0f} {y:.0f}v{bh:.0f}h{bw:.0f}v-{bh:.0f}Z"/>').format(
        w=shot.width_px, h=shot.height_px, x=box.left, y=box.top, bw=box.width, bh=box.height
    )


def face_words(view: FaceView) -> str:
    """The decision in one line, for whoever hears the page."""
    given = view.assigned.given if view.assigned else None
    if given:
        return t(
            "Face {number}: Potential candidate, {name}, similarity {similarity}",
            number=view.number,
            name=given.identity.name,
            similarity=decimal(given.similarity),
        )
    words = t("No candidate") if view.kind == "stranger" else t("Not searched")
    return t("Face {number}: {words}", number=view.number, words=words)


def outlines(box: Box, parts: Sequence[str]) -> Markup:
    """The rectangles that a face's box is drawn with, by their classes."""
    return join(
        Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{:.1f}"/>').format(
            part, box.left, box.top, box.width, box.height, box.width * 0.045
        )
        for part in parts
    )


def _face(view: FaceView, box: Box, selected: bool) -> Markup:
    return Markup(
        '<g class="face {kind}{sel}" role="button" tabindex="0" data-act="face" data-i="{index}" '
        'aria-pressed="{pressed}" aria-label="{label}">{rects}</g>'
    ).format(
        kind=view.kind,
        sel=" sel" if selected else "",
        index=view.index,
        pressed="true" if selected else "false",
        label=face_words(view),
        rects=outlines(box, ("hit", "halo", "line")),
    )


def _tag_words(view: FaceView) -> str:
    return {"candidate": t("Candidate"), "stranger": t("No candidate"), "unsearched": t("Not searched")}[view.kind]


def _tags(
    views: Sequence[FaceView], words: Sequence[str], widths: Sequence[float], tags: Tags, selected: int
) -> Markup:
    """The labels. Each knows its face's share of the picture's width: a number too wide for its face is not shown."""
    return join(
        Markup(
            '<div class="bf-tag bf-tag--{kind} bf-tag--{place}{sel}" aria-hidden="true" '
            'style="left:{x:.2f}%;top:{y:.2f}%;--b:{width:.3f}"><b>{number}</b>{glyph}<span>{word}</span></div>'
        ).format(
            kind=view.kind,
            place=place.name,
            sel=" bf-tag--sel" if view.index == selected else "",
            x=place.x * 100,
            y=place.y * 100,
            width=width,
            number=view.number,
            glyph=glyph(view.kind),
            word=word,
        )
        for view, place, word, width in zip(views, tags.places, words, widths, strict=True)
    )
