"""`byteface predict`: a name or `doesn't_exist` for every photograph of a CSV."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from reid.commands import common
from reid.faces import FaceChoice
from reid.tables import REPORT_COLUMNS, Row, inside, read_rows, write_csv
from reid.types import STRANGER

if TYPE_CHECKING:
    from reid.audit.recording import RecordingGallery
    from reid.describe import Described, Describer

_CHUNK = 512


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the reference, then ours."""
    common.add_table(parser, "--eval-csv", "photographs to name: image_path and, to be scored, gt")
    common.add_gallery(parser)
    parser.add_argument("--out", type=Path, default=Path("submission.csv"), help="[submission.csv]")
    parser.add_argument("--threshold", type=float, help="cosine at and above which a name is given [the gallery's own]")
    parser.add_argument(
        "--batch", type=int, default=32, help="accepted for old scripts; batches are sized by themselves"
    )
    parser.add_argument("--report", type=Path, help="also write similarities, boxes and reasons, one row a probe")
    common.add_purpose(parser)
    common.add_face(parser, "best")
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Writes the submission, and the report where asked for; prints counts and, where the CSV has labels, scores."""
    from reid.describe import Describer
    from reid.gallery import open_gallery
    from reid.metrics import format_score, score_report
    from reid.recognizer import threshold_of

    rows = read_rows(args.eval_csv, labelled=False)
    settings = common.settings_of(args)
    describer = Describer.load(settings)
    opened = open_gallery(
        settings.gallery, space_id=describer.space.id, dim=describer.space.dim, create=False, read_only=True
    )
    gallery = common.recorded(opened, settings)
    gallery.pen.ask_purpose(args.purpose)  # before an hour of looking
    known = threshold_of(gallery, describer.space)
    threshold = known.value if args.threshold is None else args.threshold
    report = pd.DataFrame(_answers(rows, args, describer, gallery, threshold), columns=list(REPORT_COLUMNS))

    write_csv(args.out, _submission(report))
    if args.report:
        write_csv(args.report, report)
    common.report_problems([reason for reason in report["reason"] if reason])
    print(common.summary(Counter(report["status"])))
    print(f"threshold {threshold:.4f}. {known.origin if args.threshold is None else 'Given by --threshold.'}")
    if all(row.label is not None for row in rows):
        answers = [{str(name): str(value) for name, value in row.items()} for row in report.to_dict("records")]
        print(format_score(score_report(answers, [str(row.label) for row in rows])))
    print(f"answers in {args.out}")
    return 0


def _answers(
    rows: Sequence[Row], args: argparse.Namespace, describer: Describer, gallery: RecordingGallery, threshold: float
) -> Iterator[tuple[object, ...]]:
    from tqdm import tqdm

    choice: FaceChoice | Literal["all"] = "all" if args.face == "best" else args.face
    outside = {row.image_path for row in rows if inside(args.root_dir, row.image_path) is None}
    files = ((args.root_dir / row.image_path, row.image_path) for row in rows if row.image_path not in outside)
    described = iter(tqdm(describer.describe_files(files, choice), total=len(rows) - len(outside), unit="photo"))
    waiting = iter(rows)
    while chunk := list(islice(waiting, _CHUNK)):
        found = [None if row.image_path in outside else next(described) for row in chunk]
        yield from _decided(chunk, found, gallery, threshold, args.purpose)


def _decided(
    rows: Sequence[Row], found: Sequence[Described | None], gallery: RecordingGallery, threshold: float, purpose: str
) -> Iterator[tuple[object, ...]]:
    """Report rows of one chunk: one search for all its faces, then the best face of each photograph."""
    from reid.audit.rows import utc_now
    from reid.audit.writing import within
    from reid.recognizer import stack

    started = utc_now()
    templates = [template for one in found if one for template in one.templates]
    with within():
        nearest_of = gallery.search(stack(templates), 2) if templates else []
    taken = iter(nearest_of)
    searched = [(one.sha256, [next(taken) for _ in one.templates]) for one in found if one and one.sha256]
    gallery.pen.batch(searched, threshold, purpose=purpose, started_at=started)
    candidates = iter(nearest_of)
    for row, one in zip(rows, found, strict=True):
        if one is None:
            reason = f"{row.image_path}: the path leaves the root directory. Correct it in the CSV."
            yield (row.image_path, STRANGER, "", "", "", "", 0, "", "", "", "unreadable", reason)
            continue
        pairs = [(template, next(candidates)) for template in one.templates]
        if not pairs:
            yield (row.image_path, STRANGER, "", "", "", "", one.faces, "", "", "", one.status, one.reason)
            continue
        template, nearest = max(pairs, key=lambda pair: pair[1][0].similarity if pair[1] else -2.0)
        best, second = [*nearest, None, None][:2]
        yield (
            row.image_path,
            best.identity.name if best and best.similarity >= threshold else STRANGER,
            best.identity.name if best else "",
            best.similarity if best else "",
            second.identity.name if second else "",
            second.similarity if second else "",
            one.faces,
            json.dumps([round(float(value), 1) for value in template.face.box_px]),
            round(template.face.confidence, 4),
            round(template.quality.score, 4),
            "ok",
            "",
        )


def _submission(report: pd.DataFrame) -> pd.DataFrame:
    """The reference's answer file: rows in input order, the objects as the text of a Python dict."""
    objects = [
        repr({"gt": predicted, "image": f"test_set/{image_path}"})
        for predicted, image_path in zip(report["predicted"], report["image_path"], strict=True)
    ]
    return pd.DataFrame({"ID": range(len(report)), "frame": -1, "objects": objects, "objective": "face_reid"})
