"""`byteface calibrate`: chooses a gallery's threshold from photographs of people who are not enrolled."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from reid.commands import common
from reid.errors import CalibrationError
from reid.tables import inside, read_rows
from reid.types import STRANGER


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The strangers and the target."""
    common.add_table(parser, "--strangers-csv", "photographs of people who are not enrolled: image_path")
    common.add_gallery(parser)
    parser.add_argument(
        "--fpir", type=float, default=0.01, help="share of strangers' searches that may raise an alarm [0.01]"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the threshold, leave the gallery's as it is")
    parser.add_argument("--defaults", type=Path, help="JSON file of defaults by embedding space to write the result to")
    common.add_face(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Searches every stranger, prints the threshold as JSON and keeps it with a .db gallery.

    Raises:
        CalibrationError: too few strangers with a face for the target, or one of them is enrolled by label.
    """
    from tqdm import tqdm

    from reid.describe import Describer
    from reid.gallery import open_gallery
    from reid.recognizer import stack
    from reid.threshold import calibrate, save_default, to_json

    rows = read_rows(args.strangers_csv, labelled=False)
    settings = common.settings_of(args)
    describer = Describer.load(settings)
    read_only = args.dry_run or settings.gallery.endswith(".npy")
    gallery = open_gallery(
        settings.gallery, space_id=describer.space.id, dim=describer.space.dim, create=False, read_only=read_only
    )
    enrolled = {row.label for row in rows if row.label and row.label != STRANGER and gallery.find(row.label)}
    if enrolled:
        raise CalibrationError(
            f"{len(enrolled)} labels of {args.strangers_csv.name} are enrolled. Leave those people out."
        )
    files = [(args.root_dir / row.image_path, row.image_path) for row in rows if inside(args.root_dir, row.image_path)]
    found = list(tqdm(describer.describe_files(files, args.face), total=len(files), unit="photo"))
    common.report_problems([one.reason for one in found if one.reason])
    usable = [one for one in found if one.status == "ok"]
    if not usable:
        raise CalibrationError(f"No face on the photographs of {args.strangers_csv.name}. Check --root-dir.")
    nearest = gallery.search(stack([one.templates[0] for one in usable]), 1)
    if not all(nearest):
        raise CalibrationError("The gallery is empty, so nobody can be confused. Enrol people first.")
    threshold = calibrate(
        np.array([candidates[0].similarity for candidates in nearest], np.float32),
        [Path(one.name).parent.as_posix() if Path(one.name).parent.name else one.name for one in usable],
        args.fpir,
        gallery_size=gallery.count(),
        source=args.strangers_csv.name,
    )
    if not read_only:
        gallery.set_meta("calibration", to_json(threshold))
    if args.defaults:
        save_default(args.defaults, describer.space.id, threshold)
    gallery.close()
    answer = {"space": describer.space.id, **asdict(threshold)}
    answer.pop("alarms")  # a hundred counts for the page, nothing to read
    print(json.dumps(answer, indent=2))
    return 0
