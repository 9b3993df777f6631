"""Two faces over the whole page: side by side, curtain, overlay, blink; one zoom for both. Leafing, zooming and
changing views run in the browser.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reid.types import Candidate, Photo, Template
from reid.ui.components.answers import crop_source
from reid.ui.components.faces import remark_words
from reid.ui.components.stage import chip_source
from reid.ui.components.verdict_form import verdict_form
from reid.ui.markup import icon, join, lead_line, scale
from reid.ui.probing import FaceView
from reid.ui.session import Session
from reid.ui.text import day, t
from reid.verdicts import described

_VIEWS = (("side", "compare", "Side by side"), ("curtain", "curtain", "Curtain"), ("overlay", "overlay", "Overlay"),
          ("blink", "blink", "Blink"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Still:
    """One face of the dialog.

    Attributes:
        source: where its crop is served.
        alternative: what it shows, for whoever hears the page.
        tag: the word in its corner.
        file: what its photograph is called.
        about: one more fact, its name first.
    """

    source: str
    alternative: str
    tag: str
    file: str
    about: tuple[str, str]


def evidence_still(photo: Photo, name: str) -> Still:
    """An enrolled photograph of somebody."""
    return Still(
        crop_source(photo.id),
        t("Evidence, {name}", name=name),
        t("Evidence"),
        photo.source,
        (t("Enrolled"), day(photo.added_at)),
    )


def face_facts(template: Template) -> str:
    """Size, sharpness and turn in words, as one sentence without its full stop."""
    parts = [remark_words(remark.words, remark.value, remark.limit_value) for remark in described(template)]
    return ", ".join([parts[0], *(part[:1].lower() + part[1:] for part in parts[1:])])


def compare(session: Session, view: FaceView, candidate: Candidate, photos: Sequence[Photo], odds: str) -> Markup:
    """The dialog of a search, open at the evidence photograph.

    Args:
        photos: all of the candidate's; the dialog leafs through them.
        odds: the sentence about false alarms at the candidate's similarity.
    """
    name = candidate.identity.name
    probe = Still(
        chip_source(session, view.shot, view.index),
        t("Probe, face {number}", number=view.number),
        t("Probe"),
        view.shot.name,
        (t("Face"), face_facts(view.template)),
    )
    return dialog(
        "compare-dialog",
        t("Compare face {number} with {name}", number=view.number, name=name),
        probe,
        [evidence_still(photo, name) for photo in photos],
        _verdict(view, candidate, odds),
        max((index for index, photo in enumerate(photos) if photo.id == candidate.photo_id), default=0),
    )


def dialog(elem_id: str, title: str, left: Still, right: Sequence[Still], verdict: Markup, shown: int = 0) -> Markup:
    """The dialog, open.

    Args:
        elem_id: of the dialog; two that may be on one page need two.
        left: stays.
        right: leafed through.
        verdict: what stands beside the views.
        shown: which of `right` is shown first.
    """
    shots = [{"src": one.source, "source": one.file, "day": one.about[1]} for one in right]
    return Markup(
        '<div class="bf-modal" id="{id}" data-n="{nonce}"><section class="bf-dialog bf-dialog--lg" '
        'role="dialog" aria-modal="true" aria-labelledby="{id}-title" data-shown="{shown}" '
        'data-photos="{photos}">{head}<div class="bf-cmp" data-mode="side">{left}{right}</div><footer '
        'class="bf-dialog__f">{lead}</footer></section></div>'
    ).format(
        id=elem_id,
        nonce=uuid.uuid4().hex[:8],  # what was closed in the browser opens again
        shown=shown,
        photos=json.dumps(shots),
        head=_head(elem_id, title, shown, len(right)),
        left=_views(left, right[shown]),
        right=Markup('<div class="bf-cmp__r bf-stack bf-stack--4">{}</div>').format(verdict),
        lead=lead_line(),
    )


def score(similarity: float, threshold: float, odds: str) -> Markup:
    """The similarity on its line, which can stay covered until somebody has looked."""
    return Markup(
        '<div class="bf-cmp__score">{scale}<p class="bf-odds">{odds}</p></div>'
        '<label class="checkbox-container bf-cmp__hide"><input type="checkbox" data-hide><span>{hide}</span></label>'
    ).format(scale=scale(similarity, threshold), odds=odds, hide=t("Hide the similarity until I have answered"))


def _head(elem_id: str, title: str, shown: int, total: int) -> Markup:
    def step(icon_name: str, label: str, by: int) -> Markup:
        return Markup(
            '<button type="button" class="bf-btn bf-btn--sm bf-btn--icon" data-leaf="{}" aria-label="{}">{}</button>'
        ).format(by, label, icon(icon_name))

    leaf = Markup(
        '<div class="bf-row bf-row--tight bf-dialog__nav"><span class="bf-quiet bf-num">{word} <span '
        "data-number>{n}</span> "
        "{of}</span>{back}{next}</div>"
    ).format(
        word=t("Photograph"),
        n=shown + 1,
        of=t("of {total}", total=total),
        back=step("left", t("Previous photograph"), -1),
        next=step("right", t("Next photograph"), 1),
    )
    return Markup(
        '<header class="bf-dialog__h"><div class="bf-grow"><h2 class="bf-h2" id="{id}-title">{title}</h2></div>{leaf}'
        '<button type="button" class="bf-btn bf-btn--quiet bf-btn--icon" data-dialog-close aria-label="{close}">{x}'
        "</button></header>"
    ).format(
        id=elem_id,
        title=title,
        leaf=leaf if total > 1 else "",
        close=t("Close"),
        x=icon("close"),
    )


def _views(left: Still, right: Still) -> Markup:
    probe, evidence = (
        Markup('<img class="bf-cmp__img"{} src="{}" alt="{}" draggable="false">').format(
            mark, one.source, one.alternative
        )
        for mark, one in ((Markup(""), left), (Markup(" data-evidence"), right))
    )
    return Markup(
        '<div class="bf-cmp__l"><div class="bf-cmp__tools">{modes}<label class="bf-end">{zoom}<input '
        'class="bf-range--plain" type="range" min="1" max="4" step=".1" value="1" data-zoom></label>'
        '<label class="only-overlay">{opacity}<input class="bf-range--plain" type="range" min="0" max="100" value="50" '
        'data-mix></label><button type="button" class="bf-btn bf-btn--sm only-blink" data-blink>{swap} '
        "<kbd>{space}</kbd>"
        '</button></div><div class="bf-cmp__stage"><div class="bf-cmp__pane">{probe}<span '
        'class="bf-cmp__tag">{probe_word}'
        '</span></div><div class="bf-cmp__pane">{evidence}<span class="bf-cmp__tag">{evidence_word}</span></div></div>'
        '<div class="bf-cmp__one"><div class="bf-cmp__pane">{probe}<div class="bf-cmp__layer">{evidence}</div>'
        '<span class="bf-cmp__tag">{probe_word}</span><span class="bf-cmp__tag '
        'bf-cmp__tag--r">{evidence_word}</span></div>'
        '<div class="bf-cmp__cut" role="slider" tabindex="0" aria-label="{curtain}" aria-valuemin="0" '
        'aria-valuemax="100" '
        'aria-valuenow="50"></div></div><div class="bf-cmp__cap"><dl class="bf-facts"><dt>{file}</dt><dd '
        'class="bf-clip">'
        '<bdi>{left_file}</bdi></dd><dt>{left_word}</dt><dd>{left_about}</dd></dl><dl class="bf-facts"><dt>{file}</dt>'
        '<dd class="bf-clip"><bdi data-source>{right_file}</bdi></dd><dt>{right_word}</dt><dd '
        "data-day>{right_about}</dd></dl></div></div>"
    ).format(
        modes=_modes(),
        zoom=t("Zoom"),
        opacity=t("Opacity"),
        swap=t("Swap"),
        space=t("Space"),
        probe=probe,
        evidence=evidence,
        probe_word=left.tag,
        evidence_word=right.tag,
        curtain=t("Curtain"),
        file=t("File"),
        left_file=left.file,
        left_word=left.about[0],
        left_about=left.about[1],
        right_file=right.file,
        right_word=right.about[0],
        right_about=right.about[1],
    )


def _modes() -> Markup:
    return Markup('<div class="bf-seg" role="group" aria-label="{}">{}</div>').format(
        t("View"),
        join(
            Markup('<button type="button" data-mode-btn="{}" aria-pressed="{}">{}{}</button>').format(
                mode, "true" if mode == "side" else "false", icon(icon_name), t(words)
            )
            for mode, icon_name, words in _VIEWS
        ),
    )


def _verdict(view: FaceView, candidate: Candidate, odds: str) -> Markup:
    """The answer first; the similarity can stay covered until then."""
    return Markup('{}{}<p class="bf-xs bf-quiet" data-seen>{}</p>').format(
        verdict_form(candidate),
        score(candidate.similarity, view.threshold, odds),
        t("The similarity was on screen this time. The record says so."),
    )
