"""The result of a session to take away: JSON, CSV, and the photograph with its boxes. Written to no disk."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from reid.recognizer import Recognizer
from reid.tables import plain
from reid.types import STRANGER
from reid.ui.probing import FaceView, decide
from reid.ui.session import VERDICTS, Session, Shot

_COLUMNS = (
    "image", "face", "status", "predicted", "similarity", "second_label", "second_similarity", "threshold", "box",
    "detection_confidence", "quality", "reason", "verdict", "verdict_on", "verdict_reason", "verdict_at",
)  # fmt: skip


def result_json(recognizer: Recognizer, session: Session, threshold: float, k: int) -> bytes:
    """Every face of every photograph with its candidates."""
    found = {
        "note": "A lead, not an identification. Corroborate before you act.",
        "space": recognizer.space.id,
        "threshold": threshold,
        "photographs": [
            {
                "name": shot.name,
                "sha256": shot.sha256,
                "width_px": shot.width_px,
                "height_px": shot.height_px,
                "faces": [_face(view) for view in decide(recognizer, shot, threshold, k)],
            }
            for shot in session.shots.values()
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=1).encode()


def _face(view: FaceView) -> dict[str, Any]:
    assigned, face = view.assigned, view.template.face
    return {
        "face": view.number,
        "status": "not_searched" if assigned is None else "ok",
        "predicted": assigned.label if assigned else STRANGER,
        "reason": _reason(view),
        "box_px": [round(value, 1) for value in face.box_px],
        "detection_confidence": face.confidence,
        "quality": view.template.quality.score,
        "candidates": [
            {"id": one.identity.id, "name": one.identity.name, "similarity": one.similarity, "photo_id": one.photo_id}
            for one in view.candidates
        ],
        "rejected": [one.identity.id for one, _ in view.rejected],
        "verdicts": [asdict(one) for one in view.shot.opinions.get(view.index, [])],
    }


def _reason(view: FaceView) -> str:
    if view.reason is not None:
        return view.reason.text
    if view.assigned and not view.assigned.given and view.assigned.elsewhere:
        candidate, face = view.assigned.elsewhere[0]
        return f"{candidate.identity.name} fits face {face + 1} better"
    return ""


def result_csv(recognizer: Recognizer, session: Session, threshold: float, k: int) -> bytes:
    """The same as a table, one row a face; with a byte order mark, so that spreadsheets read every script."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS)
    writer.writeheader()
    for shot in session.shots.values():
        writer.writerows(_rows(decide(recognizer, shot, threshold, k)))
    return text.getvalue().encode("utf-8-sig")


def _rows(views: list[FaceView]) -> Iterator[dict[str, object]]:
    for view in views:
        face = _face(view)
        given = view.assigned.given if view.assigned else None
        best = given or (view.candidates[0] if view.candidates else None)
        second = next((one for one in view.candidates if best and one.identity.id != best.identity.id), None)
        yield {
            "image": plain(view.shot.name),
            "face": view.number,
            "status": face["status"],
            "predicted": plain(face["predicted"]),
            "similarity": best.similarity if best else "",
            "second_label": plain(second.identity.name) if second else "",
            "second_similarity": second.similarity if second else "",
            "threshold": view.threshold,
            "box": " ".join(f"{value:g}" for value in face["box_px"]),
            "detection_confidence": face["detection_confidence"],
            "quality": face["quality"],
            "reason": plain(face["reason"]),
            **_last_verdict(view),
        }


def _last_verdict(view: FaceView) -> dict[str, object]:
    """What a person said last; the JSON has all of it."""
    said = view.shot.opinions.get(view.index)
    if not said:
        return {}
    last = said[-1]
    return {
        "verdict": VERDICTS[last.verdict],
        "verdict_on": plain(last.name),
        "verdict_reason": plain(last.reason),
        "verdict_at": last.at,
    }


def annotated_jpeg(recognizer: Recognizer, shot: Shot, threshold: float, k: int) -> bytes:
    """The photograph as the page shows it, with boxes, numbers and decisions drawn in."""
    picture = Image.open(io.BytesIO(shot.jpeg)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    line = max(2, round(max(picture.size) / 500))
    font = ImageFont.load_default(size=max(12, round(max(picture.size) / 60)))
    for view in decide(recognizer, shot, threshold, k):
        box = [value * shot.scale for value in view.template.face.box_px]
        colour = {"candidate": "#4FD3F7", "stranger": "#FFFFFF", "unsearched": "#D9D9D6"}[view.kind]
        given = view.assigned.given if view.assigned else None
        words = {"candidate": given.identity.name if given else "", "stranger": "No candidate"}.get(
            view.kind, "Not searched"
        )
        draw.rectangle(box, outline="#111111", width=line + 2)
        draw.rectangle(box, outline=colour, width=line)
        label = f"{view.number}  {words}"
        left, top, right, bottom = draw.textbbox((0, 0), label, font=font)
        x = min(max(0.0, box[0]), max(0.0, picture.width - (right - left) - 12))
        y = box[1] - (bottom - top) - 14 if box[1] > bottom - top + 14 else box[3] + 4
        draw.rectangle((x, y, x + right - left + 12, y + bottom - top + 10), fill="#121212")
        draw.text((x + 6 - left, y + 5 - top), label, fill=colour, font=font)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=92)
    return out.getvalue()
