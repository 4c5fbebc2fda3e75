"""What belongs to an account: its profile, API tokens, and integrations that put records on the log themselves."""

from django.conf import settings
from django.db import models

from predictions.models.prediction import Door


class Profile(models.Model):
    """How an account likes the page. No row: as the browser likes it."""

    class Theme(models.TextChoices):
        SYSTEM = "", "As the browser says"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    class Money(models.TextChoices):
        OF_1990 = "1990", "Dollars of 1990"
        OF_2024 = "2024", "Dollars of 2024"

    class Income(models.TextChoices):
        DOLLARS = "dollars", "Dollars a year"
        DATA_SET = "data-set", "$10,000 of 1990 (data set)"

    class Distance(models.TextChoices):
        KILOMETRES = "km", "Kilometres"
        MILES = "mi", "Miles"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="profile"
    )
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.SYSTEM, blank=True)
    money = models.CharField(max_length=4, choices=Money, default=Money.OF_1990)
    income = models.CharField(max_length=8, choices=Income, default=Income.DOLLARS)
    distance = models.CharField(max_length=2, choices=Distance, default=Distance.KILOMETRES)

    def __str__(self) -> str:
        return f"profile of {self.user}"


class ApiToken(models.Model):
    """A key for `Authorization: Token ...`. Only its hash is stored; the key is shown once, when it is made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=64, help_text="What uses it.")
    prefix = models.CharField(max_length=8, editable=False, help_text="The key's first characters, to tell it by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="api_token_name_once_a_user")]

    def __str__(self) -> str:
        return f"{self.user}: {self.name} ({self.prefix}…)"


class IntegrationSource(models.Model):
    """The account for which records are adopted that enter `prediction_topic` with this `source` header."""

    name = models.SlugField(max_length=64, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="integration_sources")

    class Meta:
        constraints = [
            # Else the late answer to a question that its owner deleted would be adopted by this account.
            models.CheckConstraint(name="integration_source_is_no_door", condition=~models.Q(name__in=Door.values))
        ]

    def __str__(self) -> str:
        return self.name
