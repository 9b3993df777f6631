"""What makes Gradio's import quick: it may not write its stubs for editors. Knows nothing of the page."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_MODULE, _WRITES = "gradio.component_meta", "create_or_modify_pyi"


def without_stubs() -> None:
    """Before Gradio is imported. Each import parses the source of all components to bring `.pyi` files beside them up
    to date: more than half of its time, and writing into installed packages is nothing that a server should do.
    """
    if _MODULE not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds that one module where it is, and has it loaded without what writes."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if hasattr(module, _WRITES):
            setattr(module, _WRITES, _nothing)


def _nothing(*_: Any) -> None:
    """In the place of what writes stubs."""
