"""What computes: an OpenVINO graph gives the reference's embeddings, is made once, and never stands in the way."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reid import runtime
from reid.align import align
from reid.detect import load_detector
from reid.errors import SettingsError, WeightsError
from reid.images import read_photograph
from reid.networks import Network, load_network
from reid.networks.compiled import compiled_facenet, keep_int8
from reid.runtime import graph
from reid.runtime.sharing import one_core_each, shares_cores
from reid.settings import CHECKOUT
from reid.weights import WeightsFile, ensure

SOURCE = {"facenet": "ms1m", "sface": "sface"}


@pytest.fixture(scope="module")
def photographs(demo_dir: Path, models_dir: Path) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Three of each demonstration person: pixels and the landmarks of the largest face."""
    detector = load_detector("yunet", models_dir=models_dir, min_face_px=24)
    found = []
    for person in sorted((demo_dir / "train").iterdir()):
        for path in sorted(person.glob("*.jpg"))[:3]:
            pixels = read_photograph(path).pixels
            found.append((pixels, detector.detect([pixels])[0][0].landmarks_px))
    assert len(found) == 15
    return found


def cut(photographs: list[tuple[NDArray[np.uint8], NDArray[np.float32]]], network: Network) -> NDArray[np.uint8]:
    return np.stack([align(pixels, landmarks, network.crop_px) for pixels, landmarks in photographs])


@pytest.fixture
def copied(models_dir: Path, tmp_path: Path) -> WeightsFile:
    """SFace's weights in a folder of their own, without a kept graph."""
    weights = ensure("sface", models_dir)
    shutil.copyfile(weights.path, tmp_path / weights.path.name)
    return replace(weights, path=tmp_path / weights.path.name)


def kept(weights: WeightsFile) -> list[Path]:
    return [path for path in (weights.path.parent / "openvino").glob("*") if path.is_dir()]


@pytest.mark.parametrize("name", ["facenet", "sface"])
def test_every_runtime_and_precision_is_one_embedding_space(name, photographs, models_dir):
    load = {"weights": SOURCE[name], "models_dir": models_dir, "device": "cpu"}
    reference = load_network(name, runtime="torch", **load)
    wanted = reference.embed(cut(photographs, reference))
    precisions = {"float32": 0.99999} | ({"bfloat16": 0.999} if graph.has_bfloat16() else {})
    for precision, least in precisions.items():
        network = load_network(name, runtime="openvino", precision=precision, **load)
        found = network.embed(cut(photographs, network))
        assert np.einsum("nd,nd->n", found, wanted).min() >= least
        for attribute in ("name", "dim", "crop_px", "weights_sha256", "preprocessing", "source"):
            assert getattr(network, attribute) == getattr(reference, attribute)


def test_fixed_standardisation_is_that_of_the_reference(photographs, models_dir):
    weights = ensure("ms1m", models_dir)
    fixed = replace(weights, config={**weights.config, "standardisation": "fixed"})
    reference = load_network("facenet", weights=fixed, models_dir=models_dir, device="cpu", runtime="torch")
    network = load_network("facenet", weights=fixed, models_dir=models_dir, runtime="openvino", precision="float32")
    crops = cut(photographs[:3], network)
    assert np.einsum("nd,nd->n", network.embed(crops), reference.embed(crops)).min() >= 0.99999


def test_serving_both_networks_loads_no_torch(models_dir):
    code = (
        "import sys; from pathlib import Path; import numpy as np; from reid.space import EmbeddingSpace\n"
        f"space = EmbeddingSpace.load('auto', 'ms1m', Path({str(models_dir)!r}), device='cpu', runtime='openvino')\n"
        "crops = tuple(np.zeros((network.crop_px, network.crop_px, 3), np.uint8) for network in space.networks)\n"
        "print(space.embed([crops]).shape, sorted({'torch', 'onnx', 'torchvision', 'gradio'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=CHECKOUT)  # keeps the graphs
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.stdout.strip() == "(1, 256) []"


def test_a_graph_is_made_once_and_kept_beside_its_weights(copied, models_dir, monkeypatch):
    first = load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino")
    (folder,) = kept(copied)
    assert copied.sha256[:12] in folder.name
    monkeypatch.setattr("reid.networks.compiled._sface", lambda _: pytest.fail("built again"))
    second = load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino")
    crops = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    np.testing.assert_array_equal(first.embed(crops), second.embed(crops))


def test_graphs_of_other_weights_and_versions_make_room(copied, models_dir):
    old = copied.path.parent / "openvino" / "2020.1-0123456789ab-sface-1"
    old.mkdir(parents=True)
    load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino")
    assert not old.exists()
    assert len(kept(copied)) == 1


@pytest.mark.parametrize("name", ["graph.xml", "graph.bin"])
def test_a_kept_graph_that_was_cut_off_is_built_anew(copied, models_dir, name):
    load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino")
    path = kept(copied)[0] / name
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[: len(whole) // 2])
    load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino")
    assert graph.found_graph(copied, "sface-1") is not None


def test_processes_that_start_together_make_one_graph(copied):
    code = (
        "import json, sys; from pathlib import Path; from reid.networks.compiled import compiled_sface\n"
        "from reid.weights import WeightsFile\n"
        f"w = WeightsFile(Path({str(copied.path)!r}), {copied.sha256!r}, json.loads(sys.argv[1]), 'sface')\n"
        "import numpy as np; print(compiled_sface(w).embed(np.zeros((1, 112, 112, 3), np.uint8)).sum())"
    )
    command = [sys.executable, "-c", code, json.dumps(dict(copied.config))]
    started = [subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    sums = {process.communicate()[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(sums) == 1
    assert len(kept(copied)) == 1
    assert not list((copied.path.parent / "openvino").glob(".*.part"))


def test_a_folder_that_cannot_be_written_only_costs_the_keeping(copied, models_dir):
    (copied.path.parent / "openvino").write_text("a file where the folder would be", encoding="utf-8")
    network = load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino")
    assert network.embed(np.zeros((1, 112, 112, 3), np.uint8)).shape == (1, 128)


def test_a_disk_that_fills_up_only_costs_the_keeping(copied, models_dir, monkeypatch, caplog):
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("can't write")

    monkeypatch.setattr(graph.ov, "save_model", full)
    network = load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino")
    assert network.embed(np.zeros((1, 112, 112, 3), np.uint8)).shape == (1, 128)
    assert kept(copied) == []
    assert "could not be kept" in caplog.text


def test_threads_get_their_own_numbers(photographs, models_dir):
    network = load_network("sface", weights="sface", models_dir=models_dir, runtime="openvino")
    crops = cut(photographs, network)
    alone = np.concatenate([network.embed(crop[None]) for crop in crops])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: network.embed(crops[i][None])[0], list(range(15)) * 8))
    np.testing.assert_allclose(found, np.tile(alone, (8, 1)), atol=1e-6)


def test_without_openvino_the_reference_computes_and_says_so_once(models_dir, monkeypatch, caplog):
    monkeypatch.setattr(runtime, "_installed", lambda: False)
    runtime.warn_once.cache_clear()
    for name in ("facenet", "sface"):
        network = load_network(name, weights=SOURCE[name], models_dir=models_dir, device="cpu")
        assert type(network).__name__ in {"FaceNet", "SFace"}
    assert [record.levelno for record in caplog.records if "OpenVINO" in record.message] == [logging.WARNING]
    with pytest.raises(SettingsError, match="pip install openvino"):
        load_network("sface", weights="sface", models_dir=models_dir, runtime="openvino")


def test_where_openvino_cannot_compile_the_reference_computes(models_dir, monkeypatch, caplog):
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no such instruction")

    monkeypatch.setattr("reid.networks.compiled.CompiledGraph", refuse)
    runtime.warn_once.cache_clear()
    network = load_network("sface", weights="sface", models_dir=models_dir)
    assert type(network).__name__ == "SFace"
    assert "no such instruction" in caplog.text
    with pytest.raises(SettingsError, match="no such instruction"):
        load_network("sface", weights="sface", models_dir=models_dir, runtime="openvino")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"standardisation": "whiten"}, "standardisation 'whiten'"),
        ({"architecture": "resnet"}, "is a resnet, not an Inception-ResNet V1"),
        ({"embedding_dim": 512}, "does not hold an Inception-ResNet V1 as its config describes it"),
    ],
)
def test_weights_that_do_not_fit_are_refused_as_by_the_reference(models_dir, tmp_path, config, words):
    weights = ensure("ms1m", models_dir)
    (tmp_path / "model.safetensors").symlink_to(weights.path)
    other = replace(weights, path=tmp_path / "model.safetensors", config={**weights.config, **config})
    with pytest.raises(WeightsError, match=words):
        compiled_facenet(other)


@pytest.mark.parametrize(("setting", "value"), [("runtime", "tensorrt"), ("precision", "int4")])
def test_a_runtime_or_precision_that_nobody_has_is_refused(models_dir, setting, value):
    with pytest.raises(SettingsError, match=value):
        load_network("sface", weights="sface", models_dir=models_dir, device="cpu", **{setting: value})


def test_graphs_are_called_for_the_first_time_one_after_the_other(copied, models_dir, monkeypatch):
    networks = [load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino") for _ in range(3)]
    infer, together, most = graph._Requests.infer, [0], [0]

    def counted(self, batch):
        together[0] += 1
        most[0] = max(most[0], together[0])
        time.sleep(0.02)  # time for the others to come
        found = infer(self, batch)
        together[0] -= 1
        return found

    monkeypatch.setattr(graph._Requests, "infer", counted)
    crops = np.zeros((4, 112, 112, 3), np.uint8)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda network: network.embed(crops), networks))
    assert most[0] == 1


def test_threads_that_share_the_cores_get_the_same_numbers(copied, models_dir):
    network = load_network("sface", weights=copied, models_dir=models_dir, runtime="openvino")
    crops = np.random.default_rng(0).integers(0, 256, (4, 112, 112, 3), np.uint8)
    alone = network.embed(crops)

    def beside(_):
        with one_core_each():
            assert shares_cores()
            return network.embed(crops)

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(beside, range(6)))
    assert not shares_cores(), "another thread's wish is not ours"
    assert all(np.abs(one - alone).max() < 1e-5 for one in found)


@pytest.fixture
def verdict(tmp_path, monkeypatch):
    """A verdict that allows both with the weights `good`, bfloat16 alone with `fair`, and nothing with `bad`."""
    said = {"bfloat16": {"good": True, "fair": True, "bad": False}, "int8": {"good": True, "fair": False}}
    (tmp_path / "precision.json").write_text(json.dumps(said), encoding="utf-8")
    monkeypatch.setattr(runtime, "VERDICT", tmp_path / "precision.json")
    runtime._verdict.cache_clear()
    yield
    runtime._verdict.cache_clear()


def _weights(tmp_path, sha256, *, int8=False):
    """Weights of that digest in a folder of their own, with a kept int8 graph or without."""
    file = WeightsFile(tmp_path / "model.safetensors", sha256, {}, "test")
    if int8:
        (kept := graph._place(file, "recipe-int8")).mkdir(parents=True)
        (kept / "graph.xml").write_text("a graph", encoding="utf-8")
    return file


@pytest.mark.usefixtures("verdict")
@pytest.mark.parametrize(
    ("weights", "kept", "has", "chosen"),
    [
        ("good", True, True, "int8"),
        ("good", False, True, "bfloat16"),
        ("fair", True, True, "bfloat16"),
        ("good", True, False, "float32"),
        ("bad", True, True, "float32"),
        ("never measured", True, True, "float32"),
    ],
)
def test_auto_is_the_fastest_that_was_measured_harmless(monkeypatch, tmp_path, weights, kept, has, chosen):
    for what in ("has_bfloat16", "has_int8"):
        monkeypatch.setattr(graph, what, lambda: has)
    file = _weights(tmp_path, weights, int8=kept)
    assert runtime.choose_precision("auto", file) == chosen
    assert runtime.choose_precision("float32", file) == "float32"


@pytest.mark.usefixtures("verdict")
@pytest.mark.parametrize(("precision", "said"), [("bfloat16", "no bfloat16"), ("int8", "byteface weights quantise")])
def test_what_is_not_there_is_not_imitated(monkeypatch, tmp_path, precision, said):
    monkeypatch.setattr(graph, "has_bfloat16", lambda: False)
    with pytest.raises(SettingsError, match=said):
        runtime.choose_precision(precision, _weights(tmp_path, "good"))


def test_an_int8_graph_is_of_the_same_space_and_stays_beside_the_exact_one(copied, models_dir, photographs):
    load = {"weights": copied, "models_dir": models_dir, "runtime": "openvino"}
    exact = load_network("sface", precision="float32", **load)
    crops = cut(photographs, exact)
    keep_int8("sface", copied, list(crops[::3]))
    fast = load_network("sface", precision="int8", **load)
    found = np.einsum("nd,nd->n", fast.embed(crops), exact.embed(crops))
    assert 0.97 < found.min() < 0.99999, "close, and really another computation"
    for attribute in ("name", "dim", "crop_px", "weights_sha256", "preprocessing", "source"):
        assert getattr(fast, attribute) == getattr(exact, attribute)
    assert len(kept(copied)) == 2


def test_the_shipped_verdict_speaks_of_the_weights_that_are_brought(models_dir):
    known = {ensure(source, models_dir).sha256 for source in ("ms1m", "sface", "yunet")}
    assert set(runtime._verdict()["bfloat16"]) == known


def test_an_accelerator_takes_facenet_alone(models_dir, monkeypatch):
    """SFace has no torch module: on the processor its graph is still the fastest."""
    monkeypatch.setattr(runtime, "has_accelerator", lambda: True)
    assert type(load_network("sface", weights="sface", models_dir=models_dir)).__name__ == "CompiledNetwork"
    assert type(load_network("facenet", weights="ms1m", models_dir=models_dir)).__name__ == "FaceNet"


@pytest.mark.parametrize(("block_size", "axis"), [(0, 0), (0, 1), (2, 1), (3, 0)])
def test_dequantisation_is_that_of_the_onnx_reference(block_size, axis):
    import onnx
    from onnx.reference import ReferenceEvaluator

    from reid.runtime.onnx import dequantised

    random = np.random.default_rng(0)
    quantised = random.integers(-128, 128, (3, 5), np.int8)
    shape = [3, 5] if block_size else [quantised.shape[axis]]
    if block_size:
        shape[axis] = -(-shape[axis] // block_size)
    scale = random.random(shape, np.float32)
    zero_point = random.integers(-5, 5, shape, np.int8)
    node = onnx.helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=axis, block_size=block_size)
    inputs = [
        onnx.helper.make_tensor_value_info(name, kind, None)
        for name, kind in (("q", onnx.TensorProto.INT8), ("s", onnx.TensorProto.FLOAT), ("z", onnx.TensorProto.INT8))
    ]
    outputs = [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)]
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", inputs, outputs))
    (wanted,) = ReferenceEvaluator(model).run(None, {"q": quantised, "s": scale, "z": zero_point})
    found = dequantised(quantised, scale, zero_point, axis=axis, block_size=block_size)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
