"""What the Gallery tab asks about the whole gallery, and what an answer does to it, each with what takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from reid.duplicates import Outlier, Pairs, Remembered, outliers_of, pairs_of, unanswered, unvouched
from reid.errors import IdentityNotFoundError
from reid.types import Identity
from reid.ui.components import review as view
from reid.ui.components.shell import toast, toasts
from reid.ui.context import Page
from reid.ui.editing import change
from reid.ui.text import t

_UNASKED = 1000
"""People up to whom a gallery is looked through whenever it changed; beyond, when somebody asks."""
_MOST = 200


class Review:
    """Duplicates and outliers of the gallery in use, looked for once for each of its states."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._pairs: Remembered[Pairs] = Remembered(pairs_of)
        self._odd: Remembered[tuple[Outlier, ...]] = Remembered(outliers_of)

    def draw(self, *, asked: bool = False, pairs_shown: int = view.FIRST, odd_shown: int = view.FIRST) -> Markup:
        """Both lists; a question first where looking takes long and nobody asked."""
        gallery, threshold = self.page.recognizer.gallery, self.page.recognizer.threshold.value
        if asked or gallery.count() <= _UNASKED:
            pairs, odd = self._pairs.get(gallery, threshold), self._odd.get(gallery, threshold)
        else:
            known, known_odd = self._pairs.known(gallery, threshold), self._odd.known(gallery, threshold)
            if known is None or known_odd is None:
                return view.not_looked()
            pairs, odd = known, known_odd
        left, odd = unanswered(pairs, gallery), unvouched(odd, gallery)
        people: dict[str, Identity] = {}
        alike = [
            (people[pair.first_id], people[pair.second_id], pair.similarity)
            for pair in left.nearest[:_MOST]
            if self._found(people, pair.first_id) and self._found(people, pair.second_id)
        ]
        named = [(people[one.identity_id], one) for one in odd[:_MOST] if self._found(people, one.identity_id)]
        return view.duplicates(alike, left.total, threshold, pairs_shown) + view.outliers(named, len(odd), odd_shown)

    def _found(self, people: dict[str, Identity], identity_id: str) -> bool:
        """Whether somebody is still enrolled; puts them into `people`."""
        if identity_id not in people:
            try:
                people[identity_id] = self.page.recognizer.gallery.identity(identity_id)
            except IdentityNotFoundError:  # erased since the gallery was looked through
                return False
        return True

    def all_pairs(self) -> Markup:
        """Every pair that can be listed."""
        return self.draw(asked=True, pairs_shown=_MOST)

    def all_odd(self) -> Markup:
        """Every photograph that can be listed."""
        return self.draw(asked=True, odd_shown=_MOST)

    def answer(self, data: Mapping[str, Any]) -> Markup:
        """One person or two: what was said about a pair.

        Raises:
            IdentityNotFoundError: one of them is gone.
        """
        gallery = self.page.recognizer.gallery
        one, other = (gallery.identity(str(data.get(key, ""))) for key in ("id", "other"))
        if data.get("act") == "together":
            # the entry with more photographs stays; of equals the older
            source, target = sorted((one, other), key=lambda who: (who.photo_count, _reversed(who.created_at)))
            _, message = change(self.page, {"act": "merge", "id": source.id, "value": target.name})
            return message
        gallery.set_apart(one.id, other.id)

        def back() -> str:
            gallery.set_apart(one.id, other.id, apart=False)
            return t("{first} and {second} may be one person again", first=one.name, second=other.name)

        title = t("{first} and {second} are two people", first=one.name, second=other.name)
        return toasts(toast(title, t("You are not asked again."), undo=self.page.undos.offer(back)))


def vouch(page: Page, photo_id: str) -> Markup:
    """It is the person after all: the photograph is not listed again.

    Raises:
        GalleryError: it is gone.
    """
    gallery = page.recognizer.gallery
    photo = gallery.photo(photo_id)
    gallery.vouch(photo_id)
    name = photo.identity_name if photo else ""

    def back() -> str:
        gallery.vouch(photo_id, same=False)
        return t("The photograph of {name} is listed as different again", name=name)

    title = t("The photograph shows {name}", name=name)
    return toasts(toast(title, t("It is not listed as different any more."), undo=page.undos.offer(back)))


def _reversed(moment: str) -> tuple[int, ...]:
    """Sorts later moments first."""
    return tuple(-ord(letter) for letter in moment)
