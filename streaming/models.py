"""What operators handle: records that no stage could use, and consumers that stopped because of too many of them."""

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Func, IntegerField, Q, TextField
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import LessThanOrEqual
from simple_history.models import HistoricalRecords

from predictions.models import Prediction
from streaming.topics import MAX_MESSAGE_BYTES, Topic

# What a replay may go back to.
ORIGINS = tuple(topic for topic in Topic if topic != Topic.DEAD_LETTERS)
# Of key, body and headers; the rest is for the frames of a record and its batch.
MAX_REPLAY_BYTES = MAX_MESSAGE_BYTES - 1024


class _Bytes(Func):
    """How many bytes a text or a binary value has."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler, connection, **more):
        return super().as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **more)


class DeadLetter(models.Model):
    """A record of `prediction_dead_letter_topic`: received -> marked -> replayed, or discarded.

    What it was stays as it came (`key`, `value`, `headers`); an operator's edited body is kept beside it. Its writers
    are the deliverer (insert), operators in admin (`body`, marked, discarded) and the publisher (replayed).
    """

    class Status(models.TextChoices):
        RECEIVED = "received"
        MARKED = "marked", "marked for replay"
        REPLAYED = "replayed"
        DISCARDED = "discarded"

    partition = models.PositiveIntegerField(help_text="Of prediction_dead_letter_topic.")
    offset = models.BigIntegerField()
    written_ms = models.BigIntegerField(
        help_text="The broker's time, epoch milliseconds. Offsets begin anew when a topic is made anew."
    )

    stage = models.CharField(max_length=64, help_text="Who refused it.")
    error = models.CharField(max_length=64)
    field = models.CharField(max_length=64, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    source_topic = models.CharField(max_length=249, blank=True, verbose_name="origin")
    source_partition = models.PositiveIntegerField(null=True, blank=True)
    source_offset = models.BigIntegerField(null=True, blank=True)
    prediction = models.ForeignKey(
        Prediction,
        on_delete=models.CASCADE,
        # Anybody may write to the topic: the key may be the id of a prediction that is not here.
        db_constraint=False,
        null=True,
        blank=True,
        related_name="dead_letters",
        help_text="Where the key is an id.",
    )

    key = models.BinaryField(null=True)
    value = models.BinaryField(null=True)
    headers = models.JSONField(help_text="Name and value, the value in base64, in their order.")
    is_whole = models.BooleanField(default=True, help_text="Too long a record leaves its beginning only.")
    body = models.TextField(null=True, blank=True, help_text="An operator's edited body, published instead.")

    status = models.CharField(max_length=10, choices=Status, default=Status.RECEIVED)
    received_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True, help_text="When it was replayed or discarded.")

    # Read by django-simple-history when it writes the audit row of a save.
    _history_user: AbstractBaseUser | None
    history = HistoricalRecords(excluded_fields=["key", "value", "headers"], cascade_delete_history=True)

    # Headers in base64 are longer than those that are published, and those of the letter itself are not published.
    _REPLAY_BYTES = (
        Coalesce(_Bytes("body"), _Bytes("value"), 0) + Coalesce(_Bytes("key"), 0) + _Bytes(Cast("headers", TextField()))
    )
    REPLAYABLE = (
        Q(source_topic__in=ORIGINS)
        & (Q(is_whole=True) | Q(body__isnull=False))
        & Q(LessThanOrEqual(_REPLAY_BYTES, MAX_REPLAY_BYTES))
    )

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index("id", name="dead_letter_marked", condition=Q(status="marked")),
            models.Index(fields=["status", "-id"], name="dead_letter_inbox"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["partition", "offset", "written_ms"], name="dead_letter_stored_once"),
        ]

    def __str__(self) -> str:
        return f"{self.partition}/{self.offset}: {self.error} ({self.stage})"


class StoppedLine(models.Model):
    """A consumer that met too many records it could not use, and reads no further until an operator resumes it."""

    consumer = models.CharField(max_length=32)
    detail = models.CharField(max_length=500)
    stopped_at = models.DateTimeField()
    resumed_at = models.DateTimeField(null=True, blank=True)
    resumed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["consumer"], condition=Q(resumed_at__isnull=True), name="stopped_line_once_a_consumer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.consumer}, stopped at {self.stopped_at:%Y-%m-%d %H:%M:%S}"
