"""What takes a gallery away and brings it back: a menu, and the question before a backup takes everybody's place."""

from __future__ import annotations

from markupsafe import Markup

from reid.ui.components.shell import pick_button
from reid.ui.markup import icon
from reid.ui.text import t

RESTORE_FILES = "restore-files"
_DIALOG = "restore-dialog"


def import_button(words: str, *, fold: bool = True) -> Markup:
    """Goes to where many people are enrolled; with `fold` only its icon is left on a phone."""
    return Markup(
        '<button type="button" class="bf-btn" data-tab="enrol" data-part="many" aria-label="{0}">{1}<span{2}>{0}</span>'
        "</button>"
    ).format(words, icon("folder"), Markup(' class="bf-fold-words"') if fold else "")


def export_menu() -> Markup:
    """The whole gallery as one file, who is in it as a table, and the way back."""
    link = Markup('<a class="bf-btn bf-btn--quiet" href="{}" download>{}</a>')
    return Markup(
        '<details class="bf-menu" data-exports><summary class="bf-btn" aria-label="{0}">{1}<span '
        'class="bf-fold-words">{0}</span></summary><div class="bf-menu__b bf-card">{2}{3}{4}</div></details>'
    ).format(
        t("Export"),
        icon("download"),
        link.format("gallery/people.byteface", t("Everything, as one file")),
        link.format("gallery/people.csv", t("People as a table, CSV")),
        restore_button("bf-btn--quiet"),
    )


def restore_button(style: str = "") -> Markup:
    """Opens the question."""
    return Markup('<button type="button" class="bf-btn {}" data-dialog="{}">{}{}</button>').format(
        style, _DIALOG, icon("undo"), t("Restore a backup")
    )


def restore_dialog() -> Markup:
    """Says what a backup does before a file is chosen; the file itself is checked when it has come."""
    text = t(
        "It takes the place of everybody who is enrolled here. The gallery of before is kept beside it, and Undo "
        "brings it back."
    )
    foot = Markup(
        '<footer class="bf-dialog__f bf-dialog__f--end"><button type="button" class="bf-btn" '
        "data-dialog-close>{}</button>{}</footer>"
    ).format(t("Cancel"), pick_button(t("Choose the file"), RESTORE_FILES, "upload", "primary"))
    return _dialog(t("Restore a backup?"), Markup("<p>{}</p>").format(text), foot, hidden=True)


def restore_busy() -> Markup:
    """While a backup is checked: a large one takes a while."""
    body = Markup('<p class="bf-row" role="status"><span class="bf-spin"></span>{}</p>').format(
        t("All of it is checked before anything is changed.")
    )
    return _dialog(t("Restoring"), body, Markup(""), hidden=False)


def _dialog(title: str, body: Markup, foot: Markup, *, hidden: bool) -> Markup:
    return Markup(
        '<div class="bf-modal" id="{id}"{hidden}><section class="bf-dialog bf-dialog--sm" role="dialog" '
        'aria-modal="true" aria-labelledby="{id}-h"><header class="bf-dialog__h"><h2 class="bf-h2 bf-grow" '
        'id="{id}-h">{title}</h2></header><div class="bf-dialog__b">{body}</div>{foot}</section></div>'
    ).format(id=_DIALOG, title=title, body=body, foot=foot, hidden=Markup(" hidden") if hidden else "")
