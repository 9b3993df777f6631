"""Which face of a photograph is meant. Knows only boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from reid.errors import NoFaceError
from reid.types import Face, Photograph

FaceChoice = Literal["largest", "central"]
FACE_CHOICES: tuple[FaceChoice, ...] = ("largest", "central")


def chosen_face(photograph: Photograph, faces: Sequence[Face], choice: FaceChoice) -> Face | None:
    """The face that a photograph stands for, or None where there is none.

    `largest` by area of the box; `central` by distance of the box's centre from the picture's, which is what
    photographs cut around one person mean, such as LFW's.
    """
    if not faces:
        return None
    if choice == "largest":
        return max(faces, key=lambda face: face.area_px)
    middle_x, middle_y = photograph.width_px / 2, photograph.height_px / 2
    return min(faces, key=lambda face: (face.centre_px[0] - middle_x) ** 2 + (face.centre_px[1] - middle_y) ** 2)


def meant_face(photograph: Photograph, faces: Sequence[Face], choice: FaceChoice | int) -> Face:
    """The face that somebody means: by a way to choose, or by its place in `faces`, counted from 0.

    Raises:
        NoFaceError: there is none, or not so many.
    """
    if not faces:
        raise NoFaceError(f"{photograph.name}: no face found. Try a larger or sharper original.")
    if isinstance(choice, int):
        if not 0 <= choice < len(faces):
            raise NoFaceError(f"{photograph.name}: no face {choice + 1}, only {len(faces)}. Choose one of them.")
        return faces[choice]
    found = chosen_face(photograph, faces, choice)
    assert found is not None  # there are faces, so one was chosen
    return found
