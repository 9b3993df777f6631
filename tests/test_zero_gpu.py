"""ZeroGPU: nothing happens elsewhere; there, faces are embedded by a decorated function that is given numbers only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reid import zero_gpu
from reid.settings import CHECKOUT


def test_elsewhere_a_function_stays_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)

    def compute(number: int) -> int:
        return number

    assert zero_gpu.lent(compute) is compute
    zero_gpu.prepare()
    zero_gpu.ready()
    assert "spaces" not in sys.modules


SPACES = """
import pickle
decorated = []
def GPU(function):
    def lent(*args, **kwargs):
        decorated.append(function)
        args, kwargs = pickle.loads(pickle.dumps((args, kwargs)))
        return pickle.loads(pickle.dumps(function(*args, **kwargs)))
    return lent
"""
ZERO = """
started = []
def startup():
    started.append(True)
"""

CHILD = """
import sys
from reid import zero_gpu
zero_gpu.prepare()
assert "spaces" in sys.modules and "torch" not in sys.modules
sys.path.insert(0, {tests!r})
from fakes import FakeDetector, FakeNetwork, photograph
from reid.settings import Settings
from reid.space import EmbeddingSpace
import spaces, spaces.zero
assert Settings.from_env().device == "cuda"
space = EmbeddingSpace([FakeNetwork()], [1.0])
shot = photograph([2])
face = FakeDetector().detect([shot.pixels])[0][0]
rows = space.embed([space.crops(shot.pixels, face.landmarks_px)])
assert rows.shape == (1, 6) and rows.argmax() == 2
assert len(spaces.decorated) == 1
zero_gpu.ready()
assert spaces.zero.started
"""


def test_there_faces_are_embedded_where_the_gpu_is(tmp_path: Path) -> None:
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "__init__.py").write_text(SPACES)
    (tmp_path / "spaces" / "zero.py").write_text(ZERO)
    code = CHILD.format(tests=str(Path(__file__).parent))
    env = {"PYTHONPATH": str(tmp_path), "SPACES_ZERO_GPU": "true", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
