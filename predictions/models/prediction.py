"""The prediction: what was asked, and what became of it."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q


class Door(models.TextChoices):
    """Where people and programs ask. Any other `source` is the name of an integration."""

    PAGE = "page"
    API = "api"


class Prediction(models.Model):
    """One question and its life: accepted -> published -> answered | rejected | failed.

    The row exists before anything can fail, and an unpublished row is the outbox. Its writers are its request (insert),
    the publisher (`published_at`, `attempts`) and the deliverer (the answer or the reason for none).
    Money is in whole US dollars of 1990.
    """

    class Status(models.TextChoices):
        ACCEPTED = "accepted"
        PUBLISHED = "published"
        ANSWERED = "answered"
        REJECTED = "rejected"
        FAILED = "failed"

    IN_FLIGHT = (Status.ACCEPTED, Status.PUBLISHED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="predictions",
        help_text="Empty: asked by a visitor; whoever holds the id may read it.",
    )
    feed_key = models.CharField(
        max_length=40, help_text="Whose feed tells of it: u and a user's number, or v and a visitor's."
    )
    source = models.CharField(max_length=64, help_text="The door it came through: page, api, or an integration's name.")

    gesture = models.UUIDField(
        null=True,
        blank=True,
        editable=False,
        help_text="The movement on the page that it is a step of; the newest of one is what the movement came to.",
    )
    features = models.JSONField(help_text="The eight features by canonical name.")
    flags = models.JSONField(default=list, help_text="What is unusual about the question or its answer.")
    status = models.CharField(max_length=10, choices=Status, default=Status.ACCEPTED)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often it was published.")

    requested_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it was answered, rejected or failed.")

    price = models.PositiveIntegerField(null=True, blank=True)
    low = models.PositiveIntegerField(null=True, blank=True, help_text="Lower end of the 90 % range.")
    high = models.PositiveIntegerField(null=True, blank=True, help_text="Upper end of the 90 % range.")
    model_id = models.CharField(max_length=128, blank=True)
    model_sha256 = models.CharField(max_length=64, blank=True)
    shadows = models.JSONField(default=dict, help_text="Model id -> price, low, high of the models that are not shown.")
    reason = models.JSONField(
        null=True,
        blank=True,
        help_text="Why it was not answered: code, field, detail.",
        encoder=DjangoJSONEncoder,
    )
    stages = models.JSONField(default=dict, help_text="Stage -> epoch milliseconds at which it was left.")

    class Meta:
        ordering = ["-requested_at"]
        indexes = [
            models.Index("requested_at", name="prediction_outbox", condition=Q(published_at__isnull=True)),
            models.Index("feed_key", F("requested_at").desc(), name="prediction_history"),
            models.Index(F("requested_at").desc(), name="prediction_newest"),
            models.Index(
                "feed_key", "gesture", "requested_at", name="prediction_gesture", condition=Q(gesture__isnull=False)
            ),
            models.Index("requested_at", name="prediction_in_flight", condition=Q(settled_at__isnull=True)),
            models.Index("status", "settled_at", name="prediction_ledger"),
        ]
        constraints = [
            models.CheckConstraint(
                name="prediction_answered_has_price_and_range",
                condition=~Q(status="answered")
                | Q(price__isnull=False, low__lte=F("price"), high__gte=F("price"), settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="prediction_unanswered_has_reason",
                condition=~Q(status__in=["rejected", "failed"]) | Q(reason__isnull=False, settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="prediction_owner_matches_feed",
                condition=Q(owner__isnull=True, feed_key__startswith="v")
                | Q(owner__isnull=False, feed_key__startswith="u"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"

    @property
    def is_settled(self) -> bool:
        return self.settled_at is not None
