"""How work comes into the log: a change between two rows, a use in one row at its end. Knows what a gallery is called,
not how it stores.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from reid.actor import Role, acting, require
from reid.audit.log import AuditLog
from reid.audit.rows import Entry, Phase, utc_now
from reid.errors import AuditError, NotAllowedError, PurposeError
from reid.gallery.base import Gallery
from reid.types import Candidate

log = logging.getLogger(__name__)

_SHOWN = 20  # candidates of one face that are written down


@dataclass(slots=True, eq=False)
class Use:
    """A search, a look at a person, or other work that compares faces or shows what is known, while it goes on.

    Attributes:
        subjects: people whom it turned out to be about.
        details: what else is to be written down.
        silent: nothing is written: what it shows was written down before.
    """

    subjects: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    silent: bool = False


_using: ContextVar[Use | None] = ContextVar("byteface_use", default=None)


class Pen:
    """Writes about one gallery, or, without one that is open, about its file as a whole."""

    def __init__(self, log_of_it: AuditLog, url: str, gallery: Gallery | None = None) -> None:
        self.log = log_of_it
        self.name = PurePath(url.split("?")[0]).stem or url
        self._gallery = gallery

    def entry(self, action: str, phase: Phase = "done", **what: Any) -> Entry:
        """A row about this gallery as it is now; ids become opaque."""
        what["subjects"] = [self.log.opaque(one) for one in what.get("subjects", ())]
        if self._gallery is None:
            return Entry(action, phase, self.name, **what)
        return Entry(action, phase, self.name, self._gallery.revision(), self._gallery.space_id, **what)

    @contextlib.contextmanager
    def change(
        self, action: str, role: Role = Role.OPERATOR, subjects: Sequence[str] = (), **details: Any
    ) -> Iterator[dict[str, Any]]:
        """A change: a row before it, without which nothing is changed, and one after it that says how it ended.

        Args:
            role: that it needs.

        Yields:
            what else the second row is to say.

        Raises:
            NotAllowedError: they have a lower role; that is written down too.
            AuditError: the log cannot be written; nothing was changed.
        """
        self._ask(action, role, subjects)
        seq = self.log.append(self.entry(action, "begun", subjects=subjects, details=details), durable=True)
        more: dict[str, Any] = {"of": seq}
        try:
            yield more
        except BaseException as error:
            self._end(action, "failed", subjects, {**more, "error": type(error).__name__})
            raise
        self._end(action, "done", subjects, {**details, **more})

    def _end(self, action: str, phase: Phase, subjects: Sequence[str], details: dict[str, Any]) -> None:
        try:
            self.log.append(self.entry(action, phase, subjects=subjects, details=details), durable=True)
        except AuditError:
            # the change is made, and its first row says that it was begun: whoever verifies the log is told
            log.exception("a change is in the audit log without its end")

    def _ask(self, action: str, role: Role, subjects: Sequence[str] = ()) -> None:
        try:
            require(role)
        except NotAllowedError:
            self.log.append(self.entry(action, "refused", subjects=subjects, details={"needs": role.name.lower()}))
            raise

    @contextlib.contextmanager
    def use(
        self, action: str, *, inputs: Sequence[str] = (), subjects: Sequence[str] = (), purpose: str = "",
        started_at: str = "", role: Role = Role.VIEWER, **details: Any,
    ) -> Iterator[Use]:  # fmt: skip
        """Work that changes nothing: one row at its end, with when it began. Work inside it adds to it.

        Args:
            inputs: SHA-256 of the photographs that were looked at.
            purpose: as it was said; the actor's own where empty.

        Raises:
            NotAllowedError: they may not; written down.
            PurposeError: it is a search, and nobody said what it is for.
        """
        self._ask(action, role, subjects)
        if (outer := _using.get()) is not None:
            outer.subjects += subjects
            yield outer
            return
        if action in SEARCHES:
            self.ask_purpose(purpose)
        use = Use(list(subjects), {**({"inputs": list(inputs)} if inputs else {}), **details})
        started, token = started_at or utc_now(), _using.set(use)
        phase: Phase = "done"
        try:
            yield use
        except BaseException as error:
            phase = "failed"
            use.details["error"] = type(error).__name__
            raise
        finally:
            _using.reset(token)
            if not use.silent:
                self.log.append(
                    self.entry(action, phase, subjects=use.subjects, details=use.details, purpose=purpose,
                               started_at=started)
                )  # fmt: skip

    def ask_purpose(self, purpose: str = "") -> None:
        """Raises: PurposeError where a purpose is required and nobody said one."""
        if self.log.asking == "required" and not (purpose.strip() or acting().purpose.strip()):
            raise PurposeError("Nobody said what this search is for. Write its purpose first.")

    def compared(self, found: Sequence[Sequence[Candidate]]) -> None:
        """Faces were compared with the gallery; outside of a use that is a search of its own."""
        if _using.get() is None:
            self.ask_purpose()
            faces = [{"candidates": self.candidates(one)} for one in found]
            self.log.append(self.entry("search", details={"faces": len(found), "found": faces}))

    def batch(
        self, searched: Sequence[tuple[str, Sequence[Sequence[Candidate]]]], threshold: float, *, purpose: str,
        started_at: str,
    ) -> None:  # fmt: skip
        """Many photographs that were searched together: a row each, all written at once.

        Args:
            searched: SHA-256 of each photograph, and the candidates of each of its faces.
        """
        entries = []
        for sha256, faces in searched:
            use = Use(details={"inputs": [sha256]})
            self.note(use, [(_reaching(found, threshold), found) for found in faces], threshold)
            entries.append(
                self.entry("search", subjects=use.subjects, details=use.details, purpose=purpose, started_at=started_at)
            )
        if entries:
            self.log.append(*entries)

    def note(
        self, use: Use, faces: Sequence[tuple[Candidate | None, Sequence[Candidate]]], threshold: float, **more: Any
    ) -> None:
        """Who was given for each face of a search, and who was shown.

        Args:
            faces: of each that was searched the person who was given, None for nobody, and the candidates.
        """
        found = [
            {"given": self.candidates([given])[0] if given else None, "candidates": self.candidates(shown)}
            for given, shown in faces
        ]
        use.subjects += [given.identity.id for given, _ in faces if given]
        use.details.update(faces=len(faces), threshold=round(threshold, 6), found=found, **more)

    def candidates(self, found: Sequence[Candidate]) -> list[list[Any]]:
        """Opaque id and similarity of each, the nearest first."""
        return [[self.log.opaque(one.identity.id), round(one.similarity, 4)] for one in found[:_SHOWN]]


def _reaching(found: Sequence[Candidate], threshold: float) -> Candidate | None:
    return found[0] if found and found[0].similarity >= threshold else None


SEARCHES = frozenset({"search", "live", "verify"})
"""Uses that need a purpose where one is required."""


@contextlib.contextmanager
def within() -> Iterator[Use]:
    """Comparing that belongs to what is written down elsewhere: it is not a search of anybody's."""
    use = _using.get() or Use(silent=True)
    token = _using.set(use)
    try:
        yield use
    finally:
        _using.reset(token)
