"""The feed: every change worth telling an owner, in one growing order."""

from django.db import models

from predictions.models.prediction import Prediction


class FeedEvent(models.Model):
    """A prediction of this feed was answered, rejected or failed. The id is the cursor of WebSocket and SSE.

    Ids become visible in growing order only because `services` takes one lock before it inserts and holds it to the
    commit; without it a reader steps over a smaller id that commits later.
    """

    feed_key = models.CharField(max_length=40)
    prediction = models.ForeignKey(Prediction, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Prediction.Status)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index("feed_key", "id", name="feed_cursor")]

    def __str__(self) -> str:
        return f"{self.feed_key} {self.id}: {self.kind}"
