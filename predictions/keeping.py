"""What owners do with predictions they have: notes, sharing, sales, deletion. Every such change is a function here."""

from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.utils import timezone

from predictions.models import Note, Prediction, Sale, SharedLink

MOST_TAGS = 10
LONGEST_TAG = 30


class InFlight(Exception):
    """There is no answer yet, and one that comes to a prediction which is gone would belong to nobody."""


class NotSaleable(Exception):
    """A sale belongs to an answered prediction of somebody with an account."""


def write_note(*, prediction: Prediction, text: str, tags: Iterable[str]) -> None:
    """Keep these words and tags in place of what was kept before; nothing at all leaves no note."""
    joined = ",".join(tags)
    if not (text or joined):
        Note.objects.filter(prediction=prediction).delete()
        return
    values = {"text": text, "tags": f",{joined}," if joined else ""}
    Note.objects.update_or_create(prediction=prediction, defaults=values)


def tags_in(text: str) -> list[str]:
    """The tags of a comma-separated line: small letters, each once, in order.

    Raises:
        ValueError: too many, or one is too long.
    """
    tags = list(dict.fromkeys(" ".join(part.lower().split()) for part in text.split(",")))
    tags = [tag for tag in tags if tag]
    if len(tags) > MOST_TAGS:
        raise ValueError(f"At most {MOST_TAGS} tags.")
    if any(len(tag) > LONGEST_TAG for tag in tags):
        raise ValueError(f"A tag has at most {LONGEST_TAG} letters.")
    return tags


# -- sharing ---------------------------------------------------------------------------------------------------------
def share(prediction: Prediction) -> SharedLink:
    """The link by which others may read it; the one there is, or a new one."""
    link, _ = SharedLink.objects.get_or_create(prediction=prediction)
    return link


def stop_sharing(prediction: Prediction) -> None:
    """The link leads nowhere from now on."""
    SharedLink.objects.filter(prediction=prediction).delete()


def shared_prediction(key: str) -> Prediction:
    """What is shared by this key.

    Raises:
        Prediction.DoesNotExist: nothing, or no longer.
    """
    return Prediction.objects.get(shared_link__key=key)


# -- sales -----------------------------------------------------------------------------------------------------------
def can_report_sale(prediction: Prediction) -> bool:
    return prediction.owner_id is not None and prediction.status == Prediction.Status.ANSWERED


def is_to_come(day: date | None) -> bool:
    """Whether nothing can have been sold yet on this day, of UTC."""
    return day is not None and day > timezone.now().date()


def report_sale(*, prediction: Prediction, price: float, sold_on: date | None) -> None:
    """Keep what it sold for, in dollars of 1990; what was reported before stays in the sale's history.

    Raises:
        NotSaleable: nobody's, or not answered.
    """
    if not can_report_sale(prediction):
        raise NotSaleable
    Sale.objects.update_or_create(prediction=prediction, defaults={"price": price, "sold_on": sold_on})


def withdraw_sale(prediction: Prediction) -> None:
    """It was not sold after all; that it was reported stays in the sale's history."""
    for sale in Sale.objects.filter(prediction=prediction):
        sale.delete()


# -- its end ---------------------------------------------------------------------------------------------------------
def delete_prediction(prediction: Prediction) -> None:
    """Forget it with all that is kept with it.

    Raises:
        InFlight: not answered, rejected or failed yet.
    """
    if not prediction.is_settled:
        raise InFlight
    with transaction.atomic():
        key = prediction.pk
        prediction.delete()
        Sale.history.filter(prediction_id=key).delete()
