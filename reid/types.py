"""The nouns of the product as frozen records. Knows no network, no storage and no page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]
"""(H, W, 3) upright photograph or crop, red first, 0-255."""

Embeddings = NDArray[np.float32]
"""(N, D) unit rows; the dot product of two rows is their cosine similarity in [-1, 1]."""

STRANGER = "doesn't_exist"
"""The label of a probe that nobody enrolled reaches the threshold with; reserved, no identity may bear it."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One detected face, in pixels of the upright photograph.

    Attributes:
        box_px: left, top, right, bottom; may reach beyond the picture's edge.
        landmarks_px: (5, 2) x, y of the eye on the picture's left, the eye on its right, the nose tip,
            the mouth corner on the left and the one on the right.
        confidence: the detector's own score in [0, 1]; says "a face", nothing about whose.
    """

    box_px: tuple[float, float, float, float]
    landmarks_px: NDArray[np.float32]
    confidence: float

    @property
    def width_px(self) -> float:
        return self.box_px[2] - self.box_px[0]

    @property
    def height_px(self) -> float:
        return self.box_px[3] - self.box_px[1]

    @property
    def area_px(self) -> float:
        return self.width_px * self.height_px

    @property
    def centre_px(self) -> tuple[float, float]:
        return (self.box_px[0] + self.box_px[2]) / 2, (self.box_px[1] + self.box_px[3]) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """A decoded picture and where it came from.

    Attributes:
        pixels: (H, W, 3) upright RGB.
        name: what a person calls it, usually its file name. Shown, never logged.
        sha256: of the bytes it was decoded from: the same file has the same one wherever it lies.
    """

    pixels: RGB
    name: str
    sha256: str

    @property
    def width_px(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be measured on one face before anyone compares it.

    Attributes:
        size_px: distance between the eyes in the photograph, corrected for the turn of the head.
        sharpness: in [0, 1], from the Laplacian of the aligned crop.
        yaw_deg: estimated turn of the head from the landmarks; 0 looks into the camera.
        exposure: in [0, 1], share of the crop that is neither burnt out nor black.
        score: in [0, 1], all of them in one number.
    """

    size_px: float
    sharpness: float
    yaw_deg: float
    exposure: float
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A face made comparable: where it was, how good it is, its stored crop and its embedding.

    Attributes:
        face: the detection it was made from.
        quality: measured on the photograph.
        chip: (CHIP_PX, CHIP_PX, 3) upright crop with a margin, what is shown and stored.
        chip_landmarks_px: (5, 2) in pixels of the chip: any network's crop can be cut again from it.
        embedding: (D,) unit vector.
    """

    face: Face
    quality: Quality
    chip: RGB
    chip_landmarks_px: NDArray[np.float32]
    embedding: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One enrolled photograph of one identity, as a gallery keeps it.

    Attributes:
        id: made from the photograph's bytes, the face in it and the identity: enrolling the same again replaces it.
        crop_jpeg: the chip as JPEG.
        landmarks_px: (5, 2) in pixels of that chip.
        embedding: (D,) unit vector in the gallery's space.
        quality: in [0, 1].
        source: file name or the like, for people.
        added_at: ISO 8601, UTC.
        sha256: of the photograph's bytes, so that the same file is known again; empty where nobody wrote it down.
    """

    id: str
    identity_id: str
    identity_name: str
    crop_jpeg: bytes
    landmarks_px: NDArray[np.float32]
    embedding: NDArray[np.float32]
    quality: float
    source: str
    added_at: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody enrolled.

    Attributes:
        id: opaque; stays when the name changes.
        photo_count: photographs that its template is the mean of.
        cover_photo_id: the photograph to show; None where a gallery keeps no photographs.
        metadata: free fields; empty unless somebody wrote any.
    """

    id: str
    name: str
    photo_count: int
    cover_photo_id: str | None
    created_at: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Rejection:
    """Somebody said: this face is not that person.

    Attributes:
        source: what the photograph of the face was called.
        embedding: (D,) unit vector of the face, in the gallery's space.
    """

    id: str
    identity_id: str
    source: str
    added_at: str
    embedding: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class KeptFace:
    """A face of nobody enrolled that was seen in a probe and is kept for a while. The photograph is not.

    Attributes:
        id: made from the photograph's bytes and the face in it: keeping the same again changes nothing.
        crop_jpeg: the chip as JPEG.
        landmarks_px: (5, 2) in pixels of that chip.
        embedding: (D,) unit vector in the gallery's space.
        quality: as measured on the photograph.
        box_px: where it was in the photograph.
        source: what the photograph was called.
        sha256: of the photograph's bytes.
        seen_at: ISO 8601, UTC.
        expires_at: ISO 8601, UTC; from then on it is not kept any longer. Means nothing for an ignored one.
        ignored: kept only to be known as a face that nobody wants to hear of.
    """

    id: str
    crop_jpeg: bytes
    landmarks_px: NDArray[np.float32]
    embedding: NDArray[np.float32]
    quality: Quality
    box_px: tuple[float, float, float, float]
    source: str
    sha256: str
    seen_at: str
    expires_at: str
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One identity that a probe was compared with.

    Attributes:
        similarity: cosine of probe and the identity's template, in [-1, 1], full float32 precision.
        photo_id: the enrolled photograph nearest to the probe; None where a gallery keeps no photographs.
        photo_similarity: cosine of probe and that photograph.
    """

    identity: Identity
    similarity: float
    photo_id: str | None
    photo_similarity: float | None


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """What is known about one face of a probe.

    Attributes:
        template: the searched face; its embedding re-decides without the network.
        candidates: nearest identities, similarity descending, each identity once.
        threshold: cosine at and above which the first candidate is named.
    """

    template: Template
    candidates: tuple[Candidate, ...]
    threshold: float

    @property
    def potential(self) -> Candidate | None:
        """The best candidate where it reaches the threshold, otherwise None: `doesn't_exist`."""
        if self.candidates and self.candidates[0].similarity >= self.threshold:
            return self.candidates[0]
        return None

    @property
    def label(self) -> str:
        potential = self.potential
        return potential.identity.name if potential else STRANGER


@dataclass(frozen=True, slots=True)
class Threshold:
    """A decision threshold together with what it rests on.

    Attributes:
        value: cosine in [-1, 1].
        origin: one sentence that says where the number comes from; shown beside it.
        calibrated: False for a number that nobody measured with this embedding space.
        fpir: the false positive identification rate it was chosen for; None when not measured.
        searches: non-mated searches it rests on; 0 when not measured.
        gallery_size: identities that were enrolled then; the rate grows with them.
        interval: 95 % bootstrap interval of the value over people; None when not measured.
        alarms: how many of the strangers' searches reached 0.00, 0.01, 0.02 and so on until none did; empty when nobody
            counted.
    """

    value: float
    origin: str
    calibrated: bool
    fpir: float | None = None
    searches: int = 0
    gallery_size: int = 0
    interval: tuple[float, float] | None = None
    alarms: tuple[int, ...] = ()
