"""`byteface identify`: who is on one photograph, as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from reid.commands import common
from reid.errors import NoFaceError
from reid.types import SearchResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The photograph, and how many candidates."""
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--top-k", type=int, default=5, help="candidates a face [5]")
    parser.add_argument("--threshold", type=float, help="cosine at and above which a name is given [the gallery's own]")
    common.add_purpose(parser)
    common.add_gallery(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Prints every face with its label and nearest candidates, the largest face first.

    Raises:
        ImageDecodeError: the photograph cannot be read.
        NoFaceError: there is no face on it.
    """
    from reid.images import read_photograph
    from reid.recognizer import Recognizer

    photograph = read_photograph(args.photograph)
    recognizer = Recognizer.open(common.settings_of(args))
    results = recognizer.search(photograph, k=args.top_k, threshold=args.threshold, purpose=args.purpose)
    if not results:
        raise NoFaceError(f"{photograph.name}: no face found. Try a larger or sharper original.")
    threshold = recognizer.threshold
    answer = {
        "photograph": photograph.name,
        "width_px": photograph.width_px,
        "height_px": photograph.height_px,
        "space": recognizer.space.id,
        "threshold": results[0].threshold,
        "threshold_origin": threshold.origin if args.threshold is None else "Given by --threshold.",
        "faces": [_face(result) for result in results],
    }
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    recognizer.close()
    return 0


def _face(result: SearchResult) -> dict[str, object]:
    face, quality = result.template.face, result.template.quality
    return {
        "label": result.label,
        "box_px": [round(float(value), 1) for value in face.box_px],
        "landmarks_px": [[round(float(x), 1), round(float(y), 1)] for x, y in face.landmarks_px],
        "detection_confidence": round(face.confidence, 4),
        "quality": round(quality.score, 4),
        "candidates": [
            {
                "name": candidate.identity.name,
                "identity_id": candidate.identity.id,
                "similarity": candidate.similarity,
                "photo_id": candidate.photo_id,
                "photo_similarity": candidate.photo_similarity,
            }
            for candidate in result.candidates
        ],
    }
