"""Keys by which a question that is sent twice is known again."""

from django.db import models

from predictions.models.prediction import Prediction


class IdempotencyKey(models.Model):
    """A caller sent this prediction's question with this key; the same key again means the same prediction."""

    prediction = models.OneToOneField(
        Prediction, on_delete=models.CASCADE, primary_key=True, related_name="idempotency_key"
    )
    feed_key = models.CharField(max_length=40, help_text="Who sent it, as the prediction's feed key says it.")
    key = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            # What decides between two that come at the same moment.
            models.UniqueConstraint(fields=["feed_key", "key"], name="idempotency_key_once_a_caller")
        ]

    def __str__(self) -> str:
        return f"{self.feed_key}: {self.key}"
