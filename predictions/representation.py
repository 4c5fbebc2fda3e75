"""The one shape in which a prediction is shown: REST, WebSocket, SSE and the page."""

from dataclasses import asdict

from django.urls import reverse

from predictions.admission import admission
from predictions.line import Place
from predictions.models import FeedEvent, Prediction


def represent(prediction: Prediction, place: Place | None = None) -> dict:
    """A prediction as JSON-ready values; prices in whole dollars of 1990, times in RFC 3339, stages in epoch ms.

    `place`: where it waits, told of one that is looked at alone: of many, each would have to be counted.
    """
    answered = prediction.status == Prediction.Status.ANSWERED
    return {
        "id": str(prediction.id),
        "status": prediction.status,
        "price": prediction.price,
        "low": prediction.low,
        "high": prediction.high,
        "model": {"id": prediction.model_id, "sha256": prediction.model_sha256} if answered else None,
        "flags": prediction.flags,
        "features": prediction.features,
        "reason": prediction.reason,
        "source": prediction.source,
        "requested_at": _text(prediction.requested_at),
        "settled_at": _text(prediction.settled_at),
        "stages": prediction.stages,
        "line": _line(place),
        **links(prediction),
    }


def accepted(prediction: Prediction) -> dict:
    """What the door answers: the question is stored, and where to hear of it."""
    place = None if prediction.is_settled else admission.newest_place()
    return {
        "id": str(prediction.id),
        "status": prediction.status,
        "is_visitors": prediction.owner_id is None,
        "line": _line(place),
        **links(prediction),
    }


def links(prediction: Prediction) -> dict:
    """Where this prediction is read and listened to."""
    return {
        "status_url": reverse("api:prediction-detail", kwargs={"version": "v1", "pk": prediction.id}),
        "stream_url": f"{reverse('stream')}?prediction={prediction.id}",
        "page_url": reverse("prediction", kwargs={"pk": prediction.id}),
    }


def represent_event(event: FeedEvent) -> dict:
    """A feed event with its cursor; `event.prediction` must be loaded."""
    return {"cursor": event.pk, "type": event.kind, "prediction": represent(event.prediction)}


def _line(place: Place | None) -> dict | None:
    return asdict(place) if place else None


def _text(moment) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
