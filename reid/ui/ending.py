"""Renewing people's time on the Gallery tab, with what takes it back. Draws the list and the message about it."""

from __future__ import annotations

from datetime import date

from markupsafe import Markup

from reid.actor import Role
from reid.errors import ReidError
from reid.rights.expiry import due, renew
from reid.ui.components import ending as view
from reid.ui.components.shell import toast, toasts
from reid.ui.context import Page
from reid.ui.roles import may
from reid.ui.text import count, day, t


def ending(page: Page) -> Markup:
    """Whose time is nearly over, to whoever may renew it."""
    return view.ending(due(page.recognizer.gallery)) if may(Role.OPERATOR) else Markup("")


def last_day(text: str) -> str:
    """A day of expiry as it is stored; empty for none. Raises: ReidError for what is no date."""
    text = text.strip()
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise ReidError(t("{text} is no date. Write the day of expiry as 2027-11-24.", text=text)) from None


def renewed(page: Page, identity_id: str) -> Markup:
    """Renews one person, or everybody on the list where the id is empty.

    Raises:
        IdentityNotFoundError: they are gone.
    """
    gallery = page.recognizer.gallery
    people = [one for one in due(gallery) if one.expires and identity_id in ("", one.identity.id)]
    before = [(one.identity.id, one.identity.metadata["expires"]) for one in people]
    last = max((renew(gallery, one.identity.id) for one in people), default=None)
    if last is None:
        return toasts(toast(t("Nobody had to be renewed"), "", "warn"))

    def back() -> str:
        for each, expires in before:
            gallery.set_expiry(each, expires, "renew")
        return t("The days are as they were")

    name = people[0].identity.name if len(people) == 1 else count(len(people), "person", "people")
    title = t("{name}: held through {day}", name=name, day=day(last.isoformat()))
    return toasts(toast(title, undo=page.undos.offer(back)))
