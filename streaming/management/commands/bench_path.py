import asyncio
import secrets
from typing import Any, Protocol

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mlmodel.dataset import load_housing
from mlmodel.features import FEATURES
from predictions import doorbell
from predictions.callers import make_token
from predictions.models import Door, Prediction


class _Report(Protocol):
    def as_json(self) -> str: ...

    def as_text(self) -> str: ...


class Command(BaseCommand):
    help = (
        "Measure the running path, from POST to the WebSocket message that answers it: open-loop load at a rate, "
        "with --bulk a number of rows inserted at once, with --overload more than can be answered. "
        "Makes accounts of its own and deletes them afterwards."
    )

    def add_arguments(self, parser):
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="the web process (default %(default)s)")
        parser.add_argument("--rate", type=float, default=50, help="questions a second (default %(default)s)")
        parser.add_argument("--seconds", type=float, default=60, help="how long (default %(default)s)")
        parser.add_argument("--warm-up", type=float, default=10, help="seconds before, not counted (%(default)s)")
        parser.add_argument("--clients", type=int, default=10, help="accounts, a WebSocket each (default %(default)s)")
        parser.add_argument("--bulk", type=int, metavar="ROWS", help="insert ROWS at once instead")
        parser.add_argument(
            "--overload",
            type=float,
            metavar="TIMES",
            help="find the capacity in the seconds of --warm-up, then send TIMES as much",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, url, rate, seconds, warm_up, clients, bulk, overload, json, **options):
        try:
            from streaming import bench, bench_overload
        except ImportError as error:
            raise CommandError(f"{error}; the benchmark needs requirements/dev.txt") from error
        url = url.rstrip("/")
        users = _make_users(clients)
        tokens = [make_token(user=user, name="bench")[1] for user in users]
        rows = load_housing()
        questions = [dict(zip(FEATURES, map(float, row), strict=True)) for row in rows.X[::20]]

        async def measure() -> _Report:
            if bulk:
                return await bench.bulk(url=url, tokens=tokens, insert=lambda: _insert(users, questions, bulk))
            load: dict[str, Any] = {"url": url, "tokens": tokens, "questions": questions, "seconds": seconds}
            if overload:
                return await bench_overload.overload(**load, times=overload, finding=warm_up)
            return await bench.steady(**load, rate=rate)

        try:
            if warm_up and not overload:
                asyncio.run(bench.steady(url=url, tokens=tokens, questions=questions, rate=rate, seconds=warm_up))
            report = asyncio.run(measure())
        except (OSError, TimeoutError, bench.aiohttp.ClientError) as error:
            raise CommandError(f"no answer from {url}: {error or type(error).__name__}") from error
        finally:
            Prediction.objects.filter(owner__in=users).delete()
            get_user_model().objects.filter(pk__in=[user.pk for user in users]).delete()
        self.stdout.write(report.as_json() if json else report.as_text())


def _make_users(count: int) -> list:
    mark = secrets.token_hex(4)
    return [get_user_model().objects.create_user(f"bench-{mark}-{number}") for number in range(count)]


def _insert(users: list, questions: list[dict], count: int) -> list[str]:
    """Accepted rows for these users in turn, as if their doors had stored them at one moment."""
    now = timezone.now()
    rows = [
        Prediction(
            owner=user,
            feed_key=f"u{user.pk}",
            source=Door.API,
            features=questions[number % len(questions)],
            requested_at=now,
        )
        for number in range(count)
        for user in [users[number % len(users)]]
    ]
    Prediction.objects.bulk_create(rows, batch_size=2000)
    doorbell.ring()
    return [str(row.pk) for row in rows]
