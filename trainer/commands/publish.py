"""`byteface publish`: a run that is measurably better goes to the Hub, with a card that says how much."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--run and --repo-id, then the exceptions."""
    parser.add_argument("--run", type=Path, required=True, help="run folder, such as models/best_model")
    parser.add_argument(
        "--repo-id", required=True, metavar="OWNER/NAME", help="repository on the Hub; made when it is new"
    )
    parser.add_argument("--public", action="store_true", help="make a new repository public [private]")
    parser.add_argument("--force", action="store_true", help="against the gate; the card says so")
    parser.add_argument("--dry-run", action="store_true", help="show what would go, and send nothing")


def run(args: argparse.Namespace) -> int:
    """Asks the gate, shows the files, uploads them."""
    from reid.errors import SettingsError
    from trainer import publish

    if args.repo_id.count("/") != 1 or not all(args.repo_id.split("/")):
        raise SettingsError(f"{args.repo_id!r} is no repository. Give --repo-id owner/name.")
    overridden = publish.gate(args.run, force=args.force or args.dry_run)
    with publish.packed(args.run, args.repo_id, overridden if args.force else []) as package:
        for name, size in package.files:
            print(f"{size:>12,}  {name}")
        if args.dry_run:
            verdict = f"The gate would refuse it: {' '.join(overridden)}" if overridden else "The gate lets it pass."
            print(f"{verdict} Nothing was sent.")
            return 0
        commit = publish.upload(package, args.repo_id, private=not args.public)
    print(f"published: hub:{args.repo_id}@{commit}")
    return 0
