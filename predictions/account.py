"""What people do with their account. Every change to one is a function of this file, of `callers` for tokens."""

from dataclasses import asdict
from datetime import datetime, timedelta

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off, get_failure_limit
from axes.models import AccessLog
from axes.utils import reset
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from predictions.keeping import InFlight
from predictions.models import Prediction, Profile, Sale
from predictions.units import Units

_TIMES = ("created_at", "last_used_at", "revoked_at")


def save_profile(*, user: User, theme: str, units: Units, email: str) -> None:
    """Keep how this account likes the page, and where its password mail goes."""
    with transaction.atomic():
        Profile.objects.update_or_create(user=user, defaults={"theme": theme, **asdict(units)})
        user.email = email
        user.save(update_fields=["email"])


def end_lockout(user: User) -> None:
    """Let this account sign in at once: its password is a fresh one, so what was tried before says nothing."""
    reset(username=user.get_username())


def lockout_left(request: HttpRequest) -> timedelta:
    """How long the one who sent `request` is still locked out: until fewer failures than the limit are young enough."""
    credentials = getattr(request, "axes_credentials", None)
    cool_off = get_cool_off(request) or timedelta()
    failures = 0
    [attempts] = AxesProxyHandler.get_implementation().get_user_attempts(request, credentials)
    for attempt in attempts.order_by("-attempt_time"):
        failures += attempt.failures_since_start
        if failures >= get_failure_limit(request, credentials):
            return max(attempt.attempt_time + cool_off - timezone.now(), timedelta())
    return cool_off


def delete_account(user: User) -> None:
    """Forget this account and all that is known by it: predictions, notes, sales with their past, tokens, sign-ins.

    What is on the log stays there until the log's own end.

    Raises:
        InFlight: some of its predictions have no answer yet.
    """
    with transaction.atomic():
        own = Prediction.objects.filter(owner=user)
        if own.filter(settled_at__isnull=True).exists():
            raise InFlight
        # Not from the sales that stand: one that was withdrawn has a past as well.
        sold = list(Sale.history.filter(prediction__in=own).values_list("prediction_id", flat=True))
        own.delete()
        Sale.history.filter(prediction_id__in=sold).delete()
        AccessLog.objects.filter(username=user.get_username()).delete()
        reset(username=user.get_username())
        user.delete()


def represent_account(user: User) -> dict:
    """What is known of the account itself, as JSON-ready values; times in RFC 3339."""
    tokens = user.api_tokens.order_by("created_at")
    profile = getattr(user, "profile", None) or Profile()
    return {
        "username": user.get_username(),
        "email": user.email,
        "joined_at": user.date_joined.isoformat(),
        **{name: getattr(profile, name) for name in ("theme", "money", "income", "distance")},
        "api_tokens": [
            {"name": token.name, "begins_with": token.prefix, **{name: _text(getattr(token, name)) for name in _TIMES}}
            for token in tokens
        ],
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
