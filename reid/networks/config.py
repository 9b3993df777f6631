"""What the config beside a weights file says about feeding the network. Knows no runtime."""

from __future__ import annotations

from typing import Literal

from reid.errors import WeightsError
from reid.weights.store import WeightsFile

Standardisation = Literal["per_image", "fixed"]


def read_standardisation(weights: WeightsFile) -> Standardisation:
    """Raises: WeightsError when the config names neither of the two."""
    how = weights.config.get("standardisation")
    if how == "per_image":
        return "per_image"
    if how == "fixed":
        return "fixed"
    raise WeightsError(
        f"The config of {weights.source} says standardisation {how!r}; known are per_image and fixed. Correct it there."
    )


def require_inception_resnet_v1(weights: WeightsFile) -> None:
    """Raises: WeightsError when the config names another architecture."""
    if weights.config.get("architecture") != "inception_resnet_v1":
        raise WeightsError(
            f"{weights.source} is a {weights.config.get('architecture')}, not an Inception-ResNet V1. "
            "Name other weights: `byteface weights` lists what is there."
        )


def not_inception_resnet_v1(weights: WeightsFile) -> WeightsError:
    """What to raise when the parameters are not those that the config promises."""
    return WeightsError(
        f"{weights.path} does not hold an Inception-ResNet V1 as its config describes it. "
        "Copy the folder again from where it came from."
    )


def preprocessing_line(crop_px: int, standardisation: str) -> str:
    """What a network does to a crop, in the words that enter its space's id."""
    return f"rgb{crop_px} {standardisation} flip"
