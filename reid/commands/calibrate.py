"""`byteface calibrate`: chooses a gallery's threshold from photographs of people who are not enrolled."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reid.commands import common
from reid.errors import CalibrationError
from reid.gallery.base import Gallery
from reid.probability import SHARE, ScoreOdds, chance_at, valid_share
from reid.tables import inside, read_rows
from reid.types import STRANGER


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The strangers and the target."""
    common.add_table(parser, "--strangers-csv", "photographs of people who are not enrolled: image_path")
    common.add_gallery(parser)
    parser.add_argument(
        "--fpir", type=float, default=0.01, help="share of strangers' searches that may raise an alarm [0.01]"
    )
    parser.add_argument(
        "--share", type=float, default=SHARE, help="assumed share of searches whose person is enrolled [0.1]"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the threshold, leave the gallery's as it is")
    parser.add_argument("--defaults", type=Path, help="JSON file of defaults by embedding space to write the result to")
    common.add_face(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Searches every stranger, prints the threshold and the right person's share, keeps both with a .db gallery.

    Raises:
        CalibrationError: too few strangers with a face for the target, or one of them is enrolled by label.
    """
    from tqdm import tqdm

    from reid.describe import Describer
    from reid.gallery import open_gallery
    from reid.recognizer import stack
    from reid.score_odds import keep_odds
    from reid.threshold import calibrate, save_default, to_json

    valid_share(args.share)
    rows = read_rows(args.strangers_csv, labelled=False)
    settings = common.settings_of(args)
    describer = Describer.load(settings)
    read_only = args.dry_run or settings.gallery.endswith(".npy")
    opened = open_gallery(
        settings.gallery, space_id=describer.space.id, dim=describer.space.dim, create=False, read_only=read_only
    )
    gallery = common.recorded(opened, settings)
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
    with gallery.pen.use("calibrate", faces=len(usable), fpir=args.fpir):
        nearest = gallery.search(stack([one.templates[0] for one in usable]), 1)
    if not all(nearest):
        raise CalibrationError("The gallery is empty, so nobody can be confused. Enrol people first.")
    top1 = np.array([candidates[0].similarity for candidates in nearest], np.float32)
    people = [Path(one.name).parent.as_posix() if Path(one.name).parent.name else one.name for one in usable]
    threshold = calibrate(
        top1,
        people,
        args.fpir,
        gallery_size=gallery.count(),
        source=args.strangers_csv.name,
    )
    odds = _fit(gallery, top1, people, args.share)
    if not read_only:
        gallery.set_meta("calibration", to_json(threshold))
        keep_odds(gallery, odds)
    if args.defaults:
        save_default(args.defaults, describer.space.id, threshold)
    answer = {"space": describer.space.id, **asdict(threshold), "right_person": _right_person(odds, gallery.count())}
    answer.pop("alarms")  # a hundred counts for the page, nothing to read
    gallery.close()
    print(json.dumps(answer, indent=2))
    return 0


def _fit(gallery: Gallery, top1: NDArray[np.float32], people: Sequence[str], share: float) -> ScoreOdds | str:
    """The fit, or why there is none: the threshold stands by itself."""
    from reid.score_odds import fit_gallery

    try:
        return fit_gallery(gallery, top1, people, share)
    except CalibrationError as error:
        return str(error)


def _right_person(odds: ScoreOdds | str, people: int) -> dict[str, object]:
    """How often the first candidate is the right person, for the scores at which that changes."""
    if isinstance(odds, str):
        return {"of_100_searches": None, "reason": odds}
    chances = [(step / 20, chance_at(odds, step / 20, people)) for step in range(21)]
    return {
        "share_enrolled": odds.share,
        "right_searches": odds.right_searches,
        "right_people": odds.right_people,
        "wrong_searches": odds.wrong_searches,
        "wrong_people": odds.wrong_people,
        "of_100_searches": {
            f"{similarity:.2f}": {
                "right": round(100 * one.value, 1),
                "interval": [round(100 * one.low, 1), round(100 * one.high, 1)],
                "limit": one.limit,
            }
            for similarity, one in chances
        },
    }
