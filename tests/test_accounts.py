"""Accounts, keys, logins, waits: what is kept, what opens what, and what ends by itself."""

from __future__ import annotations

import io
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from reid.accounts import FILE, Accounts, Buckets, Throttle
from reid.accounts.logins import IDLE_S, LONGEST_S
from reid.accounts.passwords import Passwords
from reid.accounts.throttle import TooOftenError
from reid.actor import Actor, Role
from reid.cli import main
from reid.errors import AccountError

WORDS = "three words are enough"


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def cheap() -> Passwords:
    """The same algorithm at a cost that a test can pay."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Iterator[Accounts]:
    made = Accounts(tmp_path / FILE, clock, cheap())
    made.people.add("Ann", Role.ADMIN, WORDS)
    yield made
    made.close()


# accounts


def test_looking_makes_no_file(tmp_path: Path) -> None:
    nobody = Accounts(tmp_path / FILE)
    assert len(nobody.people) == 0
    assert nobody.people.all() == []
    assert nobody.keys.actor("bf_x") is None
    assert nobody.logins.find("x") is None
    assert list(tmp_path.iterdir()) == []


def test_a_password_opens_its_own_account_alone(accounts: Accounts) -> None:
    accounts.people.add("Bo", Role.VIEWER, WORDS + "!")
    found = accounts.people.check(" ann", WORDS)
    assert found is not None
    assert (found.name, found.role) == ("Ann", Role.ADMIN)
    assert accounts.people.check("Ann", WORDS + "!") is None
    assert accounts.people.check("Bo", WORDS) is None
    assert accounts.people.check("Cy", WORDS) is None


def test_neither_password_key_nor_token_is_in_the_file_and_nobody_else_reads_it(
    accounts: Accounts, tmp_path: Path
) -> None:
    key, token = accounts.keys.make("robot", Role.VIEWER), accounts.logins.begin("Ann")
    files = list(tmp_path.glob(FILE + "*"))
    held = b"".join(file.read_bytes() for file in files)
    assert b"$argon2id$" in held
    assert not [secret for secret in (WORDS, key, key[3:], token) if secret.encode() in held]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_an_unknown_name_costs_the_same_work_as_a_wrong_password(tmp_path: Path) -> None:
    counted: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002, argon2's own name
            counted.append(str(hash))
            return super().verify(hash, password)

    accounts = Accounts(tmp_path / FILE, passwords=Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1)))
    accounts.people.add("Ann", Role.ADMIN, WORDS)
    for name, password in (("Ann", "wrong"), ("Nobody", "wrong"), ("Ann", "x" * 100_000)):
        assert accounts.people.check(name, password) is None
    assert len(counted) == 3
    assert len({kept.rpartition("$")[0].rpartition("$")[0] for kept in counted}) == 1, "at the same cost"
    accounts.close()


@pytest.mark.parametrize("password", ["short", "x" * 300, "aaaaaaaaaaaaaaaa", "annannannann", ""])
def test_a_password_that_is_no_good_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(AccountError, match="Choose another"):
        accounts.people.set_password("Ann", password)


@pytest.mark.parametrize(
    "name", ["", "local", "Nobody", "visitor", "ByteFace", "a:b", "a\nb", "x" * 61, "<b>", "hf:ann", " "]
)
def test_a_name_that_could_be_mistaken_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountError, match="cannot be a name"):
        accounts.people.add(name, Role.VIEWER, WORDS)


def test_accounts_and_keys_have_names_of_their_own(accounts: Accounts) -> None:
    accounts.keys.make("robot", Role.VIEWER)
    for name in ("ANN", "Robot"):
        with pytest.raises(AccountError, match="exists already"):
            accounts.people.add(name, Role.VIEWER, WORDS)
        with pytest.raises(AccountError, match="exists already"):
            accounts.keys.make(name, Role.VIEWER)


def test_there_is_always_somebody_who_keeps_the_accounts(accounts: Accounts, tmp_path: Path) -> None:
    for change in (
        lambda: accounts.people.remove("Ann"),
        lambda: accounts.people.set_role("Ann", Role.OPERATOR),
        lambda: accounts.people.disable("Ann"),
    ):
        with pytest.raises(AccountError, match="last administrator"):
            change()
    assert [one.role for one in accounts.people.all()] == [Role.ADMIN]
    accounts.people.add("Bo", Role.ADMIN, WORDS)
    accounts.people.remove("Ann")
    first = Accounts(tmp_path / "another.db", passwords=cheap())
    with pytest.raises(AccountError, match="first account"):
        first.people.add("Cy", Role.OPERATOR, WORDS)
    assert len(first.people) == 0
    first.close()


def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(AccountError, match="not a file of accounts"):
        len(Accounts(tmp_path / FILE).people)
    (tmp_path / "torn.db").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(AccountError, match="cannot be read or written"):
        len(Accounts(tmp_path / "torn.db").people)


# keys


def test_a_key_opens_until_its_time_or_until_it_is_revoked(accounts: Accounts, clock: Clock) -> None:
    short, long = accounts.keys.make("short", Role.VIEWER, days=1), accounts.keys.make("long", Role.OPERATOR)
    assert accounts.keys.actor(short) == Actor("short", Role.VIEWER)
    clock.now += 86_400
    assert accounts.keys.actor(short) is None
    assert accounts.keys.actor(long) == Actor("long", Role.OPERATOR)
    assert {one.name: one.used for one in accounts.keys.all()} == {"short": 1_000_000.0, "long": clock.now}
    accounts.keys.revoke("LONG")
    assert accounts.keys.actor(long) is None
    with pytest.raises(AccountError, match="no API key"):
        accounts.keys.revoke("long")
    assert accounts.keys.actor("") is None


# logins


def test_silence_and_a_days_work_end_a_login(accounts: Accounts, clock: Clock) -> None:
    silent, busy = accounts.logins.begin("Ann"), accounts.logins.begin("Ann")
    began = clock.now
    while clock.now - began + IDLE_S <= LONGEST_S:
        clock.now += IDLE_S
        assert accounts.logins.find(busy) is not None
    assert accounts.logins.find(silent) is None
    clock.now = began + LONGEST_S + 1
    assert accounts.logins.find(busy) is None


def test_a_login_outlives_the_server_and_ends_with_what_it_rests_on(accounts: Accounts, tmp_path: Path) -> None:
    accounts.people.add("Bo", Role.OPERATOR, WORDS)
    token = accounts.logins.begin("Bo")
    again = Accounts(tmp_path / FILE, lambda: 1_000_100.0, cheap())
    found = again.logins.find(token)
    assert found is not None
    assert (found.name, found.role) == ("Bo", Role.OPERATOR)
    again.people.set_role("Bo", Role.VIEWER)
    demoted = accounts.logins.find(token)
    assert demoted is not None
    assert demoted.role is Role.VIEWER, "at once, in a process that is running"
    for end in (
        lambda: again.people.set_password("Bo", WORDS + " now"),
        lambda: again.people.disable("Bo"),
        lambda: again.people.remove("Bo"),
    ):
        again.people.disable("Bo", disabled=False)
        token = accounts.logins.begin("Bo")
        end()
        assert accounts.logins.find(token) is None
    again.close()


def test_logging_out_ends_one_login_and_no_token_is_given_twice(accounts: Accounts) -> None:
    one, other = accounts.logins.begin("Ann"), accounts.logins.begin("Ann")
    assert one != other
    accounts.logins.end(one)
    assert accounts.logins.find(one) is None
    assert accounts.logins.find(other) is not None


# waits


def test_waits_grow_with_failures_and_are_the_same_for_names_that_nobody_has() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for attempt in range(12):
        try:
            throttle.begin("ann", f"10.0.0.{attempt}")
        except TooOftenError as refused:
            waits.append(refused.wait_s)
            clock.now += refused.wait_s + 0.01
            throttle.begin("ANN ", f"10.0.0.{attempt}")
    assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 64])
    throttle.succeeded("ann", "10.0.0.1")
    throttle.begin("ann", "10.0.0.1")


def test_an_address_that_tries_many_names_waits_and_others_do_not() -> None:
    throttle = Throttle(Clock())
    for attempt in range(20):
        throttle.begin(f"name {attempt}", "2001:db8::1")
    with pytest.raises(TooOftenError, match="Wait 1 seconds"):
        throttle.begin("another", "2001:db8::ffff")
    throttle.begin("another", "2001:db8:0:1::1")


def test_attempts_that_are_still_looked_at_count() -> None:
    throttle = Throttle(Clock())
    for _ in range(5):
        throttle.begin("ann", "10.0.0.1")
    with pytest.raises(TooOftenError):
        throttle.begin("ann", "10.0.0.1")


def test_a_user_has_a_burst_and_then_so_many_a_minute() -> None:
    clock = Clock()
    buckets = Buckets(per_minute=60, burst=3, clock=clock)
    assert [buckets.take("ann") for _ in range(4)] == [0, 0, 0, pytest.approx(1)]
    assert buckets.take("bo") == 0
    clock.now += 1
    assert buckets.take("ann") == 0
    assert buckets.take("ann") > 0
    assert {Buckets(0, 0).take("ann") for _ in range(1000)} == {0}


# the command


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BYTEFACE_DATA", str(tmp_path))
    return tmp_path


def test_the_command_keeps_accounts_and_keys(
    told: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{WORDS}\n{WORDS} too\n"))
    assert main(["accounts", "add", "Ann", "--role", "admin"]) == 0
    assert main(["accounts", "add", "Bo", "--role", "viewer"]) == 0
    assert main(["accounts", "role", "bo", "--role", "operator"]) == 0
    assert main(["accounts", "disable", "Bo"]) == 0
    capsys.readouterr()
    assert main(["accounts", "list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[:2] == ["Ann", "admin"]
    assert [*second.split()[:2], second.split()[-1]] == ["Bo", "operator", "disabled"]
    assert main(["accounts", "key", "robot", "--role", "viewer", "--days", "30"]) == 0
    key = capsys.readouterr().out.strip()
    assert main(["accounts", "keys"]) == 0
    assert "never used  until" in capsys.readouterr().out
    kept = Accounts(told / FILE)
    assert kept.keys.actor(key) == Actor("robot", Role.VIEWER)
    found = kept.people.check("Ann", WORDS)
    assert found is not None
    assert main(["accounts", "revoke", "robot"]) == 0
    assert kept.keys.actor(key) is None
    assert main(["accounts", "remove", "Ann"]) == 1
    assert "last administrator" in capsys.readouterr().err
    kept.close()


def test_a_password_is_never_an_argument(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["accounts", "add", "Ann", "--role", "admin", "--password", WORDS])
    assert "unrecognized arguments" in capsys.readouterr().err
    assert not (told / FILE).exists()
