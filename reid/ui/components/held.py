"""The question before everything that is held about a person is taken away: for whom, and what for."""

from __future__ import annotations

from markupsafe import Markup

from reid.types import Identity
from reid.ui.markup import icon
from reid.ui.text import t

HELD = "held-dialog"


def held_dialog(identity: Identity) -> Markup:
    """The answers go into the audit log with the download."""
    return Markup(
        '<div class="bf-modal" id="{id}" hidden><section class="bf-dialog bf-dialog--sm" role="dialog" '
        'aria-modal="true" aria-labelledby="{id}-h"><form action="people/{person}/everything.zip" method="get" '
        'data-dialog-submit><div class="bf-dialog__b bf-stack bf-stack--4"><div><h2 class="bf-h2" id="{id}-h">{title}'
        '</h2><p class="bf-quiet">{text}</p></div><label><span class="bf-label">{for_whom}</span><input '
        'class="bf-input" name="recipient" autocomplete="off" maxlength="200"></label><label><span '
        'class="bf-label">{why}</span><input class="bf-input" name="purpose" autocomplete="off" maxlength="200">'
        '</label></div><footer class="bf-dialog__f bf-dialog__f--end"><button type="button" class="bf-btn" '
        "data-dialog-close>{cancel}</button><button "
        'class="bf-btn bf-btn--primary">{icon}{take}</button></footer></form></section></div>'
    ).format(
        id=HELD,
        person=identity.id,
        title=t("Everything held about {name}", name=identity.name),
        text=t(
            "One file: the crops, what was computed from them, the record, remembered answers, kept faces that look "
            "alike, and the log about this person."
        ),
        for_whom=t("Who is to have it"),
        why=t("What for"),
        cancel=t("Cancel"),
        icon=icon("download"),
        take=t("Download"),
    )
