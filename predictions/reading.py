"""Which predictions a caller may read."""

import uuid

from django.db.models import QuerySet

from predictions.callers import Caller
from predictions.models import Prediction


def own_predictions(caller: Caller) -> QuerySet[Prediction]:
    """What the caller asked, newest first."""
    return Prediction.objects.filter(feed_key=caller.feed_key).order_by("-requested_at")


def readable_prediction(text: str, caller: Caller) -> Prediction:
    """The prediction with this id, if `caller` may read it: its owner, or for a visitor's anybody who holds the id.

    Raises:
        Prediction.DoesNotExist: none, or somebody else's.
    """
    try:
        found = Prediction.objects.get(pk=uuid.UUID(text))
    except ValueError as error:
        raise Prediction.DoesNotExist from error
    if found.owner_id is not None and found.feed_key != caller.feed_key:
        raise Prediction.DoesNotExist
    return found
