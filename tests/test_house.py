"""The house itself: imports only go down, nothing heavy is loaded early, documents name what exists."""

import ast
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from reid.cli import COMMANDS, _parser
from reid.settings import CHECKOUT

# module or package -> floor; imports only go down, or stay on a floor
FLOORS = {
    "reid.types": 0, "reid.errors": 0, "reid.zero_gpu": 0, "reid.ahead": 0, "reid": 0, "reid.scans": 0,
    "reid.quick_gradio": 0,
    "reid.settings": 1, "reid.images": 1, "reid.metrics": 1, "reid.threshold": 1, "reid.tables": 1, "reid.faces": 1,
    "reid.verdicts": 1, "reid.actor": 1, "reid.transactions": 1,
    "reid.detect.base": 1, "reid.networks.base": 1, "reid.gallery.base": 1,
    "reid.weights": 2, "reid.align": 2, "reid.quality": 2, "reid.detect": 2, "reid.networks": 2, "reid.space": 2,
    "reid.gallery": 2, "reid.runtime": 2, "reid.audit": 2, "reid.accounts": 2, "reid.hub": 2,
    "reid.fitting": 3, "reid.quantising": 3, "reid.reembed": 3,
    "reid.describe": 3, "reid.recognizer": 3, "reid.assign": 3, "reid.demo": 3, "reid.feedback": 3,
    "reid.leave_one_out": 3, "reid.unknowns": 3, "reid.grouping": 3, "reid.duplicates": 3,
    "reid.verification": 3, "reid.intake": 3, "reid.rights": 3, "reid.offsite": 3,
    "reid.probability": 1, "reid.score_odds": 3, "reid.live": 3, "reid.warming": 3,
    "reid.ui": 4, "trainer": 4,
    "reid.server": 5, "reid.downloads": 5, "reid.access": 5, "reid.entrance": 5, "reid.cli": 5,
    "reid.commands": 5, "trainer.commands": 5, "app": 5,
}  # fmt: skip
NEVER = {("reid.ui", "trainer"), ("trainer", "reid.ui")}


def _modules() -> list[Path]:
    return [CHECKOUT / "app.py", *sorted(CHECKOUT.glob("reid/**/*.py")), *sorted(CHECKOUT.glob("trainer/**/*.py"))]


def _name(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _place(module: str) -> tuple[str, int]:
    """The longest entry of FLOORS that holds a module."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in FLOORS and not (name == "reid" and len(parts) > 1):
            return name, FLOORS[name]
    raise AssertionError(f"{module} has no floor: give it one in tests/test_house.py and in CONTRIBUTING.md")


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                longer = f"{node.module}.{alias.name}"
                is_module = (CHECKOUT / (longer.replace(".", "/") + ".py")).exists()
                found.add(longer if is_module else node.module)
    return {name for name in found if name.split(".")[0] in {"reid", "trainer", "app"}}


@pytest.mark.parametrize("path", _modules(), ids=_name)
def test_imports_only_go_down(path):
    own, floor = _place(_name(path))
    for module in _imports(path):
        other, below = _place(module)
        assert below <= floor, f"{_name(path)} (floor {floor}) imports {module} (floor {below})"
        assert (own, other) not in NEVER, f"{own} must not know {other}"


def test_the_core_loads_neither_torch_nor_gradio():
    heavy = {"torch", "gradio", "cv2"}
    code = f"import sys, reid, reid.cli; reid.cli._parser('predict'); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _documents() -> list[Path]:
    names = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md", "models/README.md")
    return [*(CHECKOUT / name for name in names), *sorted((CHECKOUT / "docs").glob("*.md"))]


def _bare(line: str) -> str:
    """A command without its comment and redirection."""
    return line.split(" #")[0].split(" > ")[0].strip()


def _byteface_lines() -> list[tuple[str, str]]:
    lines = []
    for document in _documents():
        text = document.read_text(encoding="utf-8")
        for language, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL):
            if language not in {"", "bash", "sh", "console"}:
                continue
            commands = [line.strip() for line in block.replace("\\\n", " ").split("\n")]
            lines += [(document.name, _bare(line)) for line in commands if line.startswith("byteface ")]
    return lines


@pytest.mark.parametrize(("document", "line"), _byteface_lines())
def test_every_command_in_a_document_is_accepted_as_it_stands(document, line):
    words = shlex.split(line)[1:]
    assert words[0] in COMMANDS, f"{document}: there is no command {words[0]}"
    _parser(words[0]).parse_args(words)


def test_the_readme_shows_commands():
    assert len(_byteface_lines()) > 5, "none would mean that they are not found any more"


@pytest.mark.parametrize("document", _documents(), ids=lambda path: path.name)
def test_every_relative_link_of_a_document_leads_somewhere(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text) + re.findall(r'src="(?!https?:)([^"]+)"', text)
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


def test_what_the_threat_model_says_is_held_by_a_test_has_one():
    named = re.findall(r"`(tests/[\w.]+)`", (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(named) > 10, "fewer would mean that they are not found any more"
    assert not [path for path in named if not (CHECKOUT / path).exists()]


def test_every_command_has_its_module_and_says_what_it_does():
    for name, (module, summary) in COMMANDS.items():
        loaded = importlib.import_module(module)
        assert callable(loaded.add_arguments)
        assert callable(loaded.run)
        assert summary, name
