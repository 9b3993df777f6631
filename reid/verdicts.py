"""What a face's quality means: may it be searched, may it be enrolled, and why not. Knows no network.

Reasons are short English phrases with their number apart, so that a page can translate them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reid.types import Quality, Template

# Measured with benchmarks/quality.py on validation probes at full size and with faces of 48 to 16 px; its table says
# what each limit costs and saves. Light below 0.7 and turns beyond 40 degrees hardly occur there: those limits are a
# judgement.

MIN_SEARCH_PX = 12.0
"""Width of the narrowest face that is compared: of the people on narrower ones nobody was named rightly."""
MIN_ENROL_PX = 32.0
"""Of faces this wide 99 in 100 are named rightly, of those of 24 to 32 px 89."""
GOOD_ENROL_PX = 80.0
BLURRED = 0.05
SOFT = 0.2
"""Sharper faces are named rightly 99 times in 100, those from 0.12 on 91 times."""
TURNED_SEARCH_DEG = 75.0
TURNED_ENROL_DEG = 45.0
TURNED_GOOD_DEG = 30.0
DARK_SEARCH = 0.15
DARK = 0.45

Aspect = Literal["size", "sharpness", "pose", "exposure"]


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a face.

    Attributes:
        aspect: what was measured.
        words: what to say, with `{value}` and `{limit}` where the numbers go.
        bad: whether it counts against the face.
        position: where the value lies on a line from 0 to 1, for drawing.
        limit: where the least that is accepted lies on that line.
    """

    aspect: Aspect
    words: str
    value: float
    limit_value: float
    bad: bool
    position: float
    limit: float

    @property
    def text(self) -> str:
        """The words with their numbers, in English: for files and clients."""
        return self.words.format(value=f"{self.value:g}", limit=f"{self.limit_value:g}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a photograph is worth enrolling.

    Attributes:
        level: `good` and `usable` are enrolled, `poor` is left out unless somebody insists.
        remarks: size, sharpness, pose, exposure, in that order.
    """

    level: Literal["good", "usable", "poor"]
    remarks: tuple[Remark, ...]


def not_searched(template: Template) -> Remark | None:
    """Why a face is not compared at all; None where it is."""
    for remark in _remarks(template, MIN_SEARCH_PX, BLURRED / 2, TURNED_SEARCH_DEG, DARK_SEARCH):
        if remark.bad:
            return remark
    return None


def enrolment_verdict(template: Template) -> Verdict:
    """Is this face good enough to find somebody by?"""
    remarks = _remarks(template, MIN_ENROL_PX, BLURRED, TURNED_ENROL_DEG, DARK)
    quality = template.quality
    if any(remark.bad for remark in remarks):
        return Verdict("poor", remarks)
    good = (
        template.face.width_px >= GOOD_ENROL_PX
        and quality.sharpness >= SOFT
        and abs(quality.yaw_deg) <= TURNED_GOOD_DEG
        and quality.exposure >= (1 + DARK) / 2
    )
    return Verdict("good" if good else "usable", remarks)


def described(template: Template) -> tuple[Remark, ...]:
    """Size, sharpness and pose of a face in words, without judging it."""
    return _remarks(template, MIN_ENROL_PX, BLURRED, TURNED_ENROL_DEG, DARK)[:3]


def _remarks(
    template: Template, least_px: float, least_sharpness: float, most_deg: float, least_exposure: float
) -> tuple[Remark, ...]:
    quality: Quality = template.quality
    width, turn = template.face.width_px, abs(quality.yaw_deg)
    small, blurred, turned = width < least_px, quality.sharpness < least_sharpness, turn > most_deg
    dark = quality.exposure < least_exposure
    size_words = "Too small: {value} px, needs {limit}" if small else "{value} px wide"
    sharp_words = "Blurred" if blurred else "Soft" if quality.sharpness < SOFT else "Sharp"
    return (
        Remark(
            "size", size_words, round(width), round(least_px), small, width / (width + 100), least_px / (least_px + 100)
        ),
        Remark(
            "sharpness",
            sharp_words,
            quality.sharpness,
            least_sharpness,
            blurred,
            min(1.0, quality.sharpness / 0.5),
            least_sharpness / 0.5,
        ),
        Remark(
            "pose",
            "Turned away {value}°" if turned else "Turned {value}°",
            round(turn),
            round(most_deg),
            turned,
            1 - min(turn, 90) / 90,
            1 - most_deg / 90,
        ),
        Remark(
            "exposure",
            "Too dark or too bright"
            if dark
            else "Even light"
            if quality.exposure >= (1 + DARK) / 2
            else "Uneven light",
            quality.exposure,
            least_exposure,
            dark,
            quality.exposure,
            least_exposure,
        ),
    )
