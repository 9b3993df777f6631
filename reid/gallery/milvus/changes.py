"""What each change of a Milvus gallery plans: who is made, moved, named and derived. Knows no requests."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

import numpy as np

from reid.errors import GalleryError, IdentityExistsError, IdentityNotFoundError
from reid.gallery.checks import template_of
from reid.gallery.milvus.link import Row
from reid.gallery.milvus.plan import Plan
from reid.gallery.milvus.rows import apart_of, apart_row, identity_row, photo_rows, vector_of
from reid.gallery.milvus.schema import CROPS, IDENTITIES, PHOTOS, RECORDS
from reid.gallery.names import valid_name
from reid.types import Photo


def need(plan: Plan, identity_id: str) -> Row:
    """Somebody's row. Raises: IdentityNotFoundError."""
    found = plan.get(IDENTITIES, [identity_id])
    if not found:
        raise IdentityNotFoundError("That person is not in the gallery any more. Load the list again.")
    return found[identity_id]


def refuse_taken(plan: Plan, name: str) -> None:
    """Raises: IdentityExistsError."""
    if plan.where(IDENTITIES, "name", name):
        raise _taken(name)


def _taken(name: str) -> IdentityExistsError:
    return IdentityExistsError(f"Somebody named {name} is enrolled already. Add to them or choose another name.")


def add(plan: Plan, photos: Sequence[Photo], dim: int) -> None:
    """Photographs and the people that are new with them."""
    names: dict[str, set[str]] = {}
    for photo in photos:
        names.setdefault(photo.identity_id, set()).add(photo.identity_name)
    changed = {*names, *(row["identity_id"] for row in plan.get(PHOTOS, [photo.id for photo in photos]).values())}
    known = plan.get(IDENTITIES, names)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    new = {one: {valid_name(text) for text in texts} for one, texts in names.items() if one not in known}
    taken = plan.where_in(IDENTITIES, "name", sorted({name for own in new.values() for name in own}))
    for identity_id, own in new.items():  # one after the other: whoever cannot be made first is who is told about
        if len(own) > 1:
            raise GalleryError("One new person was given two names. Enrol them one after the other.")
        (name,) = own
        if taken[name]:
            raise _taken(name)
        row = identity_row(identity_id, name, now, template=np.zeros(dim, np.float32))
        taken[name] = [row]
        plan.put(IDENTITIES, row)
    for photo in photos:
        row, crop = photo_rows(photo)
        plan.put(PHOTOS, row)
        plan.put(CROPS, crop)
    derive(plan, changed)


def move(plan: Plan, rows: Iterable[Row], identity_id: str) -> None:
    """Gives photographs to somebody."""
    rows = list(rows)
    owners = {row["identity_id"] for row in rows}
    for row in rows:
        plan.put(PHOTOS, {**row, "identity_id": identity_id})
    derive(plan, {identity_id, *owners})


def remove(plan: Plan, rows: Iterable[Row]) -> int:
    """Erases photographs with their crops. Returns how many people went with them."""
    rows = list(rows)
    for row in rows:
        plan.drop(PHOTOS, row["id"])
        plan.drop(CROPS, f"p/{row['id']}")
    return derive(plan, {row["identity_id"] for row in rows})


def derive(plan: Plan, identity_ids: Iterable[str]) -> int:
    """Templates, counts and covers of people whose photographs changed; one left without any is removed.

    A cover stays while its photograph does; otherwise the best photograph becomes it.

    Returns:
        how many people were removed.
    """
    plan.revises = True
    removed = 0
    people = plan.get(IDENTITIES, sorted(set(identity_ids)))
    photos_of = plan.where_in(PHOTOS, "identity_id", list(people))
    for identity_id, row in people.items():
        photos = photos_of[identity_id]
        if not photos:
            removed += 1
            _forget(plan, identity_id)
            continue
        cover = row["cover"]
        if cover not in {photo["id"] for photo in photos}:
            cover = min(photos, key=lambda photo: (-photo["quality"], photo["added_at"], photo["id"]))["id"]
        template = template_of(np.stack([vector_of(photo["embedding"]) for photo in photos]))
        plan.put(IDENTITIES, {**row, "template": template, "photo_count": len(photos), "cover": cover})
    return removed


def _forget(plan: Plan, identity_id: str) -> None:
    plan.drop(IDENTITIES, identity_id)
    for row in plan.where(RECORDS, "owner", identity_id):
        if row["kind"] == "rejection":
            plan.drop(RECORDS, row["id"])
    for row in plan.where(RECORDS, "kind", "apart"):
        if identity_id in apart_of(row):
            plan.drop(RECORDS, row["id"])


def merge(plan: Plan, source_id: str, target_id: str) -> None:
    """All that was said of the source, and its photographs, are the target's from now on."""
    for row in plan.where(RECORDS, "owner", source_id):
        if row["kind"] == "rejection":
            plan.put(RECORDS, {**row, "owner": target_id})
    for row in plan.where(RECORDS, "kind", "apart"):
        pair = apart_of(row)
        if source_id in pair:
            other_id = pair[1] if pair[0] == source_id else pair[0]
            if other_id != target_id:
                plan.put(RECORDS, apart_row(target_id, other_id))
    move(plan, plan.where(PHOTOS, "identity_id", source_id), target_id)
