"""docs/dependencies.md says what each package is for and under which terms, and is held against the installed ones."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reid.settings import CHECKOUT

PAGE = (CHECKOUT / "docs" / "dependencies.md").read_text(encoding="utf-8")
LISTS = ("requirements", "requirements-milvus", "requirements-int8", "requirements-train", "requirements-dev",
         "requirements-bench")  # fmt: skip

_CLASSIFIED = {
    "Apache Software License": "Apache-2.0", "BSD License": "BSD-3-Clause", "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "ISC License (ISCL)": "ISC", "Public Domain": "Public Domain",
    "Python Software Foundation License": "PSF-2.0", "Other/Proprietary License": "proprietary",
}  # fmt: skip
_SPOKEN = {"3-Clause BSD License": "BSD-3-Clause", "BSD": "BSD-3-Clause", "NVIDIA Proprietary Software": "proprietary",
           "LicenseRef-NVIDIA-Proprietary": "proprietary", "Apache License, Version 2.0": "Apache-2.0"}  # fmt: skip
_IN_A_FILE_ONLY = {"axe-playwright-python": "MIT", "cuda-toolkit": "proprietary"}
FREE = re.compile(
    r"(MIT(-0|-CMU)?|Apache-2\.0( WITH LLVM-exception)?|0?BSD(-[23]-Clause)?|BSL-1\.0|ISC|PSF-2\.0|Zlib|CC0-1\.0|"
    r"Public Domain)"
)
"""Terms that ask for no more than to be named."""


def licence_of(name: str) -> str:
    """What an installed package says of itself: its expression, its classifier, or its own word."""
    if canonicalize_name(name) in _IN_A_FILE_ONLY:
        return _IN_A_FILE_ONLY[canonicalize_name(name)]
    about = metadata.metadata(name)
    if expression := about.get("License-Expression"):
        return _SPOKEN.get(expression, expression)
    for classifier in about.get_all("Classifier") or []:
        if classifier.startswith("License ::") and (known := _CLASSIFIED.get(classifier.split(" :: ")[-1])):
            return known
    word = (about.get("License") or "").strip().partition("\n")[0]
    return _SPOKEN.get(word, word)


@cache
def locked() -> dict[str, str]:
    lines = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines if "==" in line}


def rows(heading: str) -> dict[str, list[str]]:
    """A table of the page: package -> the other columns."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    table = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]
    return {canonicalize_name(name): rest for name, *rest in table}


def wanted(list_name: str) -> set[str]:
    lines = (CHECKOUT / f"{list_name}.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(Requirement(line).name) for line in lines if line and line[0] not in "#-"}


@pytest.mark.parametrize("list_name", LISTS)
def test_the_table_names_what_a_list_asks_for_as_it_is_locked_and_licensed(list_name: str) -> None:
    table = rows(f"{list_name}.txt")
    assert set(table) == wanted(list_name)
    for name, (what_for, version, licence) in table.items():
        assert what_for, name
        assert version == locked().get(name, "not locked"), f"{name}: write {locked().get(name)}"
        try:
            assert licence == licence_of(name), name
        except metadata.PackageNotFoundError:
            continue  # the peers of the benchmarks are on few machines


def test_whatever_else_comes_along_is_free_or_named() -> None:
    named = rows("What comes along with terms of its own")
    direct = set().union(*map(wanted, LISTS))
    for name in locked().keys() - direct:
        try:
            licence = licence_of(name)
        except metadata.PackageNotFoundError:
            continue
        parts = re.split(r" (?:AND|OR) ", licence.replace("(", "").replace(")", ""))
        if not all(FREE.fullmatch(part) for part in parts):
            row = named.get(name) or named.get("nvidia" if name.startswith(("nvidia-", "cuda-")) else name)
            assert row, f"{name} is {licence or 'without a word'}: name it in docs/dependencies.md"
            assert row[-1] == licence, name
