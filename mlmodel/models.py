from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from simple_history.models import HistoricalRecords


class ModelVersion(models.Model):
    """A trained model the registry knows; its files lie in the folder of its name (see `artefact`)."""

    class Role(models.TextChoices):
        CHAMPION = "champion"
        SHADOW = "shadow"
        RETIRED = "retired"

    name = models.CharField(max_length=128, unique=True)
    family = models.CharField(max_length=64)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.SHADOW)
    sha256 = models.CharField(max_length=64)
    manifest = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    promoted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    # Read by django-simple-history when it writes the audit row of a save.
    _history_user: AbstractBaseUser | None
    _change_reason: str
    history = HistoricalRecords(excluded_fields=["manifest"])

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["role"], condition=models.Q(role="champion"), name="one_champion_at_a_time"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["champion", "shadow", "retired"]), name="model_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.role})"
