"""Makes the int8 graphs of a space's networks, from the demonstration photographs. Knows how the parts work together.

Those photographs are the only ones that every machine has, and the ones that the verdict on int8 was measured with.
"""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from reid.detect import load_detector
from reid.images import read_photograph
from reid.networks.compiled import keep_int8
from reid.settings import Settings
from reid.space import EmbeddingSpace, SpaceSpec
from reid.types import RGB
from reid.weights import WeightsFile, ensure, fetch_demo


def quantise(settings: Settings, *, progress: bool = True) -> list[WeightsFile]:
    """Keeps an int8 graph beside the weights of each network of the settings' space. Takes a minute or two.

    Returns:
        the weights that have one now.

    Raises:
        SettingsError: NNCF is not installed.
        WeightsError: weights or photographs are missing and cannot be brought.
    """
    space = EmbeddingSpace.load(
        settings.space, settings.weights, settings.models_dir, device="cpu", runtime="openvino", precision="float32",
        progress=progress,
    )  # fmt: skip
    crops = _crops_of(fetch_demo(settings.data_dir, settings.models_dir, progress=progress), space, settings)
    done = []
    for index, name in enumerate(SpaceSpec.parse(space.name).networks):
        file = ensure(settings.weights if name == "facenet" else name, settings.models_dir, progress=progress)
        keep_int8(name, file, [one[index] for one in crops])
        done.append(file)
    return done


def _crops_of(
    folder: Path, space: EmbeddingSpace, settings: Settings, *, progress: bool = True
) -> list[tuple[RGB, ...]]:
    """The largest face of each photograph of a folder, as each network of the space wants it."""
    detector = load_detector("yunet", models_dir=settings.models_dir, min_face_px=settings.min_face_px)
    found = []
    for path in tqdm(sorted(folder.rglob("*.jpg")), unit="photo", desc="faces", disable=not progress):
        pixels = read_photograph(path).pixels
        faces = detector.detect([pixels])[0]
        if faces:
            found.append(space.crops(pixels, faces[0].landmarks_px))
    return found
