"""What somebody said of photographs that differ from the rest of their person: they show that person after all.

Kept with the gallery as pairs of ids; moved to another person a photograph is asked about again. Knows no vectors.
"""

from __future__ import annotations

import json

from reid.errors import GalleryError
from reid.gallery.base import Gallery

VOUCHED = "vouched"
"""Key under which a gallery keeps it: `[[photo id, identity id], ...]`."""

Pairs = frozenset[tuple[str, str]]


def vouched(gallery: Gallery) -> Pairs:
    """(photo id, identity id) of each photograph of which it was said."""
    return frozenset((photo_id, identity_id) for photo_id, identity_id in json.loads(gallery.get_meta(VOUCHED) or "[]"))


def vouch(gallery: Gallery, photo_id: str, *, same: bool) -> None:
    """Remembers it of a photograph, or forgets it.

    Raises:
        GalleryError: the photograph is gone, or nothing can be written.
    """
    photo = gallery.photo(photo_id)
    if photo is None:
        raise GalleryError("A photograph is not in the gallery any more. Load the list again.")
    pair = {(photo.id, photo.identity_id)}
    _keep(gallery, vouched(gallery) | pair if same else vouched(gallery) - pair)


def forget_gone(gallery: Gallery) -> None:
    """Nothing is kept of photographs that are erased, or with somebody else by now."""
    known = vouched(gallery)
    if known:
        _keep(gallery, known)


def _keep(gallery: Gallery, pairs: Pairs) -> None:
    there = [pair for pair in sorted(pairs) if (photo := gallery.photo(pair[0])) and photo.identity_id == pair[1]]
    gallery.set_meta(VOUCHED, json.dumps(there))
