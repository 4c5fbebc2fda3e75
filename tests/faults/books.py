"""What a run's database knows, asked from outside."""

import json
import secrets
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.stack import ROOT, RunningStack

# SQLite waits 20 s for its lock before it gives up.
_ANSWER_SECONDS = 90.0


@dataclass(frozen=True)
class Account:
    user: int
    feed_key: str
    token: str


@dataclass(frozen=True)
class Row:
    """A stored prediction."""

    id: str
    feed_key: str
    status: str
    attempts: int


@dataclass(frozen=True)
class Told:
    """An event of a feed."""

    cursor: int
    feed_key: str
    prediction: str
    kind: str


@dataclass(frozen=True)
class Records:
    """All that the database says of a crowd."""

    rows: dict[str, Row] = field(default_factory=dict)
    events: list[Told] = field(default_factory=list)
    settled_twice: list[str] = field(default_factory=list)
    """Of the whole run, not of the crowd alone."""
    ledger: dict[str, Any] = field(default_factory=dict)
    """What `show_ledger --json` prints; `complaint` says by how much its sum is off."""


class BooksClosed(Exception):
    """The database could not be asked."""


class Books:
    """The database of a run, through the product's models in a process with the run's environment."""

    def __init__(self, process: subprocess.Popen):
        self._process = process

    def make_accounts(self, count: int) -> list[Account]:
        found = self._ask("make_accounts", mark=f"crowd-{secrets.token_hex(4)}", count=count)
        return [Account(**account) for account in found]

    def insert(self, accounts: Sequence[Account], houses: Sequence[dict], count: int) -> None:
        """`count` accepted rows at one moment, as if the doors of these accounts had stored them."""
        self._ask("insert", users=[account.user for account in accounts], houses=list(houses), count=count)

    def progress(self, accounts: Sequence[Account]) -> dict[str, int]:
        """`rows` asked by these accounts, `open` ones among them, `events` of their feeds."""
        return self._ask("progress", users=[account.user for account in accounts])

    def ledger(self) -> dict[str, Any]:
        return self._ask("ledger")

    def records(self, accounts: Sequence[Account]) -> Records:
        found = self._ask("records", users=[account.user for account in accounts])
        return Records(
            rows={row[0]: Row(*row) for row in found["rows"]},
            events=[Told(*event) for event in found["events"]],
            settled_twice=self._ask("settled_twice"),
            ledger=self.ledger(),
        )

    def _ask(self, name: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"name": name, "arguments": arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise BooksClosed("the process that reads the database has ended") from error
        if not select.select([self._process.stdout], [], [], _ANSWER_SECONDS)[0]:
            raise BooksClosed(f"{name} was not answered in {_ANSWER_SECONDS:g} s")
        answer = json.loads(self._process.stdout.readline() or '{"error": "the process has ended"}')
        if "error" in answer:
            raise BooksClosed(f"{name}: {answer['error']}")
        return answer["value"]


@contextmanager
def open_books(stack: RunningStack) -> Iterator[Books]:
    with (stack.var_dir / "books.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", "import django; django.setup(); from tests.faults.inside import main; main()"],
            cwd=ROOT,
            env={**stack.env, "DJANGO_SETTINGS_MODULE": "housevalue.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield Books(process)
    finally:
        process.kill()
        process.communicate()
