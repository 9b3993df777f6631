"""The question before saving: is this somebody who is enrolled already? Both faces, the similarity, two answers."""

from __future__ import annotations

from markupsafe import Markup

from reid.types import Candidate
from reid.ui.components.answers import crop_source
from reid.ui.markup import button, glyph, picture, scale
from reid.ui.text import count, t


def duplicate_question(new_source: str, new_name: str, candidate: Candidate, threshold: float, odds: str) -> Markup:
    """Saving waits for the answer.

    Args:
        new_source: where the crop of a new photograph is served.
        new_name: what that photograph is called.
    """
    identity = candidate.identity
    evidence = crop_source(candidate.photo_id) if candidate.photo_id else ""
    return Markup(
        '<section class="bf-dupq" aria-labelledby="dupq"><header class="bf-dupq__h">{sign}<div><h2 class="bf-h2" '
        'id="dupq">{title}</h2><p class="bf-quiet">{odds} {waits}</p></div></header><div class="bf-dupq__b">'
        "<figure>{new}<figcaption><b>{new_word}</b><bdi>{new_name}</bdi></figcaption></figure>"
        "<figure>{known}<figcaption><b><bdi>{name}</bdi></b>{photographs}</figcaption></figure>"
        '<div class="bf-stack bf-stack--3">{scale}<div class="bf-choice">{add}{other}</div></div></div></section>'
    ).format(
        sign=glyph("warn"),
        title=t("Is this {name}, who is enrolled already?", name=identity.name),
        odds=odds,
        waits=t("Saving waits for your answer."),
        new=picture(new_source, t("New photograph"), "128"),
        new_word=t("New"),
        new_name=new_name,
        known=picture(evidence, t("Evidence, {name}", name=identity.name), "128") if evidence else "",
        name=identity.name,
        photographs=count(identity.photo_count, "photograph", "photographs"),
        scale=scale(candidate.similarity, threshold),
        add=button(t("Add these photographs to {name}", name=identity.name), "join", icon_name="plus", id=identity.id),
        other=button(t("Enrol as a different person"), "different", icon_name="enrol", id=identity.id),
    )
