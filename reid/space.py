"""The embedding space: one network or several concatenated, and the id that says which. Knows no gallery."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reid import zero_gpu
from reid.align import align
from reid.errors import EmbeddingSpaceError, WeightsError
from reid.networks.base import Network
from reid.threshold import from_json
from reid.types import RGB, Embeddings, Threshold

AUTO = "facenet+sface@0.2"
"""What `auto` means: the best on strangers of `lfw-dev`'s validation probes, at full size and at 32 px."""

AUTO_TUNED = "facenet+sface@0.3"
"""What `auto` means with weights of a run: by the same probes and those of 24 and 16 px (`benchmarks/README.md`)."""

_NAMES = re.compile(r"(?P<names>[a-z0-9]+(\+[a-z0-9]+)*)(@(?P<weight>0?\.\d+))?")


@dataclass(frozen=True, slots=True)
class SpaceSpec:
    """What a person asked for: networks in order and each one's share of the cosine, summing to 1."""

    networks: tuple[str, ...]
    shares: tuple[float, ...]

    @classmethod
    def parse(cls, text: str) -> SpaceSpec:
        """Reads `auto`, `sface`, `facenet+sface` or `facenet+sface@0.3`: the number is the first network's share.

        Raises:
            EmbeddingSpaceError: it is none of these.
        """
        if text == "auto":
            text = AUTO
        found = _NAMES.fullmatch(text)
        names = tuple(found["names"].split("+")) if found else ()
        if not found or len(names) > 2 or (found["weight"] and len(names) != 2) or len(set(names)) != len(names):
            raise EmbeddingSpaceError(
                f"{text!r} is no embedding space. Use auto, facenet, sface, facenet+sface or, with facenet's share "
                "of the similarity, facenet+sface@0.2."
            )
        if len(names) == 1:
            return cls(names, (1.0,))
        first = float(found["weight"]) if found["weight"] else SpaceSpec.parse(AUTO).shares[0]
        return cls(names, (first, round(1 - first, 6)))


class Described(Protocol):
    """What a space's id depends on of each of its networks; see `reid.networks.base.Network`."""

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def weights_sha256(self) -> str: ...

    @property
    def preprocessing(self) -> str: ...


def description_of(networks: Sequence[Described], shares: Sequence[float]) -> list[dict[str, object]]:
    """All that an embedding's numbers depend on: networks, weights' hashes, preprocessing, shares."""
    return [
        {
            "network": network.name,
            "weights_sha256": network.weights_sha256,
            "preprocessing": network.preprocessing,
            "dim": network.dim,
            "share": round(share, 6),
        }
        for network, share in zip(networks, shares, strict=True)
    ]


def name_and_id(networks: Sequence[Described], shares: Sequence[float]) -> tuple[str, str]:
    """`facenet+sface@0.2`, and the same with the digest of everything that the numbers depend on."""
    name = "+".join(network.name for network in networks)
    if len(networks) > 1:
        name += f"@{shares[0]:g}"
    digest = hashlib.sha256(json.dumps(description_of(networks, shares), sort_keys=True).encode()).hexdigest()
    return name, f"{name}:{digest[:12]}"


class EmbeddingSpace:
    """Where probes and templates are compared: faces in, unit vectors out.

    Of several networks the unit vectors stand side by side, each scaled by the square root of its share, so that the
    cosine of two joint vectors is the weighted mean of the networks' own cosines.

    Attributes:
        name: `facenet+sface@0.2`.
        id: the name with a digest of all that the numbers depend on: equal ids can be compared.
        threshold: what the weights bring along for this very space; None for pretrained ones, measured with the code.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        shares: Sequence[float],
        thresholds: Mapping[str, Any] | None = None,
    ) -> None:
        """Joins networks.

        Args:
            thresholds: what the networks' weights bring along, by space id, as a run's config.json keeps them.

        Raises:
            WeightsError: the one of this space cannot be read.
        """
        assert len(networks) == len(shares) > 0
        assert abs(sum(shares) - 1) < 1e-6
        self.networks = tuple(networks)
        self.shares = tuple(shares)
        self.dim = sum(network.dim for network in networks)
        self.name, self.id = name_and_id(networks, shares)
        self.threshold = _threshold(thresholds or {}, self.id)
        self._compute = zero_gpu.lent(self._embed)

    @classmethod
    def load(
        cls,
        name: str,
        weights: str,
        models_dir: Path,
        *,
        device: str = "auto",
        runtime: str = "auto",
        precision: str = "auto",
        progress: bool = True,
    ) -> EmbeddingSpace:
        """Loads a space by name, bringing what is missing.

        Args:
            name: `auto`, `facenet`, `sface`, `facenet+sface`, `facenet+sface@0.2`.
            weights: what `facenet` is loaded from: a source's name, a run folder, `hub:owner/name`, `auto`.
            device: a torch device, `auto` for the best one present.
            runtime: `auto`, `torch` or `openvino`; the space is the same.
            precision: `auto`, `float32` or `bfloat16`; the space is the same.

        Raises:
            EmbeddingSpaceError: no such space.
            WeightsError: weights are missing and cannot be brought.
        """
        from reid.networks import load_network, require_known  # torch and OpenCV, not before they are needed
        from reid.weights import ensure

        spec = SpaceSpec.parse(name)
        for network in spec.networks:
            require_known(network)
        files = {
            network: ensure(weights if network == "facenet" else network, models_dir, progress=progress)
            for network in spec.networks
        }
        if name == "auto" and "recipe" in files["facenet"].config:
            spec = SpaceSpec.parse(AUTO_TUNED)
        networks, thresholds = [], dict[str, Any]()
        for network, file in files.items():
            known = file.config.get("thresholds")
            thresholds |= known if isinstance(known, dict) else {}
            networks.append(
                load_network(network, weights=file, models_dir=models_dir, device=device, runtime=runtime,
                             precision=precision)
            )  # fmt: skip
        return cls(networks, spec.shares, thresholds)

    @property
    def description(self) -> list[dict[str, object]]:
        """As `description_of`."""
        return description_of(self.networks, self.shares)

    def crops(self, image: RGB, landmarks_px: NDArray[np.float32]) -> tuple[RGB, ...]:
        """One face as each network wants to see it."""
        return tuple(align(image, landmarks_px, network.crop_px) for network in self.networks)

    def embed(self, crops: Sequence[tuple[RGB, ...]]) -> Embeddings:
        """(N, D) unit vectors of N faces, each given as `crops` returned it."""
        if not crops:
            return np.zeros((0, self.dim), np.float32)
        return self._compute(crops)

    def _embed(self, crops: Sequence[tuple[RGB, ...]]) -> Embeddings:
        parts = [
            network.embed(np.stack(per_network)) * np.float32(np.sqrt(share))
            for network, share, per_network in zip(self.networks, self.shares, zip(*crops, strict=True), strict=True)
        ]
        return np.concatenate(parts, axis=1)


def _threshold(thresholds: Mapping[str, Any], space_id: str) -> Threshold | None:
    """The threshold that weights were published with for this very space; None where they bring none."""
    found = thresholds.get(space_id)
    if found is None:
        return None
    try:
        threshold = from_json(json.dumps(found))
        if not -1 <= threshold.value <= 1:
            raise ValueError(f"{threshold.value} is no cosine")
        return threshold
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise WeightsError(
            f"The threshold that the weights bring for {space_id} cannot be read ({error}). "
            "Correct their config.json, or run `byteface evaluate --run` with --strangers-csv again."
        ) from error
