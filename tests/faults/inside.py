"""A run's own database through the product's own models: the far end of `tests.faults.books`.

Each line in is a call, each line out its answer.
"""

import json
import sys
from io import StringIO
from typing import Any

from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import close_old_connections
from django.db.models import Count
from django.utils import timezone

from predictions import doorbell
from predictions.callers import Caller, make_token
from predictions.models import Door, FeedEvent, Prediction


def make_accounts(mark: str, count: int) -> list[dict]:
    """New users with a token each."""
    users = [User.objects.create(username=f"{mark}-{number}") for number in range(count)]
    return [
        {"user": user.pk, "feed_key": Caller.of_user(user).feed_key, "token": make_token(user=user, name=mark)[1]}
        for user in users
    ]


def insert(users: list[int], houses: list[dict], count: int) -> int:
    """Accepted rows for these users in turn, as if their doors had stored all of them at one moment."""
    feeds = {user.pk: Caller.of_user(user).feed_key for user in User.objects.filter(pk__in=users)}
    now = timezone.now()
    rows = [
        Prediction(owner_id=user, feed_key=feeds[user], source=Door.API, features=house, requested_at=now)
        for number in range(count)
        for user, house in [(users[number % len(users)], houses[number % len(houses)])]
    ]
    Prediction.objects.bulk_create(rows, batch_size=2000)
    doorbell.ring()
    return len(rows)


def progress(users: list[int]) -> dict[str, int]:
    """How much these users have asked, how much of it is open, how many events their feeds have."""
    rows = Prediction.objects.filter(owner__in=users)
    return {
        "rows": rows.count(),
        "open": rows.filter(settled_at__isnull=True).count(),
        "events": FeedEvent.objects.filter(prediction__owner__in=users).count(),
    }


def records(users: list[int]) -> dict[str, list]:
    """All that the database says of these users' predictions, in the order in which their feeds tell it."""
    rows = Prediction.objects.filter(owner__in=users).values_list("pk", "feed_key", "status", "attempts")
    events = FeedEvent.objects.filter(prediction__owner__in=users).order_by("pk")
    return {
        "rows": [[str(pk), *rest] for pk, *rest in rows],
        "events": [
            [pk, feed_key, str(prediction), kind]
            for pk, feed_key, prediction, kind in events.values_list("pk", "feed_key", "prediction_id", "kind")
        ],
    }


def settled_twice() -> list[str]:
    """Predictions of the whole run that were told an end twice; failed and then answered or rejected is once."""
    several = FeedEvent.objects.values("prediction").annotate(told=Count("pk")).filter(told__gt=1).values("prediction")
    kinds: dict[str, list[str]] = {}
    for prediction, kind in (
        FeedEvent.objects.filter(prediction__in=several).order_by("pk").values_list("prediction_id", "kind")
    ):
        kinds.setdefault(str(prediction), []).append(kind)
    return [prediction for prediction, told in kinds.items() if told[0] != Prediction.Status.FAILED or len(told) > 2]


def ledger() -> dict[str, Any]:
    """What `manage.py show_ledger --json` prints, and whether it said that the sum holds."""
    printed = StringIO()
    try:
        call_command("show_ledger", "--json", stdout=printed)
    except CommandError as error:
        return {**json.loads(printed.getvalue()), "complaint": str(error)}
    return {**json.loads(printed.getvalue()), "complaint": ""}


CALLS = {call.__name__: call for call in (make_accounts, insert, progress, records, settled_twice, ledger)}


def main() -> None:
    for line in sys.stdin:
        call = json.loads(line)
        close_old_connections()
        try:
            answer = {"value": CALLS[call["name"]](**call["arguments"])}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
