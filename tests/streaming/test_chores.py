"""The chores by the clock share a process with the scoring: they hold it up for a moment at most."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

from predictions import forgetting, idempotency
from predictions.models import IdempotencyKey
from streaming import tasks
from tests import making

pytestmark = [pytest.mark.database, pytest.mark.django_db]
OLD = 5


def keys() -> type[models.Model]:
    """OLD idempotency keys that were kept long enough, and a young one."""
    for number in range(OLD + 1):
        IdempotencyKey.objects.create(prediction=making.accepted(), feed_key="vann", key=str(number))
    old = IdempotencyKey.objects.exclude(key=str(OLD))
    old.update(created_at=timezone.now() - idempotency.KEPT)
    return IdempotencyKey


def sessions() -> type[models.Model]:
    """OLD expired sessions, and one that goes on."""
    for number in range(OLD + 1):
        ends_in = timedelta(minutes=1 if number == OLD else -1)
        Session.objects.create(session_key=str(number), session_data="", expire_date=timezone.now() + ends_in)
    return Session


both = pytest.mark.parametrize(
    ("chore", "fill"),
    [(tasks.forget_old_idempotency_keys, keys), (tasks.clear_expired_sessions, sessions)],
    ids=["idempotency keys", "sessions"],
)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(forgetting, "CHUNK", 2)


@both
def test_what_is_old_is_forgotten_in_one_run_though_it_is_more_than_a_chunk(chore: Callable, fill: Callable):
    rows = fill()
    chore()
    assert rows.objects.count() == 1


@both
def test_a_run_that_has_used_its_time_leaves_the_rest_to_the_next(chore: Callable, fill: Callable, monkeypatch):
    monkeypatch.setattr(tasks, "CHORE_SECONDS", 0.0)
    rows, left = fill(), []
    for _ in range(4):
        chore()
        left.append(rows.objects.count())
    assert left == [4, 2, 1, 1]


@both
def test_what_was_forgotten_before_a_run_was_ended_stays_forgotten(chore: Callable, fill: Callable, monkeypatch):
    delete, deleted = QuerySet.delete, []

    def delete_once(rows: QuerySet) -> tuple[int, dict[str, int]]:
        if deleted:
            raise KeyboardInterrupt
        deleted.append(delete(rows))
        return deleted[0]

    rows = fill()
    monkeypatch.setattr(QuerySet, "delete", delete_once)
    with pytest.raises(KeyboardInterrupt):
        chore()
    assert rows.objects.count() == OLD + 1 - 2
