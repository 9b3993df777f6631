"""`byteface enrol`: photographs of one person into a gallery."""

from __future__ import annotations

import argparse
from pathlib import Path

from reid.commands import common
from reid.errors import FaceError, ImageDecodeError, NoFaceError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who, and from which photographs."""
    parser.add_argument("name", help="the person's name; an enrolled one gets the photographs added")
    parser.add_argument("photographs", nargs="+", type=Path)
    parser.add_argument(
        "--face", choices=("only", "largest", "central"), default="only",
        help="which face is meant; `only` refuses photographs with several [only]",
    )  # fmt: skip
    common.add_gallery(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Enrols what can be used and names the rest.

    Raises:
        NoFaceError: nothing could be used; the gallery is as it was.
        GalleryError: the name or the gallery cannot be used.
    """
    from reid.gallery.names import valid_name
    from reid.images import read_photograph
    from reid.recognizer import Recognizer

    valid_name(args.name)
    recognizer = Recognizer.open(common.settings_of(args))
    samples, problems = [], []
    for path in args.photographs:
        try:
            photograph = read_photograph(path)
            samples.append(recognizer.sample(photograph, None if args.face == "only" else args.face))
        except (ImageDecodeError, FaceError) as error:
            problems.append(str(error))
    common.report_problems(problems)
    if not samples:
        raise NoFaceError("Nobody was enrolled. Add at least one photograph that shows the person's face.")
    done = recognizer.enrol(args.name, samples)
    print(
        f"{'Enrolled' if done.created else 'Added to'} {done.identity.name}: {len(done.photo_ids)} photographs"
        f"{f', {len(problems)} left out' if problems else ''}; {done.identity.photo_count} in all."
    )
    recognizer.close()
    return 0
