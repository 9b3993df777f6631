"""`byteface serve`: the page."""

from __future__ import annotations

import argparse
import functools
from dataclasses import replace

from reid.commands import common


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens and what it searches."""
    parser.add_argument("--host", help="address to listen on [127.0.0.1]")
    parser.add_argument("--port", type=int, help="[7860]")
    parser.add_argument("--demo", action="store_true", help="start a new gallery with the demonstration people")
    common.add_gallery(parser)
    common.add_recognition(parser)


def run(args: argparse.Namespace) -> int:
    """Serves until it is stopped."""
    from reid.quick_gradio import without_stubs

    without_stubs()
    from reid.server import serve

    settings = common.settings_of(args, of_gallery=False)  # opening it does the rest, and the page tells
    settings = replace(settings, demo=args.demo, host=args.host or settings.host, port=args.port or settings.port)
    serve(settings, functools.partial(print, flush=True))
    return 0
