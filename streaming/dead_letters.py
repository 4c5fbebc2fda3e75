"""The life of a dead letter: keep -> mark_for_replay -> publish_marked, or discard; at last prune.

A replay is published like an outbox row: admin marks the row, the publisher publishes it, flushes, then marks it
replayed. Killed in between it is published twice, which every reader of the log tolerates.
"""

import base64
import logging
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from datetime import datetime

from confluent_kafka import Message
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from simple_history.utils import bulk_update_with_history

from streaming import messages
from streaming.kafka import NotDelivered, Publisher, position
from streaming.models import DeadLetter

logger = logging.getLogger(__name__)

RawHeaders = list[tuple[str, bytes | None]]
Status = DeadLetter.Status
CHUNK = 500
# They are loaded to be deleted, of up to MAX_DEAD_LETTER_BYTES each.
PRUNED_AT_ONCE = 100
# Needed to publish a letter, not to handle one.
RAW_FIELDS = ("key", "value", "headers")
# In the history of a letter.
REFUSED = "The broker refuses it: too long, or not what the topic takes."


# -- the deliverer -------------------------------------------------------------------------------------------------
def keep(records: Sequence[Message]) -> None:
    """Store records of the dead-letter topic; those that are stored already are passed over."""
    DeadLetter.objects.bulk_create([_row_of(record) for record in records], ignore_conflicts=True)


def _row_of(record: Message) -> DeadLetter:
    _, partition, offset = position(record)
    why = messages.read_dead_letter(record)
    return DeadLetter(
        partition=partition,
        offset=offset,
        written_ms=record.timestamp()[1],
        stage=why.stage,
        error=why.error,
        field=why.field,
        detail=why.detail,
        source_topic=why.source_topic,
        source_partition=why.source_partition,
        source_offset=why.source_offset,
        prediction_id=why.prediction_id,
        key=record.key(),
        value=record.value(),
        headers=_storable(messages.headers_of(record)),
        is_whole=why.is_whole,
        received_at=timezone.now(),
    )


def _storable(headers: RawHeaders) -> list[tuple[str, str | None]]:
    """Headers as JSON can hold them; PostgreSQL stores no NUL, which a stranger may have put into a name."""
    return [
        (name.replace("\0", "\ufffd"), None if value is None else base64.b64encode(value).decode())
        for name, value in headers
    ]


def headers_of(letter: DeadLetter) -> RawHeaders:
    """The headers with which the letter came."""
    return [(name, None if value is None else base64.b64decode(value)) for name, value in letter.headers]


def original_headers(letter: DeadLetter) -> RawHeaders:
    """The headers that the record had before it became a dead letter."""
    return [(name, value) for name, value in headers_of(letter) if not messages.is_of_dead_letter(name)]


def body_of(letter: DeadLetter) -> bytes | None:
    """What would be published: the edited body where there is one, or the value as it came."""
    if letter.body is not None:
        return letter.body.encode()
    return None if letter.value is None else bytes(letter.value)


# -- the operator --------------------------------------------------------------------------------------------------
def edit(letter: DeadLetter, *, body: str, by: User) -> None:
    """Keep another body for the replay; what came stays beside it."""
    letter.body = body
    letter._history_user = by
    letter.save(update_fields=["body"])


def mark_for_replay(letters: QuerySet[DeadLetter], *, by: User) -> int:
    """Let the publisher put these back on the topics they came from; how many.

    Passed over: what is marked or replayed, came from no topic of ours, is only the beginning of a record, or is too
    long to be published.
    """
    replayable = Q(status__in=[Status.RECEIVED, Status.DISCARDED]) & DeadLetter.REPLAYABLE
    return _change(letters, replayable, to=Status.MARKED, by=by)


def discard(letters: QuerySet[DeadLetter], *, by: User) -> int:
    """Take these out of the inbox; how many. Passed over: what is discarded or replayed."""
    return _change(letters, Q(status__in=[Status.RECEIVED, Status.MARKED]), to=Status.DISCARDED, by=by)


def _change(letters: QuerySet[DeadLetter], allowed: Q, *, to: str, by: User) -> int:
    ids = list(letters.filter(allowed).order_by("pk").values_list("pk", flat=True))
    chunks = (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))
    return sum(_change_chunk(chunk, allowed, to=to, by=by) for chunk in chunks)


def _change_chunk(ids: Sequence[int], allowed: Q, *, to: str, by: User) -> int:
    """In one transaction with the audit rows."""
    with transaction.atomic():
        rows = list(
            DeadLetter.objects.filter(allowed, pk__in=ids).order_by("pk").select_for_update().defer(*RAW_FIELDS)
        )
        for row in rows:
            row.status = to
            row.settled_at = timezone.now() if to == Status.DISCARDED else None
        bulk_update_with_history(rows, DeadLetter, ["status", "settled_at"], default_user=by)
    return len(rows)


# -- the publisher -------------------------------------------------------------------------------------------------
def publish_marked(publisher: Publisher, *, limit: int = CHUNK) -> int:
    """Put marked letters back on the topics they came from; how many.

    One that the broker will never take goes back to the inbox, and the others go on.

    Raises:
        NotDelivered: those not marked as replayed are published again.
    """
    with _claimed(limit) as letters:
        if not letters:
            return 0
        refused = _publish(publisher, letters)
        # A batch is refused for one record of it: each once more, alone.
        for letter in refused:
            if _publish(publisher, [letter]):
                logger.warning("the broker does not take dead letter %s", letter.pk)
                letter.status = Status.RECEIVED
                bulk_update_with_history([letter], DeadLetter, ["status"], default_change_reason=REFUSED)
        return sum(letter.status != Status.RECEIVED for letter in letters)


def _publish(publisher: Publisher, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Publish and mark them; those that were refused, and are not marked.

    Raises:
        NotDelivered: nothing was marked.
    """
    for letter in letters:
        key = None if letter.key is None else bytes(letter.key)
        publisher.publish(letter.source_topic, key=key, value=body_of(letter), headers=[*original_headers(letter)])
    refused: Set[int] = frozenset()
    try:
        publisher.flush()
    except NotDelivered as error:
        if not error.refused:
            raise
        refused = error.refused
    _mark_replayed(letter for number, letter in enumerate(letters) if number not in refused)
    return [letters[number] for number in sorted(refused)]


@contextmanager
def _claimed(limit: int) -> Iterator[list[DeadLetter]]:
    """Held to the end of the block where the database can hold rows; SQLite's one writer would starve the others."""
    marked = DeadLetter.objects.filter(status=Status.MARKED).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        with transaction.atomic():
            yield list(marked.select_for_update(skip_locked=True)[:limit])
    else:
        yield list(marked[:limit])


def _mark_replayed(letters: Iterable[DeadLetter]) -> None:
    DeadLetter.objects.filter(pk__in=[letter.pk for letter in letters]).update(
        status=Status.REPLAYED, settled_at=timezone.now()
    )


# -- the clock -----------------------------------------------------------------------------------------------------
def prune(*, settled_before: datetime) -> int:
    """Forget letters replayed or discarded before that moment, with their audit; how many. Open ones are kept."""
    old = DeadLetter.objects.filter(
        status__in=[Status.REPLAYED, Status.DISCARDED], settled_at__lt=settled_before
    ).order_by("pk")
    count = 0
    while ids := list(old.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        DeadLetter.objects.filter(pk__in=ids).delete()
        count += len(ids)
    return count
