"""The life of a prediction, from top to bottom: every change to one is a function of this file.

accept -> claim_unpublished -> (the log) -> mark_published -> record_answers | record_refusals
                 ^ claim_overdue, while there is no answer         | fail_expired, when there was none in time
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isclose
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from predictions import idempotency
from predictions.answers import CORRECTED, LATE, Answer, write_answers
from predictions.callers import Caller
from predictions.contract import FieldError, Normalised
from predictions.models import Door, FeedEvent, IdempotencyKey, IntegrationSource, Prediction
from predictions.overdue import overdue_rows

# The number of PostgreSQL's advisory lock on the feed; any number that nothing else uses.
_FEED_LOCK = 0x686F757365


class UnknownSource(Exception):
    """A record from outside whose `source` header names no integration account."""


# -- the door ------------------------------------------------------------------------------------------------------
def accept(
    *, caller: Caller, question: Normalised, source: str, key: str = "", gesture: uuid.UUID | None = None
) -> Prediction:
    """Store a question; the unpublished row is its place in the outbox. Without a key it is one insert alone.

    Under an idempotency key that the caller used before, even at this very moment, nothing is stored and what was
    asked first is returned.

    Raises:
        KeyReused: that was another question.
    """
    prediction = Prediction(
        owner=caller.user,
        feed_key=caller.feed_key,
        source=source,
        gesture=gesture,
        features=question.features,
        flags=question.flags,
        requested_at=timezone.now(),
    )
    if not key:
        prediction.save(force_insert=True)
        return prediction
    try:
        with transaction.atomic():
            prediction.save(force_insert=True)
            IdempotencyKey.objects.create(prediction=prediction, feed_key=caller.feed_key, key=key)
    except IntegrityError:
        first = idempotency.asked_before(caller=caller, key=key)
        if first is None:
            raise
        idempotency.check_same(first, question)
        return first
    return prediction


def claim_visitor_predictions(*, visitor_feed_key: str, user: User) -> int:
    """Give `user` what a visitor asked, with the feed that tells of it; how many predictions."""
    feed_key = Caller.of_user(user).feed_key
    with transaction.atomic():
        # The rows first: a deliverer that holds them has told the visitor's feed before the events are taken over. It
        # takes them in this order too: in another, each could wait for the other.
        asked = Prediction.objects.filter(feed_key=visitor_feed_key, owner__isnull=True).order_by("pk")
        claimed = Prediction.objects.filter(pk__in=list(_locked(asked).values_list("pk", flat=True))).update(
            owner=user, feed_key=feed_key
        )
        own_keys = IdempotencyKey.objects.filter(feed_key=feed_key).values("key")
        IdempotencyKey.objects.filter(feed_key=visitor_feed_key).exclude(key__in=own_keys).update(feed_key=feed_key)
        _take_over_events(visitor_feed_key, feed_key)
    return claimed


# -- the outbox ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Unpublished:
    """An outbox row, as much of it as is published."""

    id: uuid.UUID
    features: dict[str, float]
    source: str
    attempts: int
    requested_at: datetime


@contextmanager
def claim_unpublished(*, limit: int) -> Iterator[list[Unpublished]]:
    """The oldest unpublished rows, at most `limit`, held until the block ends where the database can hold rows.

    On PostgreSQL publishers skip each other's rows. SQLite has one writer, whom a transaction held while the broker
    answers would starve; two publishers there may publish a row twice, which every reader of the log tolerates.
    """
    with _held(Prediction.objects.filter(published_at__isnull=True).order_by("requested_at"), limit) as claimed:
        yield claimed


@contextmanager
def _held(rows: QuerySet[Prediction], limit: int) -> Iterator[list[Unpublished]]:
    fields = ("id", "features", "source", "attempts", "requested_at")
    if connection.features.has_select_for_update_skip_locked:
        with transaction.atomic():
            yield [Unpublished(*row) for row in rows.select_for_update(skip_locked=True).values_list(*fields)[:limit]]
    else:
        yield [Unpublished(*row) for row in rows.values_list(*fields)[:limit]]


def mark_published(rows: Sequence[Unpublished]) -> None:
    """These rows are on the log. An answer may have come before this mark: its status stays."""
    Prediction.objects.filter(pk__in=[row.id for row in rows]).update(
        published_at=Now(),
        attempts=F("attempts") + 1,
        status=Case(
            When(status=Prediction.Status.ACCEPTED, then=Value(Prediction.Status.PUBLISHED)),
            default=F("status"),
        ),
    )


@dataclass(frozen=True)
class Settled:
    """What a change has settled: id -> the key of the feed that was told; `late` are answers after the deadline."""

    told: dict[uuid.UUID, str]
    late: Set[uuid.UUID] = frozenset()

    @property
    def feeds(self) -> set[str]:
        """Keys of the feeds that moved."""
        return set(self.told.values())


# -- what takes too long -------------------------------------------------------------------------------------------
@contextmanager
def claim_overdue(*, limit: int) -> Iterator[list[Unpublished]]:
    """Published rows that should have been answered by now, given up or not; held like those of `claim_unpublished`."""
    with _held(overdue_rows(limit), limit) as claimed:
        yield claimed


def fail_expired(*, limit: int) -> Settled:
    """Give up those without an answer at the deadline and tell their feeds; a late answer wins."""
    seconds = settings.ANSWER_DEADLINE_SECONDS
    expired = Prediction.objects.filter(
        settled_at__isnull=True, requested_at__lt=timezone.now() - timedelta(seconds=seconds)
    ).order_by("pk")
    if not expired.exists():
        return Settled({})
    with transaction.atomic():
        # Rows that another publisher holds wait for the broker with it: this one goes on with the others.
        feeds = dict(_locked(expired, skip=True).values_list("pk", "feed_key")[:limit])
        reason = {
            "code": "deadline",
            "field": "",
            "detail": f"No answer came within {seconds} seconds. It is still worked on: a late answer will be shown.",
        }
        Prediction.objects.filter(pk__in=feeds).update(
            status=Prediction.Status.FAILED, settled_at=timezone.now(), reason=reason
        )
        _append_events(feeds, Prediction.Status.FAILED)
    return Settled(feeds)


# -- the answer ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Refusal:
    """Why a prediction will not be answered."""

    id: uuid.UUID
    reason: FieldError
    source: str = ""
    """Through which door or integration the refused record came; empty where it does not say."""


def record_answers(answers: Sequence[Answer]) -> Settled:
    """Store answers and tell their owners' feeds, in one transaction; a prediction is answered once.

    Answers to predictions without a row are adopted for the account of their `source`; those of unknown sources must
    have been taken out before (`integration_sources`). One that comes after the deadline is flagged as late.
    """
    latest = {answer.id: answer for answer in answers}
    with transaction.atomic():
        rows = _lock_rows(latest)
        # Its owner deletes one at any time: what came through a door of ours and has no row is nobody's.
        strangers = [answer for answer in latest.values() if answer.id not in rows and answer.source not in Door.values]
        open_rows = {
            pk: row
            for pk, row in rows.items()
            if row.status != Prediction.Status.ANSWERED and is_from(row.source, latest[pk].source)
        }
        corrected = _correct(open_rows, latest)
        feeds = {pk: row.feed_key for pk, row in open_rows.items()} | _adopt(strangers)
        late = {pk for pk, row in open_rows.items() if row.status == Prediction.Status.FAILED}
        write_answers([latest[pk] for pk in feeds], {LATE: late, CORRECTED: corrected})
        _append_events(feeds, Prediction.Status.ANSWERED)
    return Settled(feeds, late)


def record_refusals(refusals: Sequence[Refusal]) -> Settled:
    """Store why predictions were rejected and tell their feeds; it replaces a missed deadline, never an answer."""
    latest = {refusal.id: refusal for refusal in refusals}
    with transaction.atomic():
        feeds = {
            pk: row.feed_key
            for pk, row in _lock_rows(latest).items()
            if row.status in (*Prediction.IN_FLIGHT, Prediction.Status.FAILED)
            and is_from(row.source, latest[pk].source)
        }
        now = timezone.now()
        for pk in feeds:
            reason = latest[pk].reason
            Prediction.objects.filter(pk=pk).update(
                status=Prediction.Status.REJECTED,
                settled_at=now,
                reason={"code": reason.code, "field": reason.field, "detail": reason.detail},
            )
        _append_events(feeds, Prediction.Status.REJECTED)
    return Settled(feeds)


def sources_of(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Id -> through which door or integration it came; those without a row entered the log from outside."""
    return dict(Prediction.objects.filter(pk__in=set(ids)).values_list("pk", "source"))


def is_from(source: str, said: str) -> bool:
    """Whether a record that says it came through `said`, or nothing, may speak of a prediction that came by `source`.

    An integration chooses its ids itself, and somebody else's may be among them.
    """
    return said in (source, "")


def integration_sources() -> dict[str, int]:
    """Source name -> user id of the accounts for which records from outside are adopted."""
    return dict(IntegrationSource.objects.values_list("name", "owner_id"))


class _Row(NamedTuple):
    feed_key: str
    status: str
    source: str
    features: dict[str, float]


def _lock_rows(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, _Row]:
    """Rows by id. PostgreSQL locks them; SQLite's transaction already holds the one write lock."""
    rows = _locked(Prediction.objects.filter(pk__in=list(ids)).order_by("pk"))
    return {pk: _Row(*values) for pk, *values in rows.values_list("pk", *_Row._fields)}


def _correct(rows: Mapping[uuid.UUID, _Row], answers: Mapping[uuid.UUID, Answer]) -> set[uuid.UUID]:
    """Keep the numbers that were answered where an operator corrected those that were asked; which predictions."""
    corrected = {pk for pk, row in rows.items() if not _is_same(row.features, answers[pk].features)}
    for pk in corrected:
        Prediction.objects.filter(pk=pk).update(features=answers[pk].features)
    return corrected


def _is_same(asked: Mapping[str, float], answered: Mapping[str, float]) -> bool:
    return asked.keys() == answered.keys() and all(isclose(asked[name], answered[name]) for name in asked)


def _locked(rows: QuerySet[Prediction], *, skip: bool = False) -> QuerySet[Prediction]:
    """`skip`: leave out what others have locked."""
    return rows.select_for_update(skip_locked=skip) if connection.features.has_select_for_update else rows


def _adopt(answers: list[Answer]) -> dict[uuid.UUID, str]:
    if not answers:
        return {}
    owners = integration_sources()
    if unknown := {answer.source for answer in answers} - owners.keys():
        raise UnknownSource(f"no integration account for {sorted(unknown)}")
    rows = [
        Prediction(
            id=answer.id,
            owner_id=owners[answer.source],
            feed_key=f"u{owners[answer.source]}",
            source=answer.source,
            features=answer.features,
            flags=answer.flags,
            status=Prediction.Status.PUBLISHED,
            attempts=1,
            requested_at=answer.requested_at,
            published_at=answer.requested_at,
        )
        for answer in answers
    ]
    Prediction.objects.bulk_create(rows)
    return {row.pk: row.feed_key for row in rows}


def _append_events(feeds: dict[uuid.UUID, str], kind: Prediction.Status) -> None:
    """Tell the feeds. The last statement of its transaction: the lock is held from here to the commit."""
    now = timezone.now()
    _insert_events(
        [FeedEvent(feed_key=feed_key, prediction_id=pk, kind=kind, created_at=now) for pk, feed_key in feeds.items()]
    )


def _take_over_events(visitor_feed_key: str, feed_key: str) -> None:
    """Tell one feed what another told, and the other no longer. The last statement of its transaction.

    Under new ids: the old ones lie before the cursors of those who follow the feed already, who would never hear.
    """
    claimed = FeedEvent.objects.filter(feed_key=visitor_feed_key, prediction__feed_key=feed_key)
    events = list(claimed.order_by("pk"))
    if events:
        claimed.filter(pk__lte=events[-1].pk).delete()
    now = timezone.now()
    _insert_events(
        [
            FeedEvent(feed_key=feed_key, prediction_id=event.prediction_id, kind=event.kind, created_at=now)
            for event in events
        ]
    )


def _insert_events(events: list[FeedEvent]) -> None:
    if not events:
        return
    if connection.vendor == "postgresql":
        # An id is visible only at commit: without one lock a reader could see 10, then step over 9 for ever.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FEED_LOCK])
    FeedEvent.objects.bulk_create(events)


# -- the feed ------------------------------------------------------------------------------------------------------
def events_after(*, feed_key: str, cursor: int, limit: int, prediction: uuid.UUID | None = None) -> list[FeedEvent]:
    """The feed's events after `cursor`, oldest first, with their predictions loaded."""
    events = FeedEvent.objects.filter(feed_key=feed_key, pk__gt=cursor).select_related("prediction")
    if prediction is not None:
        events = events.filter(prediction_id=prediction)
    return list(events.order_by("pk")[:limit])


def latest_cursor(feed_key: str) -> int:
    """The cursor at which this feed stands now; 0 for a feed that never moved."""
    return FeedEvent.objects.filter(feed_key=feed_key).order_by("-pk").values_list("pk", flat=True).first() or 0


def newest_cursor() -> int:
    """The highest cursor that any feed of this database has reached; 0 where none ever moved."""
    return FeedEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
