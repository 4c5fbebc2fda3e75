"""Whose units: their profile says, or a visitor's cookie."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from predictions.units import NAMES, Units

COOKIE = "units"
_COOKIE_SECONDS = 365 * 24 * 3600


def units_of(request: HttpRequest) -> Units:
    """The units of who asks: the profile's, else those that were chosen in this browser."""
    profile = getattr(request.user, "profile", None)
    if profile is not None:
        return Units.chosen({name: getattr(profile, name) for name in NAMES})
    return Units.read(request.COOKIES.get(COOKIE, ""))


def remember_units(response: HttpResponse, units: Units) -> None:
    """Give a visitor the cookie by which the units are known the next time."""
    response.set_cookie(
        COOKIE,
        str(units),
        max_age=_COOKIE_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def in_templates(request: HttpRequest) -> dict[str, Units]:
    """Context processor: `units`, which the filters of money and distance are given."""
    # An error page may be shown before anybody knows who asks.
    return {"units": units_of(request) if hasattr(request, "user") else Units()}
