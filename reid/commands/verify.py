"""`byteface verify`: one person or two, as JSON: two photographs, or a photograph and an enrolled person."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from reid.commands import common
from reid.errors import IdentityNotFoundError, LowQualityError, SettingsError
from reid.faces import FACE_CHOICES, FaceChoice, meant_face
from reid.types import Photograph, Template
from reid.verdicts import described, not_searched

if TYPE_CHECKING:  # brings the detectors, which --help does without
    from reid.describe import Describer
    from reid.settings import Settings
    from reid.space import EmbeddingSpace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The photographs, or the photograph and the person."""
    parser.add_argument("photograph", type=Path)
    parser.add_argument("other", type=Path, nargs="?", help="the photograph to compare it with")
    parser.add_argument("--person", metavar="NAME", help="compare with all photographs of an enrolled person instead")
    parser.add_argument(
        "--face",
        type=_face,
        action="append",
        metavar="|".join((*FACE_CHOICES, "NUMBER")),
        help="which face of several is meant, the largest being 1; given twice, the second is the other photograph's "
        "[largest]",
    )
    parser.add_argument("--threshold", type=float, help="cosine at and above which they may be one person [gallery's]")
    common.add_purpose(parser)
    common.add_gallery(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the similarity, the threshold, the decision in words, and which face of each was compared.

    Raises:
        ImageDecodeError: a photograph cannot be read.
        NoFaceError: there is no face on it, or not so many.
        LowQualityError: a face is too poor to be compared.
        IdentityNotFoundError: nobody of that name is enrolled.
    """
    if (args.other is None) == (args.person is None):
        raise SettingsError("Name a second photograph, or a person with --person. One of the two is compared with.")
    from reid.audit.writing import Pen
    from reid.describe import Describer
    from reid.images import read_photograph
    from reid.verification import DECISION_WORDS, compared_facts, verify_faces

    photographs = [read_photograph(path) for path in (args.photograph, args.other) if path]
    choices = args.face or ["largest"]
    settings = common.settings_of(args)
    if args.person is not None:
        return _verify_person(args, settings, photographs[0], choices[0])
    describer = Describer.load(settings)
    pen = Pen(common.audit_of(settings, settings.gallery), settings.gallery)
    inputs = [photograph.sha256 for photograph in photographs]
    with pen.use("verify", inputs=inputs, purpose=args.purpose) as use:
        first = _side(describer, photographs[0], choices[0])
        second = _side(describer, photographs[1], choices[-1])
        threshold, origin = _threshold(args, describer.space, settings.gallery)
        found = verify_faces(first[0], second[0], threshold)
        use.details.update(compared_facts(found))
    answer = {
        "decision": DECISION_WORDS[found.decision],
        "similarity": found.similarity,
        "threshold": threshold,
        "threshold_origin": origin,
        "space": describer.space.id,
        "first": _face_facts(photographs[0], *first),
        "second": _face_facts(photographs[1], *second),
        "note": "A lead, not an identification. Corroborate before you act.",
    }
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return 0


def _verify_person(
    args: argparse.Namespace, settings: Settings, photograph: Photograph, choice: FaceChoice | int
) -> int:
    from reid.gallery import is_there
    from reid.recognizer import Recognizer
    from reid.verification import DECISION_WORDS, compared_facts, verify_person

    if not is_there(settings.gallery):
        raise IdentityNotFoundError(f"There is no gallery {settings.gallery}. Enrol somebody first, or name another.")
    recognizer = Recognizer.open(settings)
    try:
        identity = recognizer.gallery.find(args.person)
        if identity is None:
            raise IdentityNotFoundError(f"Nobody called {args.person!r} is enrolled. Check the spelling.")
        side = _side(recognizer.describer, photograph, choice)
        threshold = recognizer.threshold.value if args.threshold is None else args.threshold
        pen = recognizer.gallery.pen
        with pen.use("verify", inputs=[photograph.sha256], subjects=[identity.id], purpose=args.purpose) as use:
            found = verify_person(recognizer.gallery, side[0], identity.id, threshold)
            use.details.update(compared_facts(found))
        answer = {
            "decision": DECISION_WORDS[found.decision],
            "similarity": found.similarity,
            "threshold": threshold,
            "threshold_origin": recognizer.threshold.origin if args.threshold is None else "Given by --threshold.",
            "space": recognizer.space.id,
            "first": _face_facts(photograph, *side),
            "person": {"name": identity.name, "identity_id": identity.id, "photographs": identity.photo_count},
            "photos": [{"photo_id": one.id, "source": one.source, "similarity": own} for one, own in found.photos],
            "note": "A lead, not an identification. Corroborate before you act.",
        }
    finally:
        recognizer.close()
    print(json.dumps(answer, ensure_ascii=False, indent=2))
    return 0


def _face(word: str) -> FaceChoice | int:
    """An argument of --face: a way to choose, or a number from 1; comes back as a number from 0."""
    for choice in FACE_CHOICES:
        if word == choice:
            return choice
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no face: {', '.join(FACE_CHOICES)} or a number from 1")
    return int(word) - 1


def _side(describer: Describer, photograph: Photograph, choice: FaceChoice | int) -> tuple[Template, int, int]:
    """One face of a photograph that can be compared, its number from 1, and how many faces there are."""
    faces = describer.detect(photograph)
    face = meant_face(photograph, faces, choice)
    template = describer.describe(photograph, [face])[0]
    reason = not_searched(template)
    number = next(index for index, one in enumerate(faces, 1) if one is face)
    if reason is not None:
        raise LowQualityError(
            f"{photograph.name}: face {number} cannot be compared, {reason.text[:1].lower()}{reason.text[1:]}. "
            "Try a larger or sharper original."
        )
    return template, number, len(faces)


def _threshold(args: argparse.Namespace, space: EmbeddingSpace, gallery: str) -> tuple[float, str]:
    """Asked for, or the gallery's where it is of the same space, or the default of the space."""
    from reid.gallery import is_there, open_gallery
    from reid.recognizer import threshold_of
    from reid.threshold import measured_default

    if args.threshold is not None:
        return args.threshold, "Given by --threshold."
    found = space.threshold or measured_default(space.id)
    if is_there(gallery):
        known = open_gallery(gallery, space_id=None, dim=None, create=False, read_only=True)
        if known.space_id == space.id:
            found = threshold_of(known, space)
        known.close()
    return found.value, found.origin


def _face_facts(photograph: Photograph, template: Template, number: int, faces: int) -> dict[str, object]:
    face = template.face
    return {
        "photograph": photograph.name,
        "face": number,
        "faces": faces,
        "box_px": [round(float(value), 1) for value in face.box_px],
        "detection_confidence": round(face.confidence, 4),
        "quality": round(template.quality.score, 4),
        "quality_reasons": [remark.text for remark in described(template)],
    }
