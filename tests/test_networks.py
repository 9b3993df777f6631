"""Networks: crops in, unit vectors out, the same ones whoever asks and in whatever company."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from reid.align import align
from reid.detect import load_detector
from reid.errors import WeightsError
from reid.images import read_photograph
from reid.networks import Network, compiled, facenet, load_network, sface
from reid.networks.flip import embed_flipped
from reid.weights import ensure, write_run

SOURCE = {"facenet": "ms1m", "sface": "sface"}


@pytest.fixture(scope="module", params=["facenet", "sface"])
def network(request: pytest.FixtureRequest, models_dir: Path) -> Network:
    return load_network(request.param, weights=SOURCE[request.param], models_dir=models_dir, device="cpu")


def noise(count: int, size_px: int, seed: int = 0) -> NDArray[np.uint8]:
    """Crops with structure at every scale, so that their embeddings differ."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (count, 7, 7, 3), np.uint8)
    return np.stack([cv2.resize(one, (size_px, size_px), interpolation=cv2.INTER_CUBIC) for one in coarse])


def test_embeddings_are_unit_vectors_of_the_stated_length(network: Network) -> None:
    embeddings = network.embed(noise(3, network.crop_px))
    assert embeddings.shape == (3, network.dim)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    assert (embeddings @ embeddings.T)[0, 1] < 0.99


def test_no_crops_give_no_embeddings(network: Network) -> None:
    assert network.embed(np.zeros((0, network.crop_px, network.crop_px, 3), np.uint8)).shape == (0, network.dim)


def test_a_crop_and_its_mirror_image_have_one_embedding(network: Network) -> None:
    crops = noise(2, network.crop_px)
    np.testing.assert_allclose(network.embed(crops), network.embed(crops[:, :, ::-1]), atol=1e-5)


def test_company_changes_nothing(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    crops = noise(5, network.crop_px)
    for module in (facenet, sface, compiled):
        monkeypatch.setattr(module, "BATCH", 2)
    alone = np.concatenate([network.embed(crops[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(network.embed(crops), alone, atol=1e-5)


def test_memory_is_bounded_by_the_batch() -> None:
    seen = []

    def forward(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        seen.append(len(crops))
        return np.ones((len(crops), 4), np.float32)

    embed_flipped(forward, np.zeros((10, 8, 8, 3), np.uint8), crop_px=8, dim=4, batch=4)
    assert seen == [8, 8, 4]


@pytest.mark.parametrize("shape", [(1, 100, 100, 3), (160, 160, 3), (1, 160, 160, 1)])
def test_crops_of_another_shape_are_a_programming_error(network: Network, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        network.embed(np.zeros(shape, np.uint8))


def test_threads_share_a_network_without_disturbing_each_other(network: Network) -> None:
    crops = [noise(2, network.crop_px, seed) for seed in range(4)]
    expected = [network.embed(pair) for pair in crops]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(network.embed, crops * 2))
    for one, wanted in zip(found, expected * 2, strict=True):
        np.testing.assert_allclose(one, wanted, atol=1e-5)


def test_an_even_crop_has_an_embedding(network: Network) -> None:
    assert np.isfinite(network.embed(np.full((1, network.crop_px, network.crop_px, 3), 200, np.uint8))).all()


def test_facenet_computes_the_mean_of_both_unit_vectors(models_dir: Path) -> None:
    weights = ensure("ms1m", models_dir)
    crop = noise(1, 160)[0]
    module = facenet.load_module(weights).eval()
    rows = []
    for picture in (crop, crop[:, ::-1]):
        pixels = picture.astype(np.float64)
        standardised = (pixels - pixels.mean()) / max(pixels.std(), 1 / np.sqrt(pixels.size))
        with torch.inference_mode():
            rows.append(module(torch.from_numpy(standardised.transpose(2, 0, 1)[None]).float()).numpy()[0])
    expected = (rows[0] + rows[1]) / np.linalg.norm(rows[0] + rows[1])
    found = facenet.FaceNet(weights, device="cpu").embed(crop[None])[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_fixed_standardisation_is_that_of_facenet_pytorch() -> None:
    from facenet_pytorch import fixed_image_standardization

    pixels = torch.from_numpy(noise(2, 16)).permute(0, 3, 1, 2).float()
    assert torch.equal(facenet.standardise(pixels, "fixed"), fixed_image_standardization(pixels))


def test_per_image_standardisation_gives_zero_mean_and_unit_deviation() -> None:
    pixels = torch.from_numpy(noise(2, 16)).permute(0, 3, 1, 2).float()
    found = facenet.standardise(pixels, "per_image").flatten(1)
    torch.testing.assert_close(found.mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std(1, correction=0), torch.ones(2), atol=1e-5, rtol=0)
    assert torch.equal(facenet.standardise(torch.full((1, 3, 8, 8), 77.0), "per_image"), torch.zeros(1, 3, 8, 8))


def test_sface_is_opencvs_recogniser_on_both_pictures(models_dir: Path) -> None:
    weights = ensure("sface", models_dir)
    crop = noise(1, 112)[0]
    model = cv2.FaceRecognizerSF.create(str(weights.path), "")
    rows = [model.feature(np.ascontiguousarray(picture[:, :, ::-1])).copy()[0] for picture in (crop, crop[:, ::-1])]
    total = sum(row / np.linalg.norm(row) for row in rows)
    network = load_network("sface", weights=weights, models_dir=models_dir, precision="float32")
    found = network.embed(crop[None])[0]
    np.testing.assert_allclose(found, total / np.linalg.norm(total), atol=1e-6)


def test_preprocessing_tells_standardisations_apart(models_dir: Path) -> None:
    weights = ensure("ms1m", models_dir)
    per_image = facenet.FaceNet(weights, device="cpu")
    fixed = facenet.FaceNet(replace(weights, config={**weights.config, "standardisation": "fixed"}), device="cpu")
    assert per_image.preprocessing != fixed.preprocessing
    crops = noise(1, 160) // 4
    assert (per_image.embed(crops) @ fixed.embed(crops).T).item() < 0.999


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"standardisation": "whiten"}, "standardisation 'whiten'"),
        ({"architecture": "resnet"}, "is a resnet, not an Inception-ResNet V1"),
        ({"embedding_dim": 512}, "does not hold an Inception-ResNet V1 as its config describes it"),
    ],
)
def test_weights_that_do_not_fit_are_refused(models_dir: Path, config: dict[str, object], words: str) -> None:
    weights = ensure("ms1m", models_dir)
    with pytest.raises(WeightsError, match=words):
        facenet.FaceNet(replace(weights, config={**weights.config, **config}), device="cpu")


def test_a_network_that_diverged_says_so(models_dir: Path, tmp_path: Path) -> None:
    weights = ensure("ms1m", models_dir)
    state = facenet.load_module(weights).state_dict()
    state["last_linear.weight"] = state["last_linear.weight"] * float("nan")
    run = write_run(tmp_path / "run", state, weights.config)
    with pytest.raises(WeightsError, match="no numbers"):
        facenet.FaceNet(run, device="cpu").embed(noise(1, 160))


def test_names_and_devices_that_nobody_has_are_refused(models_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no network called 'arcface'"):
        load_network("arcface", weights="ms1m", models_dir=models_dir)
    with pytest.raises(WeightsError, match="no device 'warp'"):
        load_network("facenet", weights="ms1m", models_dir=models_dir, device="warp")
    (tmp_path / "no.onnx").write_bytes(b"no graph")
    unreadable = replace(ensure("sface", models_dir), path=tmp_path / "no.onnx")
    with pytest.raises(WeightsError, match="cannot read"):
        sface.SFace(unreadable)


def test_a_network_of_512_dimensions_is_embedded_with_alike(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = facenet.empty_module(512).to_empty(device="cpu")
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.ones_like(value) if name.endswith("var") else torch.randn_like(value) * 0.02)
    config = {"architecture": "inception_resnet_v1", "embedding_dim": 512, "crop_px": 160, "standardisation": "fixed"}
    run = write_run(tmp_path / "run", module.state_dict(), config)
    found = load_network("facenet", weights=str(run.path.parent), models_dir=tmp_path, device="cpu")
    assert found.embed(noise(2, 160)).shape == (2, 512)
    assert found.weights_sha256 == run.sha256


def test_all_25_photographs_of_five_people_are_recognised(network: Network, models_dir: Path, demo_dir: Path) -> None:
    detector = load_detector("yunet", models_dir=models_dir, min_face_px=20)

    def embedded(split: str) -> tuple[list[str], NDArray[np.float32]]:
        paths = sorted((demo_dir / split).glob("*/*.jpg"))
        pictures = [read_photograph(path).pixels for path in paths]
        faces = [detector.detect([picture])[0][0] for picture in pictures]
        crops = [align(p, f.landmarks_px, network.crop_px) for p, f in zip(pictures, faces, strict=True)]
        return [path.parent.name for path in paths], network.embed(np.stack(crops))

    enrolled, gallery = embedded("train")
    names = sorted(set(enrolled))
    templates = np.stack([gallery[[name == one for name in enrolled]].mean(0) for one in names])
    probes, searched = embedded("val")
    similarities = searched @ (templates / np.linalg.norm(templates, axis=1, keepdims=True)).T
    assert (len(enrolled), len(probes), len(names)) == (93, 25, 5)
    assert [names[i] for i in similarities.argmax(1)] == probes
    own = np.array([row[names.index(name)] for row, name in zip(similarities, probes, strict=True)])
    best_other = np.array([max(s for s, n in zip(row, names, strict=True) if n != name)
                           for row, name in zip(similarities, probes, strict=True)])  # fmt: skip
    assert own.min() > best_other.max()  # one threshold separates all of them
