"""What frames every tab: brand and gallery in use, toasts, progress, drop zones and empty states."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from markupsafe import Markup

from reid.actor import LOCAL, Actor, Role
from reid.ui.markup import button, glyph, icon, join
from reid.ui.roles import TABS
from reid.ui.text import count, t

BRAND = Markup(
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 '
    "16v3a2 2 0 0 1"
    '-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>'
    '<path d="M12 6.8 17.2 12 12 17.2 6.8 12Z" fill="currentColor"/></svg>'
)

_CROWD = Markup(
    '<svg viewBox="0 0 132 88" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">'
    '<rect x="10" y="8" width="112" height="72" rx="6"/><circle cx="40" cy="44" r="11"/><circle cx="68" '
    'cy="38" r="11"/>'
    '<circle cx="96" cy="46" r="11"/><path d="M22 80c2-14 10-20 18-20s16 6 18 20M50 80c2-18 10-26 18-26s16 8 '
    "18 26M78 80"
    'c2-13 10-18 18-18s16 5 18 18"/><g stroke="var(--bf-accent)" stroke-width="2.2" stroke-linecap="round">'
    '<path d="M53 30v-5a3 3 0 0 1 3-3h5M75 22h5a3 3 0 0 1 3 3v5M83 46v5a3 3 0 0 1-3 3h-5M61 54h-5a3 3 0 0 1-3-3v-5"/>'
    "</g></svg>"
)

_CARDS = Markup(
    '<svg viewBox="0 0 132 88" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">'
    '<rect x="14" y="14" width="30" height="30" rx="4"/><rect x="51" y="14" width="30" height="30" rx="4"/>'
    '<rect x="88" y="14" width="30" height="30" rx="4" stroke-dasharray="3 3"/>'
    '<rect x="14" y="52" width="30" height="22" rx="4" stroke-dasharray="3 3"/>'
    '<rect x="51" y="52" width="30" height="22" rx="4" stroke-dasharray="3 3"/><circle cx="29" cy="26" r="5"/>'
    '<path d="M20 44c1-7 4-10 9-10s8 3 9 10"/><circle cx="66" cy="26" r="5"/><path d="M57 44c1-7 4-10 9-10s8 3 9 10"/>'
    '<path d="M103 24v10M98 29h10" stroke="var(--bf-accent)" stroke-width="2.2" stroke-linecap="round"/></svg>'
)


def top(gallery: str, people: int, galleries: Sequence[str] = (), who: Actor = LOCAL) -> Markup:
    """The bar: brand, gallery in use and the others that can be chosen, who is logged in, light and dark."""
    return Markup(
        '<header class="bf-top" data-role="{role}" data-shut="{shut}"><a class="bf-brand" href="./">{brand}<span>'
        'ByteFace</span></a><div class="bf-top__r">{where}{who}'
        '<button type="button" class="bf-btn bf-btn--quiet bf-btn--icon" data-theme-toggle aria-label="{light}">{icon}'
        "</button></div></header>"
    ).format(
        role=who.role.name.lower(),
        shut=",".join(str(place) for place, needed in enumerate(TABS.values()) if who.role < needed),
        brand=BRAND,
        where=_where(gallery, people, galleries),
        who=_who(who),
        light=t("Light or dark"),
        icon=icon("light"),
    )


def _who(who: Actor) -> Markup:
    """Somebody's name and what they may do, with the way out; for a visitor the way in; nothing without accounts."""
    if (who.name, who.role) == (LOCAL.name, LOCAL.role):  # whatever they said that they search for
        return Markup("")
    if who.name.startswith("visitor:"):
        return Markup('<a class="bf-btn" href="login">{}</a>').format(t("Log in"))
    words = {
        Role.VIEWER: t("Viewer: searching and looking. Enrolling and changing need an operator."),
        Role.OPERATOR: t(
            "Operator: searching, enrolling and correcting. Thresholds, exports and restoring need an administrator."
        ),
        Role.ADMIN: t("Administrator: everything, thresholds and exports too."),
    }
    return Markup(
        '<details class="bf-menu bf-who"><summary class="bf-btn bf-btn--quiet" aria-label="{label}">{icon}<bdi '
        'class="bf-clip">{name}</bdi></summary><div class="bf-menu__b bf-card"><p class="bf-who__p"><b><bdi>{name}'
        '</bdi></b>{words}</p><form method="post" action="logout"><button class="bf-btn bf-btn--quiet">{out}</button>'
        "</form></div></details>"
    ).format(
        label=t("Logged in as {name}", name=who.name),
        icon=icon("person"),
        name=who.name,
        words=words.get(who.role, ""),
        out=t("Log out"),
    )


def _where(gallery: str, people: int, galleries: Sequence[str]) -> Markup:
    words = Markup('<b class="bf-where__long bf-clip"><bdi>{}</bdi></b><span>{}</span>').format(
        gallery, count(people, "person", "people")
    )
    if gallery not in galleries:
        return Markup('<span class="bf-where">{}</span>').format(words)
    entry = Markup(
        '<button type="button" class="bf-btn bf-btn--quiet" data-gallery="{0}" aria-current="{1}">{2}<bdi '
        'class="bf-clip">{0}</bdi></button>'
    )
    return Markup(
        '<details class="bf-menu bf-shelf"><summary class="bf-where" title="{choose}">{words}{down}<span class="bf-sr">'
        '{choose}</span></summary><div class="bf-menu__b bf-card">{entries}<form class="bf-row bf-row--tight" '
        'data-gallery-new><input class="bf-input" name="name" required maxlength="60" autocomplete="off" '
        'aria-label="{new}" placeholder="{new}"><button class="bf-btn">{make}</button></form></div></details>'
    ).format(
        choose=t("Choose a gallery"),
        words=words,
        down=icon("down"),
        entries=join(
            entry.format(one, "true" if one == gallery else "false", icon("check" if one == gallery else "folder"))
            for one in galleries
        ),
        new=t("New gallery"),
        make=t("Make"),
    )


def disk_note(minutes: int) -> Markup:
    """Below every tab of a page whose gallery is on a disk that is not kept.

    Args:
        minutes: how often it is saved elsewhere; 0 for never.
    """
    if minutes:
        text = t(
            "The disk of this Space is not kept. Its galleries are saved every {minutes} minutes, and at once when "
            "somebody is erased; what was changed since then may be lost in a restart.",
            minutes=str(minutes),
        )
    else:
        text = t(
            "The disk of this Space is not kept: whoever is enrolled here is forgotten when it restarts. "
            "Export what you want to keep."
        )
    return Markup('<p class="bf-note">{}<span>{}</span></p>').format(icon("info"), text)


def toast(title: str, text: str = "", kind: str = "done", *, undo: str = "") -> Markup:
    """One message at the bottom left.

    Args:
        kind: `done`, `warn`, `error` or `news`; the last two stay until they are closed.
        undo: what an Undo button sends back; empty for none.
    """
    sign = {"done": icon("check"), "warn": glyph("warn"), "error": glyph("danger"), "news": icon("check")}[kind]
    close = button("", "close", icon_name="close", style="quiet sm icon", label=t("Close"))
    back = button(t("Undo"), "undo", icon_name="undo", style="sm", id=undo) if undo else Markup("")
    return Markup(
        '<div class="bf-toast bf-toast--{kind}" role="{role}" data-n="{n}" data-kind="{kind}">{sign}<div><b>{title}</b>'
        '<p>{text}</p></div><div class="bf-row bf-row--tight">{back}{close}</div></div>'
    ).format(
        kind=kind,
        role="alert" if kind == "error" else "status",
        n=uuid.uuid4().hex[:8],  # makes a repeated message a new one
        sign=sign,
        title=title,
        text=text,
        back=back,
        close=close,
    )


def toasts(*messages: Markup) -> Markup:
    """All messages of one action."""
    return Markup('<div class="bf-toasts">{}</div>').format(join(messages))


def progress(title: str, done: int, total: int, text: str) -> Markup:
    """A long job with its bar; the Cancel button stands beside it."""
    share = 0 if total <= 0 else round(100 * done / total)
    return Markup(
        '<div class="bf-card bf-progress" role="status"><span class="bf-row"><span class="bf-spin"></span>'
        '<b class="bf-h3 bf-clip">{title}</b></span><div class="bf-progress__bar" role="progressbar" '
        'aria-label="{title}" '
        'aria-valuenow="{share}" aria-valuemin="0" aria-valuemax="100"><i style="--v:{share}%"></i></div>'
        '<p class="bf-quiet bf-num">{text}</p></div>'
    ).format(title=title, share=share, text=text)


def probe_empty(people: int, gallery: str) -> Markup:
    """The Probe tab before the first photograph: the whole card takes dropped files."""
    if people:
        words = t(
            "Every face is found and searched among the {people} of {gallery}. Nothing leaves this machine, "
            "and the photographs are not kept.",
            people=count(people, "person", "people"),
            gallery=gallery,
        )
    else:
        words = t("Every face is found. Nobody is enrolled yet: enrol somebody first to find them.")
    steps = (
        (t("Pick a face"), t("Each one is boxed and numbered. Faces too small or blurred are named as not searched.")),
        (
            t("Look at the evidence"),
            t("Up to five candidates, each beside the photograph that resembles the face most."),
        ),
        (t("Decide yourself"), t("A candidate is a lead, not an identification.")),
    )
    return Markup(
        '<h1 class="bf-sr">{title}</h1><div class="bf-drop bf-drop--page" data-drop="probe-files"><div class="wrap '
        'bf-empty">{drawing}<b class="bf-h1">{drop}</b><p>{words}</p><div class="bf-row bf-row--wrap bf-empty__a">'
        "{choose}{paste}{camera}{live}</div></div></div>"
        '<ol class="bf-steps">{steps}</ol>'
    ).format(
        title=t("Probe"),
        drawing=_CROWD,
        drop=t("Drop photographs here"),
        words=words,
        choose=pick_button(t("Choose photographs"), "probe-files", "upload", "primary"),
        paste=source_button(t("Paste"), "paste", "probe-files"),
        camera=source_button(t("Webcam"), "camera", "probe-files"),
        live=Markup('<button type="button" class="bf-btn" data-live>{}{}</button>').format(icon("live"), t("Live")),
        steps=join(
            Markup('<li><span class="bf-no">{}</span><span><b>{}</b>{}</span></li>').format(number, head, text)
            for number, (head, text) in enumerate(steps, 1)
        ),
    )


def pick_button(words: str, files: str, icon_name: str, style: str = "") -> Markup:
    """Opens the browser's file dialog for the hidden file input of that id."""
    return Markup('<button type="button" class="bf-btn{}" data-pick="{}">{}{}</button>').format(
        f" bf-btn--{style}" if style else "", files, icon(icon_name), words
    )


def source_button(words: str, source: str, files: str, style: str = "") -> Markup:
    """Brings a photograph from the clipboard or the webcam to the hidden file input of that id."""
    return Markup('<button type="button" class="bf-btn{}" data-{}="{}">{}{}</button>').format(
        f" bf-btn--{style}" if style else "", source, files, icon(source), words
    )


def drop_zone(title: str, text: str, files: str) -> Markup:
    """A dashed card that takes dropped files and opens the file dialog."""
    return Markup(
        '<div class="bf-drop" data-drop="{files}"><button type="button" class="upload-container" data-pick="{files}">'
        '<span class="wrap"><span class="icon-wrap">{icon}</span><b>{title}</b><span '
        'class="bf-quiet">{text}</span></span>'
        "</button></div>"
    ).format(files=files, icon=icon("upload"), title=title, text=text)


def gallery_empty(more: Markup | None = None) -> Markup:
    """Nobody is enrolled; `more` are the buttons after the first."""
    return Markup(
        '<div class="bf-card bf-empty">{drawing}<h2 class="bf-h1">{title}</h2><p>{text}</p>'
        '<div class="bf-row bf-row--wrap bf-empty__a">{enrol}{more}</div></div>'
    ).format(
        drawing=_CARDS,
        title=t("Nobody is enrolled yet"),
        text=t(
            "Enrol the people you are entitled to search for. Five or more photographs each, on different "
            "days, work best."
        ),
        enrol=Markup('<button type="button" class="bf-btn bf-btn--primary" data-tab="enrol">{}{}</button>').format(
            icon("enrol"), t("Enrol a person")
        ),
        more=more or "",
    )
