"""What an owner keeps with a prediction: a note, a link to share it by, what the home sold for."""

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from predictions.models.prediction import Prediction

LARGEST_SALE = 10_000_000
LONGEST_NOTE = 2000


def unguessable_key() -> str:
    """192 random bits as letters and digits that an address may hold."""
    return secrets.token_urlsafe(24)


class Note(models.Model):
    """The owner's own words on a prediction. One that says nothing has no row."""

    prediction = models.OneToOneField(Prediction, on_delete=models.CASCADE, primary_key=True, related_name="note")
    text = models.TextField(max_length=LONGEST_NOTE, blank=True)
    tags = models.CharField(max_length=400, blank=True, help_text="Between commas, so that one is found whole: ,a,b,")

    class Meta:
        constraints = [
            models.CheckConstraint(name="note_says_something", condition=~Q(text="", tags="")),
            models.CheckConstraint(
                name="note_tags_between_commas",
                condition=Q(tags="") | Q(tags__startswith=",", tags__endswith=","),
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(self.tag_list) or self.text[:40]

    @property
    def tag_list(self) -> list[str]:
        return [tag for tag in self.tags.split(",") if tag]


class SharedLink(models.Model):
    """Whoever has the key may read the prediction. Revoking deletes the row; sharing again makes another key."""

    prediction = models.OneToOneField(
        Prediction, on_delete=models.CASCADE, primary_key=True, related_name="shared_link"
    )
    key = models.CharField(max_length=32, unique=True, default=unguessable_key, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.prediction_id} since {self.created_at:%Y-%m-%d}"


class Sale(models.Model):
    """What the owner says it sold for, in dollars of 1990; every change is kept in `history`.

    To the cent: what is told in whole dollars of another year is read back as it was told.
    """

    prediction = models.OneToOneField(Prediction, on_delete=models.CASCADE, primary_key=True, related_name="sale")
    price = models.FloatField(validators=[MinValueValidator(1), MaxValueValidator(LARGEST_SALE)])
    sold_on = models.DateField(null=True, blank=True)
    reported_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.CheckConstraint(name="sale_price_is_possible", condition=Q(price__gte=1, price__lte=LARGEST_SALE))
        ]

    def __str__(self) -> str:
        return f"{self.prediction_id}: {self.price}"
