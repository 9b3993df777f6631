"""What keeping strangers means on every tab: probes keep them, and whoever is enrolled is looked for among them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reid.types import Identity
from reid.ui.components.shell import toast
from reid.ui.context import Page
from reid.ui.session import Shot
from reid.ui.text import count, decimal, t
from reid.unknowns import Kept, keep_strangers, keeping_of, sightings_of

_NAMED = 3


def remember(page: Page, shot: Shot) -> Kept:
    """Keeps a photograph's strangers where that is switched on. Raises: GalleryError."""
    return keep_strangers(page.recognizer, shot.name, shot.sha256, shot.templates)


def kept_toast(page: Page, kept: Sequence[Kept]) -> list[Markup]:
    """Says what was kept of some photographs, with the way back; nothing where nothing was."""
    gallery = page.recognizer.gallery
    ids = [one for each in kept for one in each.ids]
    ignored = sum(each.ignored for each in kept)
    if not ids and not ignored:
        return []
    refused = (
        t("{faces} not kept: ignored for good.", faces=count(ignored, "face was", "faces were")) if ignored else ""
    )
    if not ids:
        return [toast(refused.rstrip("."))]

    def back() -> str:
        gallery.unknowns.unkeep(ids)
        return t("These faces are not kept")

    title = t(
        "{faces} for {days}",
        faces=count(len(ids), "face without a candidate is kept", "faces without a candidate are kept"),
        days=count(keeping_of(gallery).days, "day", "days"),
    )
    return [toast(title, Markup("{} {}").format(refused, _link()).strip(), undo=page.undos.offer(back))]


def sighting_note(page: Page, identity: Identity) -> Markup:
    """Which kept faces may be somebody who was just enrolled; empty where none."""
    found = sightings_of(page.recognizer.gallery, identity.id, page.recognizer.threshold.value)
    if found is None:
        return Markup("")
    values = [decimal(similarity) for _, similarity in found.faces]
    words = t(
        "{faces} like {name}: {values}.",
        faces=count(len(values), "kept face looks", "kept faces look"),
        name=identity.name,
        values=", ".join(values[:_NAMED]) + (" …" if len(values) > _NAMED else ""),
    )
    return Markup("<b>{}</b> {}").format(words, _link())


def _link() -> Markup:
    return Markup('<a href="?tab=unknowns" data-tab="unknowns">{}</a>').format(t("Show the unknowns"))
