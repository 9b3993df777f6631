"""A zip of photographs, read one member at a time; nothing of it is believed. Knows no labels and no pictures.

A member is never written where its name says: each goes to a numbered file of a private folder and is gone when it was
read. So no name can lead out of it, and the disk holds a few photographs at a time, whatever the archive unpacks to.
"""

from __future__ import annotations

import re
import stat
import tempfile
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath
from types import TracebackType

from reid.errors import ArchiveError
from reid.images import printable

MAX_MEMBERS = 100_000
MAX_MEMBER_BYTES = 512 << 20
MAX_TOTAL_BYTES = 64 << 30
MAX_RATIO = 200
"""Times its packed size that a member may unpack to; white scans of a few megabytes reach more and are let through."""

_RATIO_COUNTS_FROM = 16 << 20
_BLOCK = 1 << 20
_ENCRYPTED = 0x1
_UTF8 = 0x800
_DRIVE = re.compile(r"[A-Za-z]:")
_NOT_MEANT = {"__macosx", "thumbs.db", "desktop.ini"}
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
"""What `zipfile` raises over damaged or hostile archives; RuntimeError asks for a password."""


class ZipTree:
    """The files of a zip by their paths; a context manager, because it holds the archive and a private folder."""

    def __init__(self, file: Path, name: str) -> None:
        """Reads the list of what is in the archive.

        Raises:
            ArchiveError: no zip, damaged, too many members, or it unpacks to more than any disk should hold.
        """
        self.name = name
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGED as error:
            raise ArchiveError(
                f"{name} cannot be opened as a zip: it is damaged or something else. Pack the folder again."
            ) from error
        try:
            members = [one for one in self._zip.infolist() if not one.is_dir() and is_meant(_path(one))]
            self._refuse_too_large(members)
            self._members: dict[str, zipfile.ZipInfo] = {}
            self._refused: dict[str, str] = {}
            for member in members:
                self._note(member)
            self._folder = tempfile.TemporaryDirectory(prefix="byteface-import-")
        except BaseException:
            self._zip.close()
            raise
        self._number = 0

    def _refuse_too_large(self, members: list[zipfile.ZipInfo]) -> None:
        if len(members) > MAX_MEMBERS:
            raise ArchiveError(
                f"{self.name} holds {len(members):,} files, more than {MAX_MEMBERS:,}. Divide it into several."
            )
        total = sum(member.file_size for member in members)
        if total > MAX_TOTAL_BYTES:
            raise ArchiveError(
                f"{self.name} would unpack to {total >> 30:,} GB, more than {MAX_TOTAL_BYTES >> 30} GB. "
                "Divide it into several."
            )

    def _note(self, member: zipfile.ZipInfo) -> None:
        path = _path(member)
        shown = printable(path)
        if shown in self._members or shown in self._refused:
            self._refused[f"{shown} (again)"] = "It stands twice in the archive. Only the first one counts."
            return
        reason = _why_not(member, path)
        if reason:
            self._refused[shown] = reason
        else:
            self._members[shown] = member

    def paths(self) -> dict[str, str]:
        """Every file's path, and why it cannot be used, empty where it can; in the order of their names."""
        found = dict.fromkeys(self._members, "") | self._refused
        return dict(sorted(found.items()))

    def fetch(self, path: str) -> Path:
        """One file's content on this disk, until `release`.

        Raises:
            ArchiveError: it is not in the archive, or its content is damaged.
        """
        member = self._members.get(path)
        if member is None:
            raise ArchiveError(self._refused.get(path) or "It is not in the archive. Correct the path.")
        self._number += 1
        target = Path(self._folder.name) / f"{self._number}"
        try:
            with self._zip.open(member) as content, target.open("wb") as out:
                left = member.file_size
                while block := content.read(_BLOCK):
                    left -= len(block)
                    if left < 0:
                        raise zipfile.BadZipFile("longer than it says")
                    out.write(block)
        except _DAMAGED as error:
            target.unlink(missing_ok=True)
            raise ArchiveError("Its content in the archive is damaged. Pack it again.") from error
        return target

    def release(self, file: Path) -> None:
        """Removes what `fetch` wrote."""
        file.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the archive and removes what is left of it on the disk."""
        self._zip.close()
        self._folder.cleanup()

    def __enter__(self) -> ZipTree:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_meant(path: str) -> bool:
    """Whether somebody put a file there on purpose: not what operating systems leave behind."""
    return not any((part.startswith(".") and part != "..") or part.lower() in _NOT_MEANT for part in path.split("/"))


def _path(member: zipfile.ZipInfo) -> str:
    """The path with slashes. Many programs write UTF-8 without saying so, which reads as old DOS letters."""
    name = member.filename
    if not member.flag_bits & _UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/").removeprefix("./")


def _why_not(member: zipfile.ZipInfo, path: str) -> str:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if ".." in PurePosixPath(path).parts or path.startswith("/") or _DRIVE.match(path):
        return "Its path leads out of the archive. Pack the folder again."
    if kind not in {0, stat.S_IFREG}:
        return "It is a link or a device, not a photograph. Put the photograph itself into the archive."
    if member.flag_bits & _ENCRYPTED:
        return "It is locked by a password. Pack the folder again without one."
    if member.file_size > MAX_MEMBER_BYTES:
        return f"It is larger than {MAX_MEMBER_BYTES >> 20} MB. Make it smaller and add it."
    if member.file_size > _RATIO_COUNTS_FROM and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        return "It would unpack to more than a photograph can hold. Pack it again."
    return ""
