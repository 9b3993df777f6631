"""`byteface deploy-space`: this checkout as a Hugging Face Space."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from reid.errors import HubError, SettingsError
from reid.settings import CHECKOUT

_FILES = (
    "app.py", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "requirements.txt",
    "pyproject.toml",
)  # fmt: skip
_FOLDERS = {
    "reid": {".py", ".json"}, "trainer": {".py"}, "docs": {".md"},
    "assets": {".css", ".js", ".svg", ".png", ".webp", ".woff2", ".html", ".json", ".txt"},
}  # fmt: skip
"""What goes, by name and kind: a list of what may, so that no gallery, run or key goes by mistake."""

_HARDWARE = ("cpu-basic", "zero-a10g")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and on what."""
    parser.add_argument("--repo-id", required=True, metavar="OWNER/NAME", help="the Space; made where there is none")
    parser.add_argument("--private", action="store_true", help="only its owner sees it")
    parser.add_argument(
        "--hardware", choices=_HARDWARE, default="cpu-basic", help="of a Space that is made; zero-a10g is ZeroGPU"
    )
    parser.add_argument(
        "--admins", nargs="*", metavar="USER", help="users and organisations of the Hub who may do everything [OWNER]"
    )
    parser.add_argument("--operators", nargs="*", default=[], metavar="USER", help="those who may enrol")
    parser.add_argument(
        "--backup-repo", default="", metavar="OWNER/NAME",
        help="private dataset that the gallery is saved to and brought back from; needs the secret HF_TOKEN",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="list what would go, and ask the Hub nothing")


def run(args: argparse.Namespace) -> int:
    """Makes the Space where it is new, says who may do what on it, and uploads.

    Raises:
        HubError: no token, no permission, or the account may not create a Space.
        SettingsError: this is no checkout.
    """
    if not (CHECKOUT / "app.py").exists():
        raise SettingsError("There is no app.py here: a Space is deployed from a checkout. Clone the repository first.")
    files = to_upload(CHECKOUT)
    variables = _variables(args)
    if args.dry_run:
        for path in files:
            print(f"{(CHECKOUT / path).stat().st_size:>10,}  {path}")
        for name, value in variables.items():
            print(f"{name}={value}")
        print(f"{len(files):,} files would go to the Space {args.repo_id}. Nothing was asked of the Hub.")
        return 0
    from reid import hub

    with hub.asked(args.repo_id) as api, tempfile.TemporaryDirectory(prefix="byteface-space-") as name:
        made = _make(api, args, variables)
        for path in files:
            (Path(name) / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / path, Path(name) / path)
        commit = api.upload_folder(
            repo_id=args.repo_id, repo_type="space", folder_path=name, commit_message="Deploy ByteFace",
            delete_patterns=[f"{folder}/*" for folder in _FOLDERS],
        )  # fmt: skip
    print(f"{len(files):,} files are in the Space {args.repo_id} now, commit {str(commit.oid)[:12]}.")
    print("It was made just now." if made else "It was there already: its hardware and secrets stay as they are.")
    if args.backup_repo:
        print(f"Set its secret HF_TOKEN to a token that may write to {args.backup_repo}, in the Space's settings.")
    return 0


def to_upload(root: Path) -> list[str]:
    """Paths below a checkout that a Space needs."""
    found = [name for name in _FILES if (root / name).is_file()]
    for folder, kinds in _FOLDERS.items():
        found += [
            path.relative_to(root).as_posix()
            for path in sorted((root / folder).rglob("*"))
            if path.is_file() and path.suffix in kinds and "__pycache__" not in path.parts
        ]
    return found


def _variables(args: argparse.Namespace) -> dict[str, str]:
    """Settings of the Space: anybody may look who is on a photograph, only those named here may change anything."""
    admins = [args.repo_id.partition("/")[0]] if args.admins is None else args.admins
    said = {
        "BYTEFACE_VISITORS": "1",
        "BYTEFACE_HF_ADMINS": ",".join(admins),
        "BYTEFACE_HF_OPERATORS": ",".join(args.operators),
        "BYTEFACE_BACKUP_REPO": args.backup_repo,
    }
    return {name: value for name, value in said.items() if value}


def _make(api: Any, args: argparse.Namespace, variables: dict[str, str]) -> bool:
    """Whether the Space is new. Raises: HubError."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        api.create_repo(
            args.repo_id, repo_type="space", space_sdk="gradio", private=args.private, space_hardware=args.hardware,
            space_variables=[{"key": name, "value": value} for name, value in variables.items()],
        )  # fmt: skip
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (402, 403):
            raise HubError(
                f"This account may not create the Space {args.repo_id} on {args.hardware}. A Gradio Space takes a PRO "
                "or Team account, on the free hardware too; a free account older than 30 days may have two on ZeroGPU: "
                "--hardware zero-a10g.",
                status=status,
            ) from error
        if status != 409:
            raise
        for name, value in variables.items():
            api.add_space_variable(args.repo_id, name, value)
        return False
    return True
