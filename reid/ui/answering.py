"""What the operator's answers about a face do to the gallery, each with what takes it back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from reid.errors import NoFaceError
from reid.recognizer import Sample
from reid.types import Rejection, Template
from reid.ui.components.shell import toast, toasts
from reid.ui.context import Page
from reid.ui.session import Session, Shot
from reid.ui.strangers import sighting_note
from reid.ui.text import t


def answer(page: Page, session: Session, data: Mapping[str, Any]) -> Markup:
    """Does what a button of the inspector says about the selected face.

    Args:
        data: `act` is confirm, reject, withdraw or name; `id` or `value` say whom.

    Returns:
        the message about it.

    Raises:
        ReidError: the person is gone, the name cannot be used, or the gallery cannot be written.
    """
    shot = session.shot
    if shot is None or session.face >= len(shot.templates):
        raise NoFaceError(t("No face is selected. Choose one on the photograph."))
    template = shot.templates[session.face]
    which = str(data.get("id", ""))
    match data.get("act"):
        case "confirm":
            return _enrol(page, shot, template, page.recognizer.gallery.identity(which).name)
        case "reject":
            return _reject(page, session, shot, template, which)
        case "withdraw":
            page.recognizer.gallery.withdraw(which)
            return toasts(toast(t("Taken back"), t("This person may be a candidate for the face again.")))
        case _:
            return _enrol(page, shot, template, str(data.get("value", "")))


def _enrol(page: Page, shot: Shot, template: Template, name: str) -> Markup:
    recognizer = page.recognizer
    done = recognizer.enrol(name, [Sample(shot.name, shot.sha256, template)])
    name = done.identity.name

    def back() -> str:
        recognizer.gallery.remove_photos(done.photo_ids)
        return t("The photograph was taken away from {name}", name=name)

    if done.created:
        title, text = t("{name} is enrolled", name=name), t("With this one photograph. Five or more find people best.")
    else:
        title = t("This face is added to {name}", name=name)
        text = t("{name} has {total} photographs now.", name=name, total=done.identity.photo_count)
    text = Markup("{} {}").format(text, sighting_note(page, done.identity))
    return toasts(toast(title, text, undo=page.undos.offer(back)))


def _reject(page: Page, session: Session, shot: Shot, template: Template, identity_id: str) -> Markup:
    gallery = page.recognizer.gallery
    identity = gallery.identity(identity_id)
    rejection = Rejection(
        uuid.uuid4().hex,
        identity_id,
        shot.name,
        datetime.now(UTC).isoformat(timespec="seconds"),
        template.embedding,
    )
    gallery.reject(rejection)
    session.opened = None

    def back() -> str:
        gallery.withdraw(rejection.id)
        return t("{name} may be a candidate for the face again", name=identity.name)

    return toasts(
        toast(
            t("Face {number} is remembered as not {name}", number=session.face + 1, name=identity.name),
            t("This person is left out of the answers for this face."),
            undo=page.undos.offer(back),
        )
    )
