"""Forgetting what is too old, a little at a time, beside those who ask and those who answer."""

import time

from django.db.models import QuerySet

# A transaction each: SQLite has one writer, and the door waits for it.
CHUNK = 500


def forget(rows: QuerySet, *, seconds: float) -> int:
    """Delete `rows` until none is left or the time is used up; how many. The next call goes on."""
    end = time.monotonic() + seconds
    count = 0
    while ids := list(rows.values_list("pk", flat=True)[:CHUNK]):
        # Not by their keys alone: a session may have been prolonged since.
        count += rows.filter(pk__in=ids).delete()[0]
        if time.monotonic() >= end:
            break
    return count
