"""The Hugging Face Hub's client with an end to its patience, and its errors in words. Knows no run and no gallery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from reid.errors import HubError, ReidError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TIMEOUT_S = 20.0
_TRIES = 3  # of one request: the client waits longer every time, without an end that a person would wait for
_SMALL_BYTES = 4096


@contextmanager
def asked(repo_id: str) -> Iterator[HfApi]:
    """The client, for a block that writes to a repository.

    Raises:
        HubError: no token, no permission, too many requests, or the Hub cannot be reached.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HFValidationError

    if get_token() is None:
        raise HubError("There is no Hub token. Set HF_TOKEN, or log in with `hf auth login`.", status=401)
    try:
        with _patient_only_so_long():
            yield HfApi()
    except ReidError:
        raise
    except HFValidationError as error:
        raise HubError(f"{repo_id!r} is no possible name on the Hub. Write owner/name.") from error
    except ValueError as error:  # the Hub found the card's YAML wrong
        raise HubError(f"The Hub refuses the card: {error}. Report this.") from error
    except Exception as error:  # the client lets its HTTP library's errors through, which one differs by version
        raise _told(repo_id, error) from error


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
    tries: dict[tuple[str, str, bytes], int] = {}

    def count(request: Any) -> None:
        # several files are verified at one address, and only what they say tells their requests apart
        small = 0 < int(request.headers.get("content-length") or 0) <= _SMALL_BYTES
        key = (request.method, str(request.url), request.read() if small else b"")
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


def _told(repo_id: str, error: BaseException) -> HubError:
    """What happened and what to do, from the first cause that says so."""
    cause: BaseException | None = error
    while cause is not None:
        status = cause.status if isinstance(cause, _GaveUpError) else _status_of(cause)
        if status == 401:
            text = "The Hub does not accept the token. Make a new one with write access and set HF_TOKEN."
        elif status == 403:
            text = f"The token may not write to {repo_id}. Use one with write access, or a repository of your own."
        elif status == 404:
            text = f"The Hub has no {repo_id}, or the token may not see it. Check its name and the token."
        elif status == 429:
            text = "The Hub asks for fewer requests. Wait some minutes and run the same command again: nothing is lost."
        elif status:
            text = f"The Hub answered with an error ({status}). Run the same command again later: nothing is lost."
        else:
            cause = cause.__cause__ or cause.__context__
            continue
        return HubError(text, status=status)
    return HubError(
        f"The Hub could not be reached ({type(error).__name__}). Check the network and run the same command again."
    )


def _status_of(error: BaseException) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)
