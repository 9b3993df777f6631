"""What every test may ask for: real weights, the demonstration photographs, the development photographs."""

from __future__ import annotations

import os

# Read once at import by gradio and huggingface_hub: no test may reach a foreign host.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gallery_backends import BACKENDS, opened

from reid.gallery import Gallery
from reid.settings import CHECKOUT, Settings

if TYPE_CHECKING:
    from browser import Surfer

    from reid.recognizer import Recognizer


@pytest.fixture(scope="session")
def settings() -> Settings:
    """This checkout's own: weights are brought once and shared by all runs."""
    return Settings.from_env()


@pytest.fixture(scope="session")
def models_dir(settings: Settings) -> Path:
    """Where weights lie; `ensure` brings what is missing."""
    return settings.models_dir


@pytest.fixture(scope="session")
def demo_dir(settings: Settings) -> Path:
    """`train/` and `val/` photographs of five celebrities, brought with the ms1m weights."""
    from reid.weights import fetch_demo

    return fetch_demo(settings.data_dir, settings.models_dir)


@pytest.fixture(scope="session")
def lfw_dev() -> Path:
    """The development photographs; the test is skipped where there are none."""
    place = Path(os.environ.get("BYTEFACE_LFW_DEV") or CHECKOUT.parent / "shared" / "data" / "lfw-dev")
    if not (place / "probes_val.csv").exists():
        pytest.skip(f"no development photographs in {place}: set BYTEFACE_LFW_DEV to their folder")
    return place


@pytest.fixture(params=sorted(BACKENDS))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a gallery that is still to be made, once a backend."""
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def gallery(url: str) -> Iterator[Gallery]:
    """An empty one, once a backend."""
    with closing(opened(url)) as opened_gallery:
        yield opened_gallery


@pytest.fixture(scope="module")
def surfer(recognizer: Recognizer) -> Iterator[Surfer]:
    """Chromium at the page of a module's own `recognizer`."""
    from browser import surfing  # Gradio and Playwright, not for tests that open no page

    with surfing(recognizer) as opened_page:
        yield opened_page
