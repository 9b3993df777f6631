"""The training head: additive angular margin softmax, with AdaFace's margin and sub-centres as flags.

Knows features and class numbers; no network, no pictures. Its rows are templates of real people: never published.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SIN2_MIN = 1e-7
"""sin^2 is held above this: the gradient of the square root is infinite at cos = +-1."""


@dataclass(frozen=True, slots=True)
class AdaFace:
    """A margin that follows image quality, read from the length of the feature.

    Attributes:
        concentration: `h`, how many standard deviations of the length reach the largest change of the margin.
        momentum: of the running mean and deviation of the length; the share that a new batch gets.

    Source: AdaFace, arXiv 2204.00964, equations 5-8.
    """

    concentration: float = 0.333
    momentum: float = 0.01


class ArcFaceHead(nn.Module):
    """Logits of N identities for a batch of features, the right one made harder by an angle.

    The logit of the right class is s * cos(theta + m), of the others s * cos(theta). Where theta + m would pass pi the
    logit goes on falling as s * (cos(theta) - 1 + cos(m)), so that a hopeless example still pulls the right way.
    Computed in float32 whatever the features come in, in float64 for float64.

    Source: ArcFace, arXiv 1801.07698, equation 3; sub-centres: Deng et al., ECCV 2020.

    Attributes:
        margin_rad: may be changed between steps: training ramps it.
    """

    mean_length: Tensor
    deviation_length: Tensor

    def __init__(
        self,
        dim: int,
        identities: int,
        *,
        scale: float = 30.0,
        margin_rad: float = 0.5,
        sub_centres: int = 1,
        adaface: AdaFace | None = None,
    ) -> None:
        """A head with random unit rows.

        Args:
            dim: length of a feature.
            identities: classes, at least 2: with one nothing can be learnt.
            sub_centres: K rows per identity, of which the nearest counts; 3 against wrong labels.
        """
        super().__init__()
        self.dim, self.identities, self.sub_centres = dim, identities, sub_centres
        self.scale, self.margin_rad, self.adaface = scale, margin_rad, adaface
        self.weight = nn.Parameter(torch.empty(identities * sub_centres, dim))
        nn.init.xavier_normal_(self.weight)
        self.register_buffer("mean_length", torch.tensor(20.0))
        self.register_buffer("deviation_length", torch.tensor(100.0))

    @torch.no_grad()
    def imprint(self, class_means: Tensor) -> None:
        """Starts each identity at the mean of its embeddings (weight imprinting, arXiv 2301.01922).

        Args:
            class_means: (identities, dim). Further sub-centres start a little beside it, else they would never part.
        """
        rows = F.normalize(class_means.to(self.weight), dim=1).repeat_interleave(self.sub_centres, 0)
        if self.sub_centres > 1:
            noise = torch.randn(rows.shape, generator=torch.Generator().manual_seed(0)).to(rows)
            noise[:: self.sub_centres] = 0
            rows = F.normalize(rows + noise * 0.1 / math.sqrt(self.dim), dim=1)
        self.weight.copy_(rows)

    def cosines(self, features: Tensor) -> Tensor:
        """(B, dim) features of any length -> (B, identities) cosine to the nearest sub-centre of each identity."""
        with torch.autocast(features.device.type, enabled=False):
            exact = torch.float64 if features.dtype == torch.float64 else torch.float32
            unit = F.normalize(features.to(exact), dim=1)
            rows = F.normalize(self.weight.to(exact), dim=1)
            cosines = unit @ rows.T
            if self.sub_centres > 1:
                cosines = cosines.view(len(features), self.identities, self.sub_centres).amax(dim=2)
            return cosines.clamp(-1, 1)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """(B, dim) features before normalisation and (B,) class numbers -> (B, identities) logits for cross-entropy."""
        cosines = self.cosines(features)
        right = cosines.gather(1, labels[:, None])[:, 0]
        if self.adaface is None:
            harder = add_angle(right, right.new_full((), self.margin_rad))
        else:
            quality = self._quality(features.detach())
            angle, subtract = -self.margin_rad * quality, self.margin_rad * (1 + quality)
            harder = add_angle(right, angle) - subtract
        return self.scale * cosines.scatter(1, labels[:, None], harder[:, None])

    @torch.no_grad()
    def _quality(self, features: Tensor) -> Tensor:
        """(B,) in [-1, 1]: length of the features against its running mean and deviation."""
        assert self.adaface is not None
        lengths = features.to(torch.float32).norm(dim=1).clamp(1e-3, 100)
        if self.training and len(lengths) > 1:
            self.mean_length.lerp_(lengths.mean(), self.adaface.momentum)
            self.deviation_length.lerp_(lengths.std(), self.adaface.momentum)
        spread = (self.deviation_length + 1e-3) / self.adaface.concentration
        quality: Tensor = ((lengths - self.mean_length) / spread).clamp(-1, 1)
        return quality.double() if features.dtype == torch.float64 else quality


def add_angle(cosines: Tensor, angle_rad: Tensor) -> Tensor:
    """cos(theta + angle) for cos(theta), without the arc cosine whose gradient is infinite at +-1.

    Args:
        cosines: (B,) in [-1, 1].
        angle_rad: () or (B,) in (-pi/2, pi/2). Beyond pi, and below 0 for a negative angle, it goes on as a line.
    """
    sines = (1 - cosines.square()).clamp_min(_SIN2_MIN).sqrt()
    rotated = cosines * angle_rad.cos() - sines * angle_rad.sin()
    line = cosines - angle_rad.sign() * (1 - angle_rad.cos())
    inside = torch.where(angle_rad >= 0, cosines > -angle_rad.cos(), cosines < angle_rad.cos())
    return torch.where(inside, rotated, line)
