"""A server with accounts for tests: one account and one key of each role, a clock that tests turn, cheap passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from browser import application
from fakes import people_of_all_kinds
from fastapi import FastAPI
from fastapi.testclient import TestClient

from reid.access import LOOPBACK
from reid.accounts import FILE, Accounts, Throttle
from reid.accounts.passwords import Passwords
from reid.actor import LOCAL, Role
from reid.entrance.entry import SESSION, Entry
from reid.recognizer import Recognizer
from reid.settings import Doors

WORDS = "three words are enough"
NAMES = {Role.VIEWER: "Vi", Role.OPERATOR: "Olu", Role.ADMIN: "Ada"}
HERE = "http://127.0.0.1"


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class House:
    """The server, its accounts and ways in."""

    def __init__(self, app: FastAPI, recognizer: Recognizer, accounts: Accounts, clock: Clock) -> None:
        self.app = app
        self.recognizer = recognizer
        self.accounts = accounts
        self.clock = clock
        self.client = TestClient(app, base_url=HERE, follow_redirects=False)
        self.keys = {role: accounts.keys.make(f"program of {name}", role) for role, name in NAMES.items()}

    def as_(self, role: Role) -> dict[str, str]:
        """Headers of a program of that role; none for nobody."""
        return {"x-api-key": self.keys[role]} if role else {}

    def logged_in(self, name: str) -> TestClient:
        """A browser of its own, logged in."""
        browser = TestClient(self.app, base_url=HERE, follow_redirects=False)
        answer = browser.post("/login", data={"name": name, "password": WORDS})
        assert answer.status_code == 303, answer.text
        assert SESSION in browser.cookies
        return browser


@contextmanager
def house(folder: Path, doors: Doors | None = None, *, started: bool = True) -> Iterator[House]:
    """Opens it; afterwards whoever is not named is this machine again, as before.

    Args:
        started: whether its own client runs the application; False where a real server does.
    """
    clock = Clock()
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    accounts = Accounts(folder / FILE, clock, Passwords(hasher))
    for role in sorted(NAMES, reverse=True):
        accounts.people.add(NAMES[role], role, WORDS)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as held:
        patch.setattr("reid.actor._otherwise", LOCAL)
        recognizer = held.enter_context(people_of_all_kinds(folder))
        entry = Entry(accounts, doors or Doors(requests_per_minute=0), Throttle(clock))
        hosts = None if entry.doors.space else LOOPBACK  # a Space is reached by whatever name it has
        made = House(application(recognizer, entry, hosts), recognizer, accounts, clock)
        if started:
            held.enter_context(made.client)
        yield made
    accounts.close()
