"""`byteface weights`: what is there, where from and under what terms; bring, check and carry it.

Prints; what weights are and how they come is `reid.weights`' business.
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from reid.settings import Settings

DEFAULT = ("ms1m", "sface", "yunet")  # what a fresh machine needs for the default space and detector
_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(action=_list)
    actions = parser.add_subparsers(metavar="ACTION", title="actions (without one: list)")
    actions.add_parser("list", help="what is there, with source, licence, training data, size and SHA-256")
    get = actions.add_parser("get", help="download what is missing")
    get.add_argument("sources", nargs="*", metavar="SOURCE", default=list(DEFAULT),
                     help=f"a listed name or hub:owner/name[@revision] (default: {' '.join(DEFAULT)})")  # fmt: skip
    get.add_argument("--force", action="store_true", help="bring it again although it is there")
    get.set_defaults(action=_get)
    actions.add_parser(
        "quantise", help="make the default space's int8 graphs, which `auto` then computes with (needs the extra int8)"
    ).set_defaults(action=_quantise)
    actions.add_parser("check", help="compute every SHA-256 anew").set_defaults(action=_check)
    export = actions.add_parser("export", help="write everything that is there to one file")
    export.add_argument("file", type=Path)
    export.set_defaults(action=_export)
    take = actions.add_parser("import", help="take over what `export` wrote on another machine")
    take.add_argument("file", type=Path)
    take.set_defaults(action=_import)


def run(args: argparse.Namespace) -> int:
    settings: Settings = args.settings
    return int(args.action(args, settings.models_dir))


def _list(_: argparse.Namespace, models_dir: Path) -> int:
    from reid.weights import inventory

    entries = inventory(models_dir)
    print(f"Weights in {models_dir}\n")
    for entry in entries:
        size = f"{entry.size / 1e6:.1f} MB" if entry.size else "size unknown"
        state = size if entry.present else f"not here ({size} to download; `byteface weights get {entry.name}`)"
        print(f"{entry.name}: {state}")
        for label, text in (
            ("what", entry.title),
            ("from", entry.origin),
            ("licence", entry.licence),
            ("trained on", entry.training_data),
            ("sha256", entry.sha256),
        ):
            if text:
                print(_indented(label, text))
        print()
    notices = {entry.notice: [] for entry in entries if entry.notice}  # type: dict[str, list[str]]
    for entry in entries:
        if entry.notice:
            notices[entry.notice].append(entry.name)
    for notice, names in notices.items():
        print(textwrap.fill(f"{', '.join(names)}: {notice}", _WIDTH))
    return 0


def _indented(label: str, text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH - 14, break_long_words=False, break_on_hyphens=False)
    return textwrap.indent(f"{label:<12}" + f"\n{'':<12}".join(lines), "  ")


def _get(args: argparse.Namespace, models_dir: Path) -> int:
    from reid.weights import ensure

    for source in args.sources:
        weights = ensure(source, models_dir, force=args.force)
        print(f"{source}: {weights.path} ({weights.path.stat().st_size / 1e6:.1f} MB, SHA-256 {weights.sha256})")
    return 0


def _quantise(args: argparse.Namespace, _: Path) -> int:
    from reid.quantising import quantise

    for weights in quantise(args.settings):
        print(f"{weights.source}: its int8 graph is kept beside {weights.path.name}")
    return 0


def _check(_: argparse.Namespace, models_dir: Path) -> int:
    from reid.weights import check

    results = check(models_dir)
    for name, problem in results:
        print(f"{name}: {problem or 'as recorded'}")
    if not results:
        print(f"{models_dir} holds no weights. Bring some: `byteface weights get`.")
    return 1 if any(problem for _, problem in results) else 0


def _export(args: argparse.Namespace, models_dir: Path) -> int:
    from reid.weights import export_bundle

    names = export_bundle(models_dir, args.file)
    print(f"{args.file}: {', '.join(names)} ({args.file.stat().st_size / 1e6:.1f} MB)")
    return 0


def _import(args: argparse.Namespace, models_dir: Path) -> int:
    from reid.weights import import_bundle

    print(f"{models_dir}: {', '.join(import_bundle(args.file, models_dir))}")
    return 0
