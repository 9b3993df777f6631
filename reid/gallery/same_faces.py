"""The very faces of somebody who is erased, where they lie under another name: answers, and what is kept of strangers.

A face that was said not to be one person and then enrolled as another is in the gallery twice. Knows no storage.
"""

from __future__ import annotations

from collections.abc import Sequence

from reid.gallery.base import Gallery
from reid.types import Photo


def forget_same_faces(gallery: Gallery, photos: Sequence[Photo]) -> int:
    """Takes back answers about the faces of these photographs, and erases them from the kept strangers.

    Args:
        photos: all of one person, who is erased next.

    Returns:
        how many answers and kept faces went.

    Raises:
        GalleryError: the gallery cannot be written.
    """
    own = {photo.embedding.tobytes() for photo in photos}
    if not own:
        return 0
    everybody = [one.id for one in gallery.identities()]
    said = [one.id for one in gallery.rejections(everybody) if one.embedding.tobytes() in own]
    for rejection_id in said:
        gallery.withdraw(rejection_id)
    kept = [
        face.id
        for ignored in (False, True)
        for face in gallery.unknowns.faces(ignored=ignored)
        if face.embedding.tobytes() in own
    ]
    if kept:
        gallery.unknowns.remove(kept)
    return len(said) + len(kept)
