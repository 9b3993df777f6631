"""A run -> the Hub, behind the gate: backbone, config, plots and a card; neither head, nor labels, nor paths.

Knows the run folder and the Hub's client; trains and measures nothing.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid.errors import GateError, TrainingError, WeightsError
from reid.networks.inception import state_shapes
from reid.weights.choice import METRICS
from reid.weights.files import storage_errors
from reid.weights.store import CONFIG, SAFETENSORS, read_weights
from trainer import runs
from trainer.card import model_card

GATE_SPACE = "facenet"
MAX_VERIFICATION_LOSS = 0.001
TIMEOUT_S = 20.0
_TRIES = 3  # of one request: the client waits longer every time, without an end that a person would wait for
_PLOTS = ("det.png", "similarities.png", "training.png")
_PUBLIC = (
    "format_version", "architecture", "embedding_dim", "crop_px", "standardisation", "source", "title", "base",
    "licence", "training_data", "notice", "recipe", "alpha", "seed", "preprocessing", "thresholds", "weights_file",
    "weights_sha256", "weights_bytes",
)  # fmt: skip
"""What of config.json leaves: a list of what may, so that a field that is added some day does not leave by mistake."""


@dataclass(frozen=True, slots=True)
class Package:
    """What would go: a folder, the files in it, and what the gate has against it."""

    folder: Path
    files: tuple[tuple[str, int], ...]
    refusals: tuple[str, ...]


def refusals(metrics: Mapping[str, Any]) -> list[str]:
    """What the gate has against a run; empty when it may go.

    DIR at FPIR 1 % on people outside of training must beat the frozen weights beyond the paired bootstrap interval, and
    verification must not lose more than 0.1 point.
    """
    result = metrics.get("evaluation", {}).get(GATE_SPACE, {})
    if "tuned" not in result or "frozen" not in result:
        return [
            "It was not measured beside the weights it started from. Run `byteface evaluate --run ... --compare ...` "
            "with people outside of training."
        ]
    reasons = []
    change = result["difference"]["dir_at_fpir"].get("0.01")
    if change is None:
        reasons.append("There were too few searches for FPIR 1 %: at least 300 are needed for a hint.")
    elif change["low"] <= 0:
        reasons.append(
            f"DIR at FPIR 1 % changes by {change['value']:+.4f} [{change['low']:+.4f}, {change['high']:+.4f}] "
            "against the frozen weights: not better beyond the interval."
        )
    loss = result["difference"].get("verification")
    if loss is None:
        reasons.append("Verification was not measured. Run `byteface evaluate` with --pairs-csv.")
    elif loss < -MAX_VERIFICATION_LOSS:
        reasons.append(f"Verification changes by {100 * loss:+.2f} points: more than 0.1 point is lost.")
    return reasons


def gate(run: Path, *, force: bool) -> list[str]:
    """The refusals that were overridden; empty when there are none.

    Raises:
        GateError: there are, and nobody forces it.
    """
    found = refusals(runs.read_metrics(run))
    if found and not force:
        raise GateError("The gate refuses this run. " + " ".join(found) + " To publish it all the same, say --force.")
    return found


@contextmanager
def packed(run: Path, repo_id: str, forced: list[str]) -> Iterator[Package]:
    """A temporary folder with what would go.

    Raises:
        WeightsError: the run is damaged, or its weights hold more than a backbone.
        TrainingError: the metrics are of another version.
    """
    config = runs.read_run(run)
    weights = read_weights(run, run.name, rehash=True)
    _refuse_more_than_backbone(weights.path, int(config["embedding_dim"]))
    public = {key: config[key] for key in _PUBLIC if key in config}
    metrics = runs.read_metrics(run)
    with tempfile.TemporaryDirectory(prefix="byteface-publish-") as name:
        folder = Path(name)
        with storage_errors(folder):
            shutil.copyfile(weights.path, folder / SAFETENSORS)
            (folder / CONFIG).write_text(json.dumps(public, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            (folder / METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
            (folder / "README.md").write_text(model_card(config, metrics, repo_id, forced), encoding="utf-8")
            for plot in _PLOTS:
                if (run / plot).exists():
                    shutil.copyfile(run / plot, folder / plot)
        files = tuple((path.name, path.stat().st_size) for path in sorted(folder.iterdir()))
        yield Package(folder, files, tuple(forced))


def _refuse_more_than_backbone(path: Path, embedding_dim: int) -> None:
    """The head's rows are templates of real people: weights that hold anything but the network stay here."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        extra = set(file.keys()) - set(state_shapes(embedding_dim))
    if extra:
        raise WeightsError(
            f"{path} holds {len(extra)} tensors beside the network, such as {sorted(extra)[0]!r}: it stays here. "
            "Train the run again; a run keeps its head in checkpoints only."
        )


def upload(package: Package, repo_id: str, *, private: bool) -> str:
    """Creates the repository where it is new and commits the folder; returns the commit's id.

    Raises:
        TrainingError: no token, no permission, too many requests, or the Hub cannot be reached.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HFValidationError

    if get_token() is None:
        raise TrainingError("There is no Hub token. Set HF_TOKEN, or log in with `hf auth login`.")
    api = HfApi()
    try:
        with _patient_only_so_long():
            api.create_repo(repo_id, private=private, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repo_id, folder_path=package.folder, commit_message="Publish a fine-tuned run of ByteFace"
            )
    except HFValidationError as error:
        raise TrainingError(f"{repo_id!r} is no possible name on the Hub. Give --repo-id owner/name.") from error
    except ValueError as error:  # the Hub found the card's YAML wrong
        raise TrainingError(f"The Hub refuses the card: {error}. Report this.") from error
    except Exception as error:  # the client lets its HTTP library's errors through, which one differs by version
        raise TrainingError(_sentence(repo_id, error)) from error
    return str(commit.oid)


class _GaveUpError(Exception):
    """Ours, so that the client's own patience does not catch it.

    Attributes:
        status: of the answer; 0 when there was none.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


@contextmanager
def _patient_only_so_long() -> Iterator[None]:
    """The client without its waits: it follows `Retry-After` for hours, and its calls have no time limit."""
    from huggingface_hub import get_session, set_client_factory

    session = get_session()
    client, hooks = type(session), list(session.event_hooks["request"])
    tries: dict[tuple[str, str], int] = {}

    def count(request: Any) -> None:
        key = (request.method, str(request.url))
        tries[key] = tries.get(key, 0) + 1
        if tries[key] > _TRIES:
            raise _GaveUpError(0)

    def look(response: Any) -> None:
        if response.status_code == 429:
            raise _GaveUpError(429)

    set_client_factory(
        lambda: client(
            event_hooks={"request": [*hooks, count], "response": [look]}, follow_redirects=True, timeout=TIMEOUT_S
        )
    )
    try:
        yield
    finally:
        set_client_factory(lambda: client(event_hooks={"request": hooks}, follow_redirects=True, timeout=None))


def _sentence(repo_id: str, error: BaseException) -> str:
    """What happened and what to do, from the first cause that says so."""
    cause: BaseException | None = error
    while cause is not None:
        status = cause.status if isinstance(cause, _GaveUpError) else _status_of(cause)
        if status == 401:
            return "The Hub does not accept the token. Make a new one with write access and set HF_TOKEN."
        if status == 403:
            return f"The token may not write to {repo_id}. Use one with write access, or a repository of your own."
        if status == 404:
            return f"The Hub has no {repo_id}, or the token may not see it. Check --repo-id and the token."
        if status == 429:
            return "The Hub asks for fewer requests. Wait some minutes and run the same command again: nothing is lost."
        if status:
            return f"The Hub answered with an error ({status}). Run the same command again later: nothing is lost."
        cause = cause.__cause__ or cause.__context__
    return f"The Hub could not be reached ({type(error).__name__}). Check the network and run the same command again."


def _status_of(error: BaseException) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)
