"""Which predictions a caller may read."""

import uuid

from django.db.models import Exists, OuterRef, Q, QuerySet

from predictions.callers import Caller
from predictions.models import Prediction


def own_predictions(caller: Caller) -> QuerySet[Prediction]:
    """What the caller asked, newest first."""
    return Prediction.objects.filter(feed_key=caller.feed_key).order_by("-requested_at")


def steps_on_the_way(predictions: QuerySet[Prediction]) -> QuerySet[Prediction]:
    """Those that a newer one of the same movement overtook, and with which nothing is kept.

    An answer is overtaken by another answer only.
    """
    return predictions.filter(_is_step())


def without_steps(predictions: QuerySet[Prediction]) -> QuerySet[Prediction]:
    """The others: of each movement what it came to."""
    return predictions.filter(~_is_step())


def _is_step() -> Q:
    newer = Prediction.objects.filter(
        gesture=OuterRef("gesture"), feed_key=OuterRef("feed_key"), requested_at__gt=OuterRef("requested_at")
    )
    nothing_kept = Q(note__isnull=True, sale__isnull=True, shared_link__isnull=True)
    is_overtaken = Q(Exists(newer.filter(price__isnull=False))) | Q(Exists(newer), price__isnull=True)
    return Q(gesture__isnull=False) & is_overtaken & nothing_kept


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
