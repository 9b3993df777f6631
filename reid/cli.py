"""`byteface NAME ...`: finds the command, imports only that one, and turns errors into one line.

A new command is one file with `add_arguments(parser)` and `run(args) -> int`, and one line in COMMANDS.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence

from reid import __version__
from reid.errors import ReidError
from reid.gallery.sealing import use_key_of
from reid.settings import Settings

COMMANDS = {
    "serve": ("reid.commands.serve", "start the page"),
    "identify": ("reid.commands.identify", "who is on one photograph, as JSON"),
    "verify": ("reid.commands.verify", "one person or two, as JSON"),
    "enrol": ("reid.commands.enrol", "add photographs of one person to a gallery"),
    "import": ("reid.commands.import_people", "enrol everybody of a folder, a zip or a CSV"),
    "export": ("reid.commands.export", "a whole gallery as one file, or who is enrolled as a CSV"),
    "restore": ("reid.commands.restore", "a gallery out of such a file"),
    "migrate": ("reid.commands.migrate", "a gallery into another kind, or shards into the whole"),
    "build-gallery": ("reid.commands.build_gallery", "enrol everybody of a CSV"),
    "predict": ("reid.commands.predict", "a name or doesn't_exist for every photograph of a CSV"),
    "calibrate": ("reid.commands.calibrate", "choose the threshold from photographs of strangers"),
    "encrypt": ("reid.commands.encrypt", "a gallery's faces unreadable without a key; another key, or none"),
    "reembed": ("reid.commands.reembed", "bring a gallery to other weights, from its stored crops"),
    "person": ("reid.commands.person", "what is held about somebody; a later last day; an erasure"),
    "retention": ("reid.commands.retention", "how long people are held, and whose time is nearly over"),
    "audit": ("reid.commands.audit", "what was done with the galleries, and whether that record is whole"),
    "accounts": ("reid.commands.accounts", "who may log in, in which role, and API keys of programs"),
    "weights": ("reid.commands.weights", "what weights are there; bring, check and carry them"),
    "deploy-space": ("reid.commands.deploy_space", "this checkout as a Hugging Face Space"),
    "train": ("trainer.commands.train", "better weights from photographs of known people"),
    "evaluate": ("trainer.commands.evaluate", "what weights are worth on people they never saw"),
    "publish": ("trainer.commands.publish", "a run that is measurably better goes to the Hub"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0; 1 where the command could not do its work, with the reason as one line on stderr; 2 for wrong arguments.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in words if not word.startswith("-")), "")
    args = _parser(name).parse_args(words)
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        args.settings = Settings.from_env()
        use_key_of(os.environ)
        module = importlib.import_module(COMMANDS[args.command][0])
        return int(module.run(args))
    except ReidError as error:
        print(f"byteface {args.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"byteface {args.command}: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def entry() -> None:
    """The console script."""
    sys.exit(main())


def _parser(wanted: str) -> argparse.ArgumentParser:
    """All commands by name, the wanted one with its arguments."""
    parser = argparse.ArgumentParser(
        prog="byteface", description="Who of an enrolled gallery is on a photograph, with the evidence, or nobody."
    )
    parser.add_argument("--version", action="version", version=f"byteface {__version__}")
    parser.add_argument("--verbose", action="store_true", help="log what happens: counts and ids, never names")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, summary) in COMMANDS.items():
        one = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name == wanted:
            importlib.import_module(module).add_arguments(one)
    return parser
