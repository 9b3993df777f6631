"""Which space and weights the settings mean: those of the gallery that is there, where nobody named others.

Compares ids; loads no network.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reid.errors import EmbeddingSpaceError, WeightsError
from reid.gallery import is_there, open_gallery
from reid.networks.config import preprocessing_line
from reid.settings import Settings
from reid.space import SpaceSpec, name_and_id
from reid.weights.choice import AUTO, BestRun, best_run
from reid.weights.inventory import weight_folders
from reid.weights.sources import FACENET, SOURCES
from reid.weights.store import read_config


@dataclass(frozen=True, slots=True)
class Fitted:
    """Settings with nothing left open but weights that must still be brought.

    Attributes:
        better: a run that the gallery does not use yet and that is measurably better; None where there is none, or
            somebody named the weights.
    """

    settings: Settings
    better: BestRun | None


@dataclass(frozen=True, slots=True)
class _Outline:
    """A network as far as a space's id depends on it."""

    name: str
    dim: int
    weights_sha256: str
    preprocessing: str


def fitted(settings: Settings) -> Fitted:
    """The settings for a gallery that exists: it knows what it was made with, and nobody has to say it twice.

    A gallery that is still to be made gets what was named, and the best run's weights where nothing was.

    Raises:
        GalleryError: the gallery cannot be read.
    """
    if not is_there(settings.gallery):
        return Fitted(settings, None)
    with closing(open_gallery(settings.gallery, space_id=None, dim=None, create=False, read_only=True)) as gallery:
        space_id = gallery.space_id
    name = space_id.split(":")[0]
    if settings.space == AUTO:
        settings = replace(settings, space=name)
    if settings.weights != AUTO or settings.space != name:
        return Fitted(settings, None)
    weights = weights_of(space_id, settings.models_dir)
    if weights is None:
        return Fitted(settings, None)
    best = best_run(settings.models_dir)
    better = best if best and "facenet" in name and weights != str(best.folder) else None
    return Fitted(replace(settings, weights=weights), better)


def weights_of(space_id: str, models_dir: Path) -> str | None:
    """What `facenet` was loaded from in a space, as `ensure` takes it; None where no weights here make that space."""
    try:
        spec = SpaceSpec.parse(space_id.split(":")[0])
    except EmbeddingSpaceError:
        return None
    for source, facenet in _facenets(models_dir):
        known = {"facenet": facenet, "sface": _sface(models_dir)}
        networks = [known[network] for network in spec.networks if network in known]
        if len(networks) == len(spec.networks) and name_and_id(networks, spec.shares)[1] == space_id:
            return source
    return None


def _facenets(models_dir: Path) -> Iterator[tuple[str, _Outline]]:
    """Pretrained weights whose digest is known before they are here, then everything in the models folder."""
    for source in SOURCES.values():
        if source.architecture == FACENET and source.sha256:
            line = preprocessing_line(source.crop_px, source.standardisation)
            yield source.name, _Outline("facenet", source.embedding_dim, source.sha256, line)
    for folder in weight_folders(models_dir):
        config = _config(folder)
        if config.get("architecture") == FACENET:
            outline = _outline("facenet", config)
            yield folder.name if folder.name in SOURCES else str(folder), outline


def _sface(models_dir: Path) -> _Outline:
    if (models_dir / "sface" / "config.json").is_file():
        return _outline("sface", _config(models_dir / "sface"))
    source = SOURCES["sface"]
    line = preprocessing_line(source.crop_px, source.standardisation)
    return _Outline("sface", source.embedding_dim, source.sha256 or "", line)


def _outline(name: str, config: dict[str, Any]) -> _Outline:
    line = preprocessing_line(int(config.get("crop_px") or 0), str(config.get("standardisation")))
    return _Outline(name, int(config.get("embedding_dim") or 0), str(config.get("weights_sha256")), line)


def _config(folder: Path) -> dict[str, Any]:
    try:
        return read_config(folder)
    except WeightsError:  # damaged weights are nobody's: `byteface weights check` says so
        return {}
