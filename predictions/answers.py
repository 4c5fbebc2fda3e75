"""What the path says a prediction is worth, and how it is written to its row."""

import uuid
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from django.db import connection
from django.db.models import Field
from django.utils import timezone

from predictions.models import Prediction

# Flags that are not the model's: it came after it was given up; an operator corrected the numbers that were asked.
LATE = "late"
CORRECTED = "corrected"


@dataclass(frozen=True)
class Answer:
    """What `prediction_result_topic` says of one prediction; money in whole dollars of 1990."""

    id: uuid.UUID
    price: int
    low: int
    high: int
    model_id: str
    model_sha256: str
    flags: list[str]
    features: dict[str, float]
    shadows: dict[str, dict]
    requested_at: datetime
    source: str
    stages: dict[str, int] = field(default_factory=dict)


def write_answers(answers: list[Answer], flagged: Mapping[str, Container[uuid.UUID]]) -> None:
    """Write them to their rows; `flagged` is what is to be said of some of them beside their own flags."""
    now = timezone.now()
    table = Prediction._meta
    columns = (
        "status",
        "settled_at",
        "price",
        "low",
        "high",
        "model_id",
        "model_sha256",
        "flags",
        "shadows",
        "stages",
    )
    fields = [cast(Field, table.get_field(name)) for name in columns]
    assignments = ", ".join(f"{connection.ops.quote_name(str(field.column))} = %s" for field in fields)
    key = table.pk
    rows = []
    for answer in answers:
        stages = {**answer.stages, "stored": int(now.timestamp() * 1000)}
        flags = answer.flags + [flag for flag, ids in flagged.items() if answer.id in ids]
        values = (
            Prediction.Status.ANSWERED.value, now, answer.price, answer.low, answer.high,
            answer.model_id, answer.model_sha256, flags, answer.shadows, stages,
        )  # fmt: skip
        rows.append(
            [field.get_db_prep_save(value, connection) for field, value in zip(fields, values, strict=True)]
            + [key.get_db_prep_value(answer.id, connection)]
        )
    # One prepared statement: the ORM's `bulk_update` takes eight times the CPU of the whole deliverer.
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {connection.ops.quote_name(table.db_table)} SET {assignments}, reason = NULL"  # noqa: S608
            f" WHERE {connection.ops.quote_name(str(key.column))} = %s",
            rows,
        )
