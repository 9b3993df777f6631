"""Live: the video's frame, the boxes over it, and what is said about each face."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from reid.images import encode_jpeg
from reid.live import STEADY_FRAMES
from reid.ui.components.answers import crop_source
from reid.ui.components.compare import face_facts
from reid.ui.components.faces import remark_words
from reid.ui.components.stage import outlines
from reid.ui.components.tags import Box, place_tags
from reid.ui.markup import decision, glyph, icon, join, lead_line, picture, scale
from reid.ui.text import count, decimal, t

if TYPE_CHECKING:
    from reid.ui.live import Seen

Odds = Callable[[float], tuple[str, str]]


def live_shell() -> Markup:
    """Everything but what changes; hidden until somebody starts it."""
    return Markup(
        '<div class="bf-live" hidden><div class="bf-bar"><div class="bf-bar__t"><h1 class="bf-h1">{title}</h1>'
        '<p class="bf-quiet"><span data-live-rate data-words="{rate}"></span> {kept}</p></div><div class="bf-bar__a">'
        '<button type="button" class="bf-btn" data-live-keep>{image}{keep}</button>'
        '<button type="button" class="bf-btn" data-live-stop>{stop_icon}{stop}</button></div></div>'
        '<div class="bf-probe"><div class="bf-frame"><div class="bf-pic" style="--w:640;--h:480">'
        '<video class="bf-pic__img" playsinline muted aria-label="{picture}"></video>'
        '<canvas class="bf-live__frame" aria-hidden="true" hidden></canvas>'
        '<div class="bf-live__over" data-live-over></div><span class="bf-livetag"><i></i>{on}</span></div></div>'
        "<div data-live-panel></div></div></div>"
    ).format(
        title=t("Webcam"),
        rate=t("Searching {rate} frames a second;"),
        kept=t("nothing is recorded."),
        image=icon("image"),
        keep=t("Keep this frame"),
        stop_icon=icon("stop"),
        stop=t("Stop"),
        picture=t("Picture of the webcam"),
        on=t("Live: the camera is on"),
    )


def boxes(seen: Sequence[Seen], width_px: int, height_px: int) -> Markup:
    """Boxes and labels over the video; the panel says the same to whoever hears the page."""
    places = [Box.of(one.track.latest.face.box_px, width_px, height_px) for one in seen]
    words = [_WORDS[one.kind]() for one in seen]
    tags = place_tags(places, [len(word) for word in words], width_px, height_px)
    faces = join(
        Markup('<g class="face {}">{}</g>').format(one.kind, outlines(box, ("halo", "line")))
        for one, box in zip(seen, places, strict=True)
    )
    labels = join(
        Markup(
            '<div class="bf-tag bf-tag--{kind} bf-tag--{place}" style="left:{x:.2f}%;top:{y:.2f}%" aria-hidden="true">'
            "<b>{number}</b>{glyph}<span>{word}</span></div>"
        ).format(
            kind=one.kind,
            place=place.name,
            x=place.x * 100,
            y=place.y * 100,
            number=one.track.number,
            glyph=glyph(one.kind),
            word=word,
        )
        for one, place, word in zip(seen, tags, words, strict=True)
    )
    return Markup('<svg class="bf-over" viewBox="0 0 {} {}" aria-hidden="true">{}</svg>{}').format(
        width_px, height_px, faces, labels
    )


_WORDS: dict[str, Callable[[], str]] = {
    "candidate": lambda: t("Candidate"),
    "stranger": lambda: t("No candidate"),
    "unsearched": lambda: t("Not searched"),
}


def panel(shown: Sequence[Seen], odds: Odds) -> Markup:
    """What is said about the largest faces."""
    if not shown:
        body = Markup(
            '<div class="bf-stack bf-stack--3 bf-insp__b"><p><b>{}</b></p><p class="bf-odds">{}</p></div>'
        ).format(t("No face in the picture."), t("Hold the camera so that the face is turned to it and well lit."))
    else:
        body = join(_card(one, odds) for one in shown)
    return Markup('<aside class="bf-card bf-insp" aria-label="{}"><div class="bf-insp__l">{}</div>{}</aside>').format(
        t("Faces in front of the camera"), lead_line(), body
    )


def _card(one: Seen, odds: Odds) -> Markup:
    number = one.track.number
    head = Markup(
        '<div class="bf-cand__h"><span class="bf-no">{}</span><bdi class="bf-cand__name bf-clip">{}</bdi><span '
        'class="bf-end">{}</span></div>'
    ).format(
        number,
        one.said.identity.name if one.said else t("Face {number}", number=number),
        decision(one.kind, t("Potential candidate") if one.kind == "candidate" else _WORDS[one.kind]()),
    )
    own = Markup('<div data-part="own-{}">{}</div>').format(number, _own(one))
    moving = Markup('<div class="bf-stack" data-part="score-{}">{}</div>').format(number, _score(one, odds))
    if one.said is None:
        return Markup('<article class="bf-cand">{}<div class="bf-live__one">{}{}</div></article>').format(
            head, own, moving
        )
    evidence = (
        picture(crop_source(one.said.photo_id), t("Evidence photograph of {name}", name=one.said.identity.name))
        if one.said.photo_id
        else Markup('<p class="bf-note">{}</p>').format(t("This gallery keeps no photographs."))
    )
    return Markup(
        '<article class="bf-cand">{head}<div class="bf-pair"><figure>{own}<figcaption><b>{best}</b></figcaption>'
        "</figure><figure>{evidence}<figcaption><b>{word}</b></figcaption></figure></div>{moving}</article>"
    ).format(
        head=head,
        own=own,
        best=t("Best frame of the last moments"),
        evidence=evidence,
        word=t("Evidence, nearest of {total}", total=one.said.identity.photo_count),
        moving=moving,
    )


def parts(shown: Sequence[Seen], odds: Odds) -> dict[str, str]:
    """What changes from frame to frame inside a panel that stays: by the part's name."""
    found: dict[str, str] = {}
    for one in shown:
        found[f"own-{one.track.number}"] = _own(one)
        found[f"score-{one.track.number}"] = _score(one, odds)
    return found


def _own(one: Seen) -> Markup:
    jpeg = base64.b64encode(encode_jpeg(one.track.best.chip, 85)).decode()
    return picture(f"data:image/jpeg;base64,{jpeg}", t("Face {number}", number=one.track.number))


def _score(one: Seen, odds: Odds) -> Markup:
    facts = Markup('<p class="bf-xs bf-quiet">{}</p>').format(face_facts(one.track.latest))
    if one.kind == "unsearched":
        assert one.view.reason is not None
        reason = one.view.reason
        return Markup("{}<p>{}</p>").format(facts, remark_words(reason.words, reason.value, reason.limit_value) + ".")
    if one.said is None:
        nearest = one.view.candidates[0].similarity if one.view.candidates else None
        words = (
            t("Nearest {similarity}", similarity=decimal(nearest)) if nearest is not None else t("Nobody is enrolled")
        )
        return Markup('{}<p class="bf-quiet">{}</p>{}').format(facts, words, _frames(one))
    bold, rest = odds(one.said.similarity)
    return Markup('{}<p class="bf-odds"><b>{}</b> {}</p>{}{}').format(
        scale(one.said.similarity, one.view.threshold), bold, rest, _frames(one), facts
    )


def _frames(one: Seen) -> Markup:
    """The last frames as marks, and when the answer would change."""
    answer, recent = one.track.answer or "", list(one.track.recent)
    if len(recent) < 2:
        return Markup("")
    alike = sum(proposal == answer for proposal in recent)
    marks = join(Markup('<i class="{}"></i>').format("c" if proposal == answer else "s") for proposal in recent)
    return Markup(
        '<div class="bf-frames"><span class="bf-frames__t" aria-hidden="true">{}</span><span class="bf-quiet">{}</span>'
        "</div>"
    ).format(
        marks,
        t(
            "So in {alike} of the last {frames}; another answer must stand in {steady}.",
            alike=alike,
            frames=count(len(recent), "frame", "frames"),
            steady=STEADY_FRAMES,
        ),
    )
