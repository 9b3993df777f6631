"""`byteface accounts`: who may log in, in which role, and the API keys of programs."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

from reid.accounts import FILE, Accounts
from reid.accounts.people import ROLES
from reid.actor import Role
from reid.audit.writing import Pen
from reid.commands import common
from reid.errors import AccountError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One more word says what is done."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, summary: str, *, named: bool = True) -> argparse.ArgumentParser:
        one = actions.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if named:
            one.add_argument("name", metavar="NAME")
        return one

    def role(one: argparse.ArgumentParser) -> None:
        one.add_argument(
            "--role", required=True, choices=tuple(ROLES), help="viewer: search; operator: enrol too; admin: all"
        )

    role(action("add", "a new account; the password is asked for, or read from a pipe"))
    action("list", "all accounts", named=False)
    role(action("role", "another role"))
    action("password", "another password; ends what is logged in with the old one")
    action("disable", "nobody logs in with it any more").add_argument(
        "--undo", action="store_true", help="they may again"
    )
    action("remove", "an account goes")
    key = action("key", "a new API key for a program; it is shown this once")
    role(key)
    key.add_argument("--days", type=float, help="how long it is good for [for ever]")
    action("keys", "all API keys", named=False)
    action("revoke", "an API key opens nothing any more")


def run(args: argparse.Namespace) -> int:
    """Does it to the file in the data folder; a running server follows at once."""
    accounts = Accounts(args.settings.data_dir / FILE)
    try:
        with _on_record(args):
            _do(accounts, args)
    finally:
        accounts.close()
    return 0


@contextmanager
def _on_record(args: argparse.Namespace) -> Iterator[None]:
    """Who may do what is as much to account for as what they do; looking at the lists is not."""
    if args.action in ("list", "keys"):
        yield
        return
    url = args.settings.gallery
    facts = {"did": args.action, "account": args.name, "as": getattr(args, "role", "")}
    with closing(common.audit_of(args.settings, url)) as log, Pen(log, url).change("account", Role.ADMIN, **facts):
        yield


def _do(accounts: Accounts, args: argparse.Namespace) -> None:
    people, keys, name = accounts.people, accounts.keys, getattr(args, "name", "")
    match args.action:
        case "add":
            made = people.add(name, ROLES[args.role], _password())
            print(f"{made.name} may log in as {args.role}. From now on nobody gets in without an account.")
        case "list":
            for one in people.all():
                print(_row(one.name, one.role.name.lower(), _day(one.created), "disabled" if one.disabled else ""))
        case "role":
            people.set_role(name, ROLES[args.role])
        case "password":
            people.set_password(name, _password())
        case "disable":
            people.disable(name, disabled=not args.undo)
        case "remove":
            people.remove(name)
        case "key":
            key = keys.make(name, ROLES[args.role], args.days)
            print("Give it to the program as x-api-key; it is not shown again:", file=sys.stderr)
            print(key)
        case "keys":
            for each in keys.all():
                ends = f"until {_day(each.expires)}" if each.expires else ""
                used = f"used {_day(each.used)}" if each.used else "never used"
                print(_row(each.name, each.role.name.lower(), _day(each.created), used, ends))
        case "revoke":
            keys.revoke(name)


def _password() -> str:
    """Asked for twice at a terminal, otherwise the first line of what is piped in: never an argument, which others see.

    Raises: AccountError.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise AccountError("The two differ. Run it again.")
    return first


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().date().isoformat()


def _row(*cells: str) -> str:
    return "  ".join(f"{cell:<24}" if place == 0 else f"{cell:<10}" for place, cell in enumerate(cells)).rstrip()
