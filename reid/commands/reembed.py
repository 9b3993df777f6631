"""`byteface reembed`: brings a gallery to other weights or another space, from its stored crops."""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from reid.commands import common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which gallery, and where it goes."""
    common.add_gallery(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Embeds every stored crop anew and switches at once.

    Raises:
        GalleryError: there is no such gallery, it keeps no crops, or it is no file.
        EmbeddingSpaceError: it is there already.
    """
    from reid.actor import Role
    from reid.audit.writing import Pen
    from reid.gallery import space_id_of
    from reid.reembed import reembed, refuse_other_than_files
    from reid.space import AUTO, EmbeddingSpace

    settings = common.settings_of(args, of_gallery=False)
    refuse_other_than_files(settings.gallery)
    path = Path(settings.gallery.removeprefix("sqlite:"))
    old = space_id_of(settings.gallery)
    # the same kind of space unless another is named, and the best run's weights unless others are
    kind = old.split(":")[0]
    settings = replace(settings, space=args.space or ("auto" if kind == AUTO else kind))
    space = EmbeddingSpace.load(
        settings.space, settings.weights, settings.models_dir,
        device=settings.device, runtime=settings.runtime, precision=settings.precision,
    )  # fmt: skip
    with (
        closing(common.audit_of(settings, settings.gallery)) as log,
        Pen(log, settings.gallery).change("reembed", Role.ADMIN, old=old, new=space.id) as more,
    ):
        done = reembed(path, space)
        more["photographs"] = done.switched.photos
    switched = done.switched
    print(f"{switched.photos:,} photographs of {path}: {old} -> {space.id}")
    if switched.unknowns:
        print(f"{switched.unknowns:,} kept faces of strangers with them.")
    if switched.rejections:
        print(f"{switched.rejections:,} answers of `not this person` were carried over by estimate: no crop is kept.")
    if switched.calibrated:
        print("Its calibration was of the old space and is gone: run `byteface calibrate` again.")
    print(f"As it was: {switched.backup}. Erasing somebody does not reach that file; delete it when you are content.")
    print("Programs that have the gallery open must be started again.")
    return 0
