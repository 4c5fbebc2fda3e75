"""Predictions and answers as tests need them, made by the functions that make them in production."""

import uuid
from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model
from django.utils import timezone

from predictions import services
from predictions.answers import Answer
from predictions.callers import Caller
from predictions.contract import FIELDS, FieldError, normalise_features
from predictions.models import Prediction
from predictions.services import Refusal

FEATURES = {field.name: field.typical for field in FIELDS}


def user(name: str = "ada"):
    return get_user_model().objects.create_user(name, password="correct horse")


def visitor(name: str = "1") -> Caller:
    return Caller(feed_key=f"v{name}")


def accepted(caller: Caller | None = None, *, source: str = "api") -> Prediction:
    """A stored question that nobody has published yet."""
    return services.accept(caller=caller or visitor(), question=normalise_features(FEATURES), source=source)


def answer(prediction_id: uuid.UUID, **changes) -> Answer:
    values = {
        "id": prediction_id,
        "price": 452_600,
        "low": 390_000,
        "high": 500_001,
        "model_id": "monotone-hgb-1",
        "model_sha256": "a" * 64,
        "flags": ["capped"],
        "features": FEATURES,
        "shadows": {"baseline": {"price": 400_000, "low": 300_000, "high": 500_000}},
        "requested_at": datetime(2026, 1, 2, tzinfo=UTC),
        "source": "api",
        "stages": {"published": 1_767_312_000_123},
    }
    return Answer(**(values | changes))


def refusal(prediction_id: uuid.UUID) -> Refusal:
    return Refusal(prediction_id, FieldError("latitude", "unsupported_location", "too far away"))


def published(caller: Caller | None = None) -> Prediction:
    """A question that is on the log, and it alone."""
    prediction = accepted(caller)
    publish_all()
    prediction.refresh_from_db()
    return prediction


def waiting(count: int) -> None:
    """So many questions in line at this moment, stored as they are and not by their door."""
    now = timezone.now()
    Prediction.objects.bulk_create(
        Prediction(feed_key="v1", source="api", features=FEATURES, requested_at=now) for _ in range(count)
    )


def publish_all() -> int:
    with services.claim_unpublished(limit=1000) as rows:
        services.mark_published(rows)
    return len(rows)


def answered(caller: Caller | None = None) -> Prediction:
    prediction = published(caller)
    services.record_answers([answer(prediction.pk)])
    prediction.refresh_from_db()
    return prediction


def long_ago(prediction: Prediction, **seconds_ago: float) -> None:
    """Put moments of this prediction into the past, as if that much time had gone by."""
    moments = {name: timezone.now() - timedelta(seconds=seconds) for name, seconds in seconds_ago.items()}
    Prediction.objects.filter(pk=prediction.pk).update(**moments)
