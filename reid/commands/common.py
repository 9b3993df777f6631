"""Arguments that several commands share, and how they join the settings."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reid.faces import FACE_CHOICES
from reid.settings import Settings

if TYPE_CHECKING:
    from reid.audit import AuditLog
    from reid.audit.recording import Forget, RecordingGallery
    from reid.gallery.base import Gallery

_SHOWN = 20  # problems spelt out on the terminal; the rest is counted


def add_recognition(parser: argparse.ArgumentParser) -> None:
    """--space, --weights, --detector, --device."""
    group = parser.add_argument_group("recognition")
    group.add_argument("--space", help="auto, facenet, sface, facenet+sface or facenet+sface@0.2 [auto]")
    group.add_argument(
        "--weights",
        help="what facenet is loaded from: ms1m, vggface2, a run folder, hub:owner/name [the gallery's; "
        "the best run, or ms1m without one]",
    )
    group.add_argument("--detector", choices=("yunet", "mtcnn"), help="what finds the faces [yunet]")
    group.add_argument("--device", help="cpu, cuda, mps or auto [auto]")


def add_gallery(parser: argparse.ArgumentParser) -> None:
    """--gallery."""
    parser.add_argument("--gallery", help="a .db file (or .npy, to search only) [BYTEFACE_GALLERY, data/gallery.db]")


def add_purpose(parser: argparse.ArgumentParser) -> None:
    """--purpose."""
    parser.add_argument("--purpose", default="", help="what the search is for, for the audit log")


def add_table(parser: argparse.ArgumentParser, flag: str, what: str) -> None:
    """A CSV, its root directory and which face is meant."""
    parser.add_argument(flag, type=Path, required=True, metavar="CSV", help=what)
    parser.add_argument("--root-dir", type=Path, required=True, help="folder that the CSV's paths start from")


def add_face(parser: argparse.ArgumentParser, *extra: str) -> None:
    """--face."""
    parser.add_argument(
        "--face", choices=(*FACE_CHOICES, *extra), default="largest", help="which face of several is meant [largest]"
    )


def settings_of(args: argparse.Namespace, *, of_gallery: bool = True) -> Settings:
    """The environment's settings with what the command line says instead.

    Args:
        of_gallery: whether the gallery, where there is one, says what was left open: its space and its weights. A
            run that is better than those is told about.
    """
    settings: Settings = args.settings
    given = {name: getattr(args, name, None) for name in ("space", "weights", "detector", "device", "gallery")}
    given["gallery"] = str(given["gallery"]) if given["gallery"] else None
    settings = replace(settings, **{name: value for name, value in given.items() if value})
    from reid.gallery import is_there

    if not of_gallery or not is_there(settings.gallery):
        return settings
    from reid.fitting import fitted

    fit = fitted(replace(settings, space=given["space"] or "auto"))
    if fit.better:
        print(fit.better.told(settings.gallery), file=sys.stderr)
    return fit.settings


def audit_of(settings: Settings, url: str) -> AuditLog:
    """The log of a gallery. Raises: SettingsError."""
    from reid.audit import AuditLog, log_path

    return AuditLog(log_path(url, settings.audit, settings.data_dir), asking=settings.purpose)


def recorded(gallery: Gallery, settings: Settings, forget: Forget | None = None) -> RecordingGallery:
    """A gallery that a command opened itself: what it does with it is recorded, as the page's work is."""
    from reid.audit.recording import recorded

    return recorded(gallery, audit_of(settings, gallery.url), forget)


def report_problems(reasons: Sequence[str]) -> None:
    """Names the first few on stderr and counts the rest."""
    for reason in reasons[:_SHOWN]:
        print(reason, file=sys.stderr)
    if len(reasons) > _SHOWN:
        print(f"... and {len(reasons) - _SHOWN} more.", file=sys.stderr)


def summary(counts: Counter[str]) -> str:
    """`1,781 photographs: 1,779 ok, 1 no_face, 1 unreadable`."""
    return f"{sum(counts.values()):,} photographs: " + ", ".join(f"{counts[name]:,} {name}" for name in counts)
