"""The candidates of the selected face: probe and evidence side by side, similarity on a line, the rest folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reid.types import Candidate, Photo
from reid.ui.components.answers import acts, crop_source, naming, rejected, resembles
from reid.ui.components.compare import face_facts
from reid.ui.components.faces import remark_words
from reid.ui.components.stage import chip_source
from reid.ui.components.verdict_form import recorded
from reid.ui.markup import button, decision, icon, join, lead_line, mini_scale, picture, scale
from reid.ui.probing import FaceView
from reid.ui.session import Session
from reid.ui.text import count, day, decimal, t

_OTHERS = 6


@dataclass(frozen=True, slots=True)
class Sources:
    """What the inspector asks for while it draws.

    Attributes:
        photos: all enrolled photographs of an identity, without reading more than is shown.
        odds: the sentence about false alarms at a similarity, bold part first.
        chance: how often a first candidate with a similarity was right; empty where nothing can be claimed.
    """

    photos: Callable[[str], Sequence[Photo]]
    odds: Callable[[float], tuple[str, str]]
    chance: Callable[[float], str]


def inspector(session: Session, views: Sequence[FaceView], sources: Sources) -> Markup:
    """The card beside the picture."""
    if not views:
        return no_face()
    view = views[min(session.face, len(views) - 1)]
    if view.assigned is None:
        body = _unsearched(view)
    elif view.potentials:
        body = _candidates(session, view, sources)
    else:
        body = _stranger(session, view, sources)
    return Markup(
        '<aside class="bf-card bf-insp" aria-label="{label}">{head}<div '
        'class="bf-insp__l">{lead}</div>{body}{recorded}{rejected}{naming}</aside>'
    ).format(
        label=t("Candidates for face {number}", number=view.number),
        head=_head(session, view, len(views)),
        lead=lead_line(),
        body=body,
        recorded=recorded(view),
        rejected=rejected(view),
        naming=naming(view),
    )


def no_face() -> Markup:
    """A photograph without faces."""
    return Markup(
        '<aside class="bf-card bf-insp" aria-label="{label}"><div class="bf-insp__l">{lead}</div>'
        '<div class="bf-stack bf-stack--3 bf-insp__b"><p><b>{what}</b></p><p class="bf-odds">{todo}</p></div></aside>'
    ).format(
        label=t("Candidates"),
        lead=lead_line(),
        what=t("No face found."),
        todo=t("Try a larger original, or a photograph in which the face is turned to the camera."),
    )


def _head(session: Session, view: FaceView, total: int) -> Markup:
    if view.kind == "candidate":
        words = decision("candidate", count(len(view.potentials), "potential candidate", "potential candidates"))
    elif view.kind == "stranger":
        words = Markup(
            '<span class="bf-row bf-row--wrap bf-row--tight">{}<span class="bf-mono bf-xs bf-quiet">{}</span></span>'
        ).format(decision("stranger", t("No candidate")), "doesn't_exist")
    else:
        words = decision("unsearched", t("Not searched"))
    step = Markup('<div class="bf-row bf-insp__nav">{}{}</div>').format(
        button("", "face", icon_name="left", style="sm icon", label=t("Previous face"), i=(view.index - 1) % total),
        button("", "face", icon_name="right", style="sm icon", label=t("Next face"), i=(view.index + 1) % total),
    )
    return Markup(
        '<header class="bf-insp__h">{picture}<div class="bf-stack bf-stack--1"><h2 class="bf-h2">{title}</h2>{words}'
        '<span class="bf-xs bf-quiet">{facts}</span></div>{step}</header>'
    ).format(
        picture=picture(
            chip_source(session, view.shot, view.index), t("Probe, face {number}", number=view.number), "64"
        ),
        title=t("Face {number} of {total}", number=view.number, total=total),
        words=words,
        facts=face_facts(view.template),
        step=step if total > 1 else "",
    )


def _candidates(session: Session, view: FaceView, sources: Sources) -> Markup:
    opened = session.opened or view.potentials[0].identity.id
    parts = [
        _entry(session, view, candidate, sources.odds(candidate.similarity)[0], rank, opened, sources)
        for rank, candidate in enumerate(view.potentials, 1)
    ]
    return join([*parts, _elsewhere(session, view, opened, sources), _below(session, view, opened, sources)])


def _entry(
    session: Session,
    view: FaceView,
    candidate: Candidate,
    words: str,
    rank: int | None,
    opened: str | None,
    sources: Sources,
) -> Markup:
    if candidate.identity.id == opened:
        return _card(session, view, candidate, rank, sources)
    return _row(session, view, candidate, words, rank)


def _card(session: Session, view: FaceView, candidate: Candidate, rank: int | None, sources: Sources) -> Markup:
    identity = candidate.identity
    photos = sources.photos(identity.id)
    evidence = next((photo for photo in photos if photo.id == candidate.photo_id), None)
    bold, rest = sources.odds(candidate.similarity)
    odds = Markup('<p class="bf-odds"><b>{}</b> {}</p>{}').format(bold, rest, _chance(view, candidate, sources))
    return Markup(
        '<article class="bf-cand"><div class="bf-cand__h">{rank}'
        '<a class="bf-cand__name bf-clip" href="?tab=gallery&amp;person={id}" data-person="{id}"><bdi>{name}</bdi></a>'
        '<span class="bf-quiet bf-end">{photos}</span></div><div class="bf-pair">{probe}{evidence}</div>'
        '<div class="bf-stack bf-cand__b">{scale}{odds}{resembles}{others}{acts}</div></article>'
    ).format(
        rank=Markup('<span class="bf-no">{}</span>').format(rank) if rank else "",
        id=identity.id,
        name=identity.name,
        photos=count(identity.photo_count, "photograph", "photographs"),
        probe=_figure(
            chip_source(session, view.shot, view.index),
            t("Probe, face {number}", number=view.number),
            t("Probe, face {number}", number=view.number),
            view.shot.name,
            "",
        ),
        evidence=_evidence(candidate, evidence, identity.photo_count),
        scale=scale(candidate.similarity, view.threshold),
        odds=odds,
        resembles=resembles(view, candidate),
        others=_others(identity.name, photos, candidate.photo_id),
        acts=acts(candidate),
    )


def _chance(view: FaceView, candidate: Candidate, sources: Sources) -> Markup:
    """Only of the search's own first candidate: other scores, or those after one was rejected, mean something else."""
    first = view.assigned.result.candidates[0] if view.assigned else None
    words = sources.chance(candidate.similarity) if candidate is first and not view.rejected else ""
    if not words:
        return Markup("")
    return Markup('<p class="bf-odds">{} <a href="?tab=threshold" data-tab="threshold">{}</a></p>').format(
        words, t("Assume another share")
    )


def _figure(source: str, alternative: str, heading: str, first: str, second: str) -> Markup:
    return Markup(
        '<figure>{}<figcaption><b>{}</b><span class="bf-clip"><bdi>{}</bdi></span><span>{}</span></figcaption></figure>'
    ).format(picture(source, alternative), heading, first, second)


def _evidence(candidate: Candidate, photo: Photo | None, total: int) -> Markup:
    if candidate.photo_id is None:
        return Markup('<figure><p class="bf-note">{}</p></figure>').format(t("This gallery keeps no photographs."))
    return _figure(
        crop_source(candidate.photo_id),
        t("Evidence photograph of {name}", name=candidate.identity.name),
        t("Evidence, nearest of {total}", total=total) if total > 1 else t("Evidence"),
        photo.source if photo else "",
        day(photo.added_at) if photo else "",
    )


def _others(name: str, photos: Sequence[Photo], evidence: str | None) -> Markup:
    """The person's other photographs, the evidence first and marked."""
    if len(photos) < 2:
        return Markup("")
    ordered = sorted(photos, key=lambda photo: photo.id != evidence)
    shown = [
        picture(
            crop_source(photo.id),
            t("Photograph {source}", source=photo.source),
            "40",
            extra=' aria-current="true"' if photo.id == evidence else "",
        )
        for photo in ordered[:_OTHERS]
    ]
    more = len(photos) - len(shown)
    tail = Markup('<span class="bf-others__more">+{}</span>').format(more) if more > 0 else Markup("")
    return Markup('<div class="bf-others" role="group" aria-label="{}">{}{}</div>').format(
        t("Other photographs of {name}", name=name), join(shown), tail
    )


def _row(session: Session, view: FaceView, candidate: Candidate, words: str, rank: int | None) -> Markup:
    number = Markup('<span class="bf-no bf-no--quiet">{}</span>').format(rank) if rank else Markup("<span></span>")
    evidence = (
        picture(crop_source(candidate.photo_id), t("Evidence, {name}", name=candidate.identity.name), "40")
        if candidate.photo_id
        else Markup("")
    )
    return Markup(
        '<button type="button" class="bf-candrow" data-act="open" data-id="{id}"><span '
        'class="bf-twin">{probe}{evidence}'
        '</span>{number}<span class="bf-stack bf-stack--1"><bdi class="bf-candrow__n bf-clip">{name}</bdi>'
        '<span class="bf-xs bf-quiet">{words}</span></span><span '
        'class="bf-candrow__s"><b>{similarity}</b>{scale}</span>'
        "{arrow}</button>"
    ).format(
        id=candidate.identity.id,
        probe=picture(chip_source(session, view.shot, view.index), t("Probe, face {number}", number=view.number), "40"),
        evidence=evidence,
        number=number,
        name=candidate.identity.name,
        words=words,
        similarity=decimal(candidate.similarity),
        scale=mini_scale(candidate.similarity, view.threshold),
        arrow=icon("right"),
    )


def _elsewhere(session: Session, view: FaceView, opened: str | None, sources: Sources) -> Markup:
    if view.assigned is None or not view.assigned.elsewhere:
        return Markup("")
    rows = join(
        _entry(session, view, candidate, t("Fits face {number} better", number=face + 1), None, opened, sources)
        for candidate, face in view.assigned.elsewhere
    )
    return Markup('<h3 class="bf-h3 bf-insp__h3">{}</h3>{}').format(t("Given to another face"), rows)


def _below(session: Session, view: FaceView, opened: str | None, sources: Sources) -> Markup:
    """Folded away, but where nobody reaches the threshold or one of them is looked at."""
    if not view.below:
        return Markup("")
    stranger = view.kind == "stranger"
    unfolded = stranger or any(candidate.identity.id == opened for candidate in view.below)
    rows = join(_entry(session, view, c, _below_words(c, sources), None, opened, sources) for c in view.below)
    words = "{number} nearest below the threshold" if stranger else "{number} more below the threshold"
    return Markup('<details class="bf-fold"{open}><summary>{icon}{words}</summary>{rows}</details>').format(
        open=Markup(" open") if unfolded else "", icon=icon("right"), words=t(words, number=len(view.below)), rows=rows
    )


def _below_words(candidate: Candidate, sources: Sources) -> str:
    words, counted = sources.odds(candidate.similarity)
    return words if counted else t("Below the threshold")


def _stranger(session: Session, view: FaceView, sources: Sources) -> Markup:
    if view.candidates:
        words = t(
            "Nobody enrolled reaches the threshold of {threshold} with this face.", threshold=decimal(view.threshold)
        )
    else:
        words = t("Nobody is enrolled yet, so there is nobody to find.")
    return Markup('<div class="bf-stack bf-stack--3 bf-insp__b"><p>{}</p><p class="bf-odds">{}</p></div>{}{}').format(
        words,
        t("That does not prove absence: an enrolled person can be missed on a small, blurred or turned face."),
        _elsewhere(session, view, session.opened, sources),
        _below(session, view, session.opened, sources),
    )


def _unsearched(view: FaceView) -> Markup:
    assert view.reason is not None
    return Markup('<div class="bf-stack bf-stack--3 bf-insp__b"><p>{}</p><p class="bf-odds">{}</p></div>').format(
        remark_words(view.reason.words, view.reason.value, view.reason.limit_value) + ".",
        t("A comparison would say nothing. Try a larger or sharper original of this photograph."),
    )
