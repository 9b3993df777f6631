"""A published run from the Hugging Face Hub -> its folder below the models folder, at one commit, checked.

Knows the Hub's client and its errors; loads nothing.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from huggingface_hub import errors, hf_hub_download
from tqdm import tqdm

from reid.errors import WeightsError
from reid.weights.download import OFFLINE_ADVICE
from reid.weights.files import one_at_a_time, replacing_folder, sha256_of, storage_errors, write_together
from reid.weights.store import CONFIG, SAFETENSORS, WeightsFile, read_config, read_weights

TIMEOUT_S = 15.0
_ADDRESS = re.compile(r"hub:(?P<repository>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
# What the client lets through: its HTTP library's errors (httpx in one version, httpx2 in the next: the base of its
# own error names it), the system's, and RuntimeError from its transfer library.
_CLIENT_ERRORS: tuple[type[BaseException], ...] = (errors.HfHubHTTPError.__bases__[0], OSError, RuntimeError)


@dataclass(frozen=True, slots=True)
class HubAddress:
    """`hub:owner/name[@revision]`: without a revision, the newest at the first download, that one ever after."""

    repository: str
    revision: str | None

    @classmethod
    def parse(cls, text: str) -> HubAddress:
        """Raises: WeightsError when it is not written like that."""
        found = _ADDRESS.fullmatch(text)
        if not found:
            raise WeightsError(f"{text!r} names nothing on the Hub. Write hub:owner/name or hub:owner/name@revision.")
        return cls(found["repository"], found["revision"])

    @property
    def folder_name(self) -> str:
        parts = ["hub", *self.repository.split("/"), *([quote(self.revision, safe="")] if self.revision else [])]
        return "--".join(parts)


def ensure_hub(text: str, models_dir: Path, *, progress: bool = True, force: bool = False) -> WeightsFile:
    """The run at that address, downloaded when it is not there.

    Raises:
        WeightsError: no such repository, no access, unreachable, damaged, or not a run of ours.
    """
    address = HubAddress.parse(text)
    folder = models_dir / address.folder_name
    if (folder / CONFIG).is_file() and not force:
        return read_weights(folder, text)
    with storage_errors(models_dir), one_at_a_time(models_dir):
        if not (folder / CONFIG).is_file() or force:  # another process may have brought it while this one waited
            config, weights = _files(address, text, progress=progress)
            with replacing_folder(folder) as staging:
                for path in (config, weights):
                    shutil.copyfile(path, staging / path.name)
                _adopt(staging, text, commit=config.parent.name)
    return read_weights(folder, text)


def _files(address: HubAddress, text: str, *, progress: bool) -> tuple[Path, Path]:
    """Config and weights, of one commit, in the client's own cache; from that alone where the Hub does not answer."""
    bar = tqdm if progress else _Silent

    def get(name: str, revision: str | None, *, local: bool) -> Path:
        path = hf_hub_download(address.repository, name, revision=revision, etag_timeout=TIMEOUT_S, tqdm_class=bar,
                               local_files_only=local)  # fmt: skip
        return Path(path)

    def both(*, local: bool) -> tuple[Path, Path]:
        config = get(CONFIG, address.revision, local=local)
        # the client keeps files in a folder per commit: the weights are of the same one, whoever publishes meanwhile
        return config, get(SAFETENSORS, config.parent.name, local=local)

    try:
        return both(local=False)
    except errors.HFValidationError as error:
        raise WeightsError(f"{text} is no possible address on the Hub. Write hub:owner/name[@revision].") from error
    except _CLIENT_ERRORS as error:
        if isinstance(error, errors.HfHubHTTPError):  # the Hub has answered
            raise WeightsError(_sentence(address, error)) from error
        try:
            return both(local=True)
        except _CLIENT_ERRORS:
            raise WeightsError(_sentence(address, error)) from error


def _sentence(address: HubAddress, error: BaseException) -> str:
    """What happened and what to do next; the most particular error first."""
    name = address.repository
    if isinstance(error, errors.GatedRepoError):
        return (
            f"{name} on the Hub asks for its publisher's consent. Ask for access on its page, then log in (HF_TOKEN)."
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"The Hub has no {name}, or it is private. Check the name; for a private one set HF_TOKEN."
    if isinstance(error, errors.RevisionNotFoundError):
        return (
            f"{name} on the Hub has no revision {address.revision}. Name a branch, tag or commit that its page shows."
        )
    if isinstance(error, errors.EntryNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError):
        return f"{name} on the Hub holds no {SAFETENSORS} with a {CONFIG}. Name a repository that ByteFace published."
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "The disk of the Hub's cache is full. Free some space, or set HF_HOME to a folder on another disk."
    return f"The Hub could not be asked for {name} ({type(error).__name__}). {OFFLINE_ADVICE}"


def _adopt(staging: Path, text: str, commit: str) -> None:
    """Checks what arrived against its own config and notes where it is from.

    A transfer checks sizes only, so the digest in the config is what tells a whole file from a changed one.
    """
    config = read_config(staging)
    for key in ("architecture", "embedding_dim", "crop_px", "standardisation"):
        if key not in config:
            raise WeightsError(
                f"The {CONFIG} of {text} does not say its {key}. Name a repository that ByteFace published."
            )
    weights = staging / SAFETENSORS
    found, stated = sha256_of(weights), config.get("weights_sha256")
    if stated not in {None, found}:
        raise WeightsError(
            f"The {SAFETENSORS} of {text} has SHA-256 {found[:12]}… and its {CONFIG} says {str(stated)[:12]}…: "
            "it was thrown away. Run it again; if that does not help, ask its publisher."
        )
    config |= {
        "weights_file": SAFETENSORS,  # whatever it said: nothing outside this folder
        "weights_sha256": found,
        "weights_bytes": weights.stat().st_size,
        "origin": f"{text.partition('@')[0]}@{commit}",
    }
    written = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    write_together(staging, {CONFIG: written.encode()})


class _Silent(tqdm):  # type: ignore[misc] # tqdm ships no annotations
    """A progress bar that shows nothing."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **{**kwargs, "disable": True})
