"""What people do with their account. Every change to one is a function of this file, of `callers` for tokens."""

from dataclasses import asdict
from datetime import datetime, timedelta

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off, get_failure_limit
from axes.models import AccessLog
from axes.utils import reset
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from predictions.keeping import InFlight
from predictions.models import ApiToken, IntegrationSource, Prediction, Profile, Sale
from predictions.units import Units

# More at a time would take more memory, and hold SQLite's one write lock for longer.
_CHUNK = 500
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


def delete_account(*, user: User, password: str) -> None:
    """Forget this account and all that is known by it: predictions, notes, sales with their past, tokens, sign-ins.

    What is on the log stays there until the log's own end.

    First its sessions, tokens and integrations end, so that nobody asks for it any more. Then its predictions go by the
    chunk, each a transaction of its own, for on SQLite nobody else can write during one; the user goes last. A crash
    midway leaves an account with fewer predictions and without tokens. Its `password` stays what it was: its owner can
    sign in and delete it again.

    Raises:
        InFlight: some of its predictions have no answer yet. Nothing was done, but where one was asked at the last
            moment: then the account is as after a crash.
    """
    own = Prediction.objects.filter(owner=user).order_by()
    with transaction.atomic():
        _hold_still(user, own)
        # The same password hashed anew ends every session.
        User.objects.filter(pk=user.pk).update(password=make_password(password))
        ApiToken.objects.filter(user=user).delete()
        IntegrationSource.objects.filter(owner=user).delete()
    while _delete_some(own):
        pass
    with transaction.atomic():
        _hold_still(user, own)
        while _delete_some(own):
            pass
        AccessLog.objects.filter(username=user.get_username()).delete()
        reset(username=user.get_username())
        user.delete()


def _hold_still(user: User, own: QuerySet[Prediction]) -> None:
    """Let nobody ask for this user until the transaction ends.

    Raises:
        InFlight: some of its predictions have no answer yet.
    """
    # Whoever stores a prediction locks its owner's row, but not against others who do the same.
    list(User.objects.select_for_update().filter(pk=user.pk).values_list("pk"))
    if own.filter(settled_at__isnull=True).exists():
        raise InFlight


def _delete_some(own: QuerySet[Prediction]) -> bool:
    """Delete a chunk of these, if settled, with all that is kept with them; whether there were any."""
    with transaction.atomic():
        ids = list(own.filter(settled_at__isnull=False).values_list("pk", flat=True)[:_CHUNK])
        chunk = Prediction.objects.filter(pk__in=ids).order_by("pk")
        # In the order in which a deliverer locks them: in another, each could wait for the other.
        list(chunk.select_for_update().values_list("pk"))
        chunk.delete()
        Sale.history.filter(prediction_id__in=ids).delete()
    return bool(ids)


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
