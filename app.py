"""Starts ByteFace: what `make run`, `python app.py` and a Space run. Settings come from the environment."""

from __future__ import annotations

import functools
import logging
import os
import sys

from reid import zero_gpu
from reid.errors import ReidError
from reid.gallery.sealing import use_key_of
from reid.quick_gradio import without_stubs
from reid.settings import Settings


def main() -> int:
    """Serves the page; one sentence and exit code 1 where that is impossible."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings.from_env()
        use_key_of(os.environ)
        zero_gpu.prepare()
        without_stubs()
        from reid.server import serve  # Gradio and torch, not before the settings are known to be good

        serve(settings, functools.partial(print, flush=True))
    except ReidError as error:
        print(f"byteface: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
