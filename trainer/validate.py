"""What a network is worth on people it did not learn, while it learns: DIR at a FPIR, clean and as a camera sees it.

Quicker than the protocol of `byteface evaluate`: bfloat16, at most four photographs a template, and mirror images only
where a share of the weights is chosen.
Knows crops and labels, no optimiser.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from reid import metrics
from reid.networks.facenet import Standardisation, standardise
from reid.types import RGB, Embeddings
from trainer.augment import Surveillance, surveillance_view
from trainer.data import FoundFace
from trainer.splits import Split

_PER_TEMPLATE = 4
_BATCH = 64
_CAMERA = Surveillance(face_px=(20.0, 40.0))
_FMR = 1e-3
_PAIRS = 30  # of one stranger, and strangers: with fewer nothing is said of forgetting
_ONE_SIDED = 1.645  # normal deviate of 5 %


@dataclass(frozen=True, slots=True)
class Validation:
    """What was found.

    Attributes:
        fpir: the smallest of 1 % and 10 % that the strangers allow an alarm at.
        clean: DIR there on the photographs as they are.
        degraded: DIR there on the same photographs as a bad camera sees them, 20 to 40 px a face.
        kept: for each pair of photographs of one stranger, whether they are more alike than all but one in a thousand
            pairs of two strangers: where a network forgets, it loses these first. Empty where strangers have too few.
    """

    fpir: float
    rank1: float
    clean: float
    degraded: float
    kept: tuple[bool, ...] = ()

    @property
    def score(self) -> float:
        """What epochs and alphas are chosen by."""
        return (self.clean + self.degraded) / 2

    @property
    def strangers(self) -> float | None:
        """True acceptance rate of strangers' pairs at FMR 0.1 %."""
        return sum(self.kept) / len(self.kept) if self.kept else None

    def forgets(self, before: Validation) -> bool:
        """Whether it loses more of the strangers' pairs than chance explains (McNemar's test, one-sided, 5 %)."""
        lost = sum(was and not is_now for was, is_now in zip(before.kept, self.kept, strict=True))
        won = sum(is_now and not was for was, is_now in zip(before.kept, self.kept, strict=True))
        return lost - won > _ONE_SIDED * math.sqrt(lost + won)

    def as_json(self) -> dict[str, float | None]:
        """As metrics.json keeps it."""
        return {
            "fpir": self.fpir, "rank1": self.rank1, "clean": self.clean, "degraded": self.degraded,
            "strangers": self.strangers,
        }  # fmt: skip


class Validator:
    """Scores one network after the other on the same crops."""

    def __init__(self, split: Split, side_px: int, standardisation: Standardisation, device: torch.device) -> None:
        self.standardisation, self.device = standardisation, device
        gallery = _first_of_each(split.train, _PER_TEMPLATE)
        probes = [*split.mated, *split.strangers]
        self.classes = np.array([split.class_of(face) for face in gallery])
        self.truth = np.array([split.class_of(face) for face in probes])
        self.people = metrics.number_people([face.image_path for face in probes], [str(face.label) for face in probes])
        self.gallery = _stack([face.read_crop(side_px) for face in gallery], side_px)
        clean = [face.read_crop(side_px) for face in probes]
        cv2.setNumThreads(1)
        views = [surveillance_view(crop, np.random.default_rng([7, i]), _CAMERA) for i, crop in enumerate(clean)]
        self.clean, self.degraded = _stack(clean, side_px), _stack(views, side_px)
        measurable = [fpir for fpir in (0.01, 0.1) if fpir * len(probes) >= 1]
        self.fpir = measurable[0] if measurable else 1.0

    @property
    def possible(self) -> bool:
        """Whether there is anything to choose by: known people and strangers."""
        return self.fpir < 1 and bool((self.truth >= 0).any()) and bool((self.truth < 0).any())

    def score(self, module: nn.Module, *, mirrored: bool = False) -> Validation:
        """Leaves the module in evaluation mode.

        Args:
            mirrored: embed as the app does, in twice the time: a few pairs decide whether strangers are forgotten.
        """
        templates = self._templates(self._embed(module, self.gallery, mirrored))
        found, kept = [], None
        for crops in (self.clean, self.degraded):
            embeddings = self._embed(module, crops, mirrored)
            kept = self._kept(embeddings) if kept is None else kept
            cosines = embeddings @ templates.T
            searches = metrics.searches_of_similarities(cosines, self.truth, self.people)
            found.append((metrics.rank_k(cosines, self.truth, 1), metrics.dir_at_fpir(searches, self.fpir)))
        (rank1, clean), (_, degraded) = found
        return Validation(self.fpir, rank1, clean, degraded, kept or ())

    def _embed(self, module: nn.Module, crops: NDArray[np.uint8], mirrored: bool) -> Embeddings:
        return embed(module, crops, self.standardisation, self.device, mirrored=mirrored)

    def _kept(self, embeddings: Embeddings) -> tuple[bool, ...]:
        """`Validation.kept` of clean photographs."""
        alien = self.truth < 0
        people, own = self.people[alien], embeddings[alien]
        above = np.triu(np.ones((len(own), len(own)), bool), 1)
        same = people[:, None] == people[None]
        mated, other = same & above, ~same & above
        if mated.sum() < _PAIRS or len(np.unique(people)) < _PAIRS:
            return ()
        cosines = own @ own.T
        return tuple((cosines[mated] > metrics.score_at_rate(cosines[other], _FMR)).tolist())

    def _templates(self, embeddings: Embeddings) -> Embeddings:
        sums = np.zeros((self.classes.max() + 1, embeddings.shape[1]), np.float32)
        np.add.at(sums, self.classes, embeddings)
        return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), np.float32)


class Frozen:
    """A module that has not learnt anything yet as a `reid.networks.base.Network`: its embeddings are kept."""

    name = "teacher"

    def __init__(
        self, module: nn.Module, how: Standardisation, device: torch.device, *, dim: int, crop_px: int, made_of: str
    ) -> None:
        """Names it.

        Args:
            made_of: all that its parameters depend on.
        """
        self.module, self.standardisation, self.device = module, how, device
        self.dim, self.crop_px = dim, crop_px
        self.weights_sha256 = self.source = made_of
        self.preprocessing = f"rgb{crop_px} {how} flip {device.type} bfloat16"

    def embed(self, crops: NDArray[np.uint8]) -> Embeddings:
        return embed(self.module, crops, self.standardisation, self.device, mirrored=True)


@torch.inference_mode()
def embed(
    module: nn.Module,
    crops: NDArray[np.uint8],
    how: Standardisation,
    device: torch.device,
    *,
    mirrored: bool = False,
    exact: bool = False,
) -> Embeddings:
    """(N, H, W, 3) crops -> (N, dim) unit rows.

    Args:
        mirrored: average each crop's with its mirror image's, as the app does.
        exact: float32 instead of bfloat16.
    """
    module.eval()
    rows = []
    for at in range(0, len(crops), _BATCH):
        pixels = to_input(crops[at : at + _BATCH], how, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=not exact):
            unit = nn.functional.normalize(module(pixels).float(), dim=1)
            if mirrored:
                unit = nn.functional.normalize(unit + nn.functional.normalize(module(pixels.flip(3)).float(), dim=1))
        rows.append(unit.cpu())
    return np.asarray(torch.cat(rows).numpy(), np.float32)


def to_input(crops: NDArray[np.uint8], how: Standardisation, device: torch.device) -> torch.Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) standardised float32, channels last in memory."""
    pixels = torch.from_numpy(np.ascontiguousarray(crops)).to(device).permute(0, 3, 1, 2).float()
    return standardise(pixels, how).contiguous(memory_format=torch.channels_last)


def _first_of_each(faces: Sequence[FoundFace], count: int) -> list[FoundFace]:
    seen: dict[str | None, int] = {}
    kept = []
    for face in faces:
        seen[face.label] = seen.get(face.label, 0) + 1
        if seen[face.label] <= count:
            kept.append(face)
    return kept


def _stack(crops: Sequence[RGB], side_px: int) -> NDArray[np.uint8]:
    return np.stack(crops) if crops else np.zeros((0, side_px, side_px, 3), np.uint8)
