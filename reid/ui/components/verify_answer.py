"""The Verify tab's answer: the two faces beside each other, what their similarity means, and the compare dialog."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from reid.types import Photo
from reid.ui.components.compare import Still, dialog, evidence_still, face_facts, score
from reid.ui.components.faces import remark_words
from reid.ui.components.stage import chip_source
from reid.ui.markup import button, decision, lead_line, picture, scale
from reid.ui.session import Session, Shot
from reid.ui.text import count, t
from reid.ui.verifying import Sides
from reid.verdicts import Remark
from reid.verification import PersonVerification, Verification

Odds = Callable[[float], tuple[str, str]]


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
