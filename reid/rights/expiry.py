"""Until when people are enrolled: a default for new ones, a warning before the day, an erasure after it. Knows no page.

A person is held through the day that stands in their record and is erased on the next, UTC.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from reid.actor import SYSTEM, working_as
from reid.audit.recording import RETENTION, RecordingGallery, retention_days
from reid.errors import GalleryError
from reid.gallery.base import Gallery
from reid.types import Identity

log = logging.getLogger(__name__)

WARNING_DAYS = 14
MOST_DAYS = 36_500
RENEWED_DAYS = 365
"""What a renewal adds where the gallery has no default."""

Clock = Callable[[], date]


def utc_today() -> date:
    """The day that counts."""
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Due:
    """Somebody whose time is nearly over.

    Attributes:
        expires: last day; None where what is written in the record is no date.
    """

    identity: Identity
    expires: date | None


def expires_on(identity: Identity) -> date | None:
    """Last day of a person; None where none, or none that can be read, is written."""
    try:
        return date.fromisoformat(identity.metadata.get("expires", "").strip()[:10])
    except ValueError:
        return None


def due(gallery: Gallery, today: date | None = None, within_days: int = WARNING_DAYS) -> list[Due]:
    """People whose last day is within so many days, the soonest first; then those whose day cannot be read."""
    latest = (today or utc_today()) + timedelta(days=within_days)
    found: list[Due] = []
    unreadable: list[Due] = []
    for identity in gallery.identities():
        if not identity.metadata.get("expires", "").strip():
            continue
        day = expires_on(identity)
        if day is None:
            unreadable.append(Due(identity, None))
        elif day <= latest:
            found.append(Due(identity, day))
    return sorted(found, key=lambda one: (one.expires or date.max, one.identity.name)) + unreadable


def renew(gallery: RecordingGallery, identity_id: str, until: date | None = None, today: date | None = None) -> date:
    """A new last day: the one that is named, or the gallery's default, or a year, from now or from the old day.

    Raises:
        IdentityNotFoundError: they are gone.
        GalleryError: the day is over already.
    """
    now = today or utc_today()
    identity = gallery.identity(identity_id)
    if until is None:
        days = retention_days(gallery) or RENEWED_DAYS
        until = max(now, expires_on(identity) or now) + timedelta(days=days)
    if until < now:
        raise GalleryError(f"{until.isoformat()} is over already. Choose a later day.")
    gallery.set_expiry(identity_id, until.isoformat(), "renew")
    return until


def choose_default(gallery: RecordingGallery, days: int, *, existing: bool = False, today: date | None = None) -> int:
    """How long whoever is enrolled from now on is held where nobody says otherwise; 0 for no end.

    Args:
        existing: whether people without a day get one too, counted from now.

    Returns:
        how many of them there were.

    Raises:
        GalleryError: the number of days is unusable.
    """
    if not 0 <= days <= MOST_DAYS:
        raise GalleryError(f"People cannot be held for {days} days. Choose between 1 and {MOST_DAYS}, or 0 for no end.")
    gallery.set_meta(RETENTION, json.dumps({"days": days}))
    if not existing or not days:
        return 0
    last = ((today or utc_today()) + timedelta(days=days)).isoformat()
    without = [one for one in gallery.identities() if not one.metadata.get("expires", "").strip()]
    for identity in without:
        gallery.set_expiry(identity.id, last, "edit")
    return len(without)


def purge(gallery: RecordingGallery, today: date | None = None) -> int:
    """Erases everybody whose last day is over, in the name of ByteFace itself; nothing where nothing can be written.

    Returns:
        how many people went.
    """
    if gallery.read_only:
        return 0
    now = today or utc_today()
    over = [(one.identity.id, one.expires) for one in due(gallery, now, -1) if one.expires is not None]
    with working_as(SYSTEM):
        for identity_id, last in over:
            gallery.erase(identity_id, "expire", expired=last.isoformat())
    if over:
        log.info("erased %d people whose time was over", len(over))
    return len(over)
