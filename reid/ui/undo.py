"""What can be taken back: one function for each recent action, by an unguessable id, for whoever did it. Forgets the
oldest.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable

from reid.actor import acting

_KEPT = 100


class Undos:
    """Recent actions of this process and what undoes each. Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._actions: OrderedDict[str, tuple[str, Callable[[], str]]] = OrderedDict()

    def offer(self, action: Callable[[], str]) -> str:
        """Keeps what undoes an action; it returns the sentence that says so.

        Returns:
            the id that an Undo button sends back.
        """
        key = uuid.uuid4().hex
        with self._lock:
            self._actions[key] = acting().name, action
            while len(self._actions) > _KEPT:
                self._actions.popitem(last=False)
        return key

    def take(self, key: str) -> Callable[[], str] | None:
        """The function of that id, once; None where it was used or forgotten, or is somebody else's."""
        with self._lock:
            owner, action = self._actions.get(key, ("", None))
            if action is None or owner != acting().name:
                return None
            del self._actions[key]
            return action
