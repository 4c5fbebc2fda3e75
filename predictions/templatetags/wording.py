"""Words and figures in templates."""

from datetime import timedelta

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma

from mlmodel.prices import TOP_DOLLARS
from predictions import projection, wording
from predictions.counties import county_at
from predictions.inputs import grouped
from predictions.models import Prediction
from predictions.units import Units

register = template.Library()

_OF_1990 = Units()


@register.filter
def dollars(amount: float | str | None, units: Units = _OF_1990) -> str:
    """Whole dollars; nothing for a price that is not there, which a template hands on as None or ""."""
    return f"${intcomma(units.dollars(amount))}" if isinstance(amount, int | float) else ""


@register.filter
def distance(km: float, units: Units) -> str:
    return units.distance_in_words(km)


@register.filter
def income(med_inc: float, units: Units) -> str:
    """A median household income of the contract, in the unit of its box."""
    return units.income_in_words(med_inc)


@register.filter
def plain(value: float) -> str:
    """A feature without the zeros of a float."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


@register.filter
def signed_dollars(amount: int) -> str:
    """Whole dollars with a sign, as something that is added or taken away."""
    return f"{'+' if amount >= 0 else '−'}${intcomma(abs(amount))}"


@register.filter
def per_cent(share: float) -> str:
    """0..1 as whole per cent."""
    return f"{100 * share:.0f} %"


@register.filter
def hundredfold(share: float) -> float:
    """0..1 as a length on a plot 100 wide."""
    return round(100 * share, 2)


@register.filter
def thousands(value: float) -> str:
    """A number with its thousands apart and no needless zeros."""
    return grouped(round(value, 2))


@register.filter
def map_x(longitude: float) -> float:
    return projection.map_x(longitude)


@register.filter
def map_y(latitude: float) -> float:
    return projection.map_y(latitude)


@register.filter
def in_words(flag: str, units: Units) -> str:
    return wording.describe_flag(flag, units)


@register.filter
def status_in_words(prediction: Prediction | None) -> str:
    return wording.STATUS_WORDS[Prediction.Status(prediction.status)] if prediction else ""


@register.filter
def band_percent(amount: int | None) -> float:
    """Where a price lies on the band, 0 to 100."""
    return round(min(100.0, 100 * (amount or 0) / TOP_DOLLARS), 2)


@register.filter
def band_width(prediction: Prediction | None) -> float:
    """How wide the range is on the band, 0 to 100."""
    return round(band_percent(prediction.high) - band_percent(prediction.low), 2) if prediction else 0.0


@register.filter
def headline(prediction: Prediction | None, units: Units) -> str:
    """A prediction in a few words: its price, or what became of it."""
    if prediction is None:
        return ""
    return dollars(prediction.price, units) or wording.STATUS_WORDS[Prediction.Status(prediction.status)]


@register.filter
def county(prediction: Prediction | None) -> str:
    """Where it was asked for, as people call it; nothing outside every county."""
    if prediction is None:
        return ""
    name = county_at(latitude=prediction.features["latitude"], longitude=prediction.features["longitude"])
    return f"{name} County" if name else ""


@register.filter
def coordinates(prediction: Prediction | None) -> str:
    if prediction is None:
        return ""
    return f"{prediction.features['latitude']:.2f}, {prediction.features['longitude']:.2f}"


@register.filter
def place(prediction: Prediction | None) -> str:
    """County and coordinates."""
    return " · ".join(filter(None, (county(prediction), coordinates(prediction))))


@register.filter
def took(prediction: Prediction | None) -> str:
    """From the question to its settling, as people read it."""
    if prediction is None or prediction.settled_at is None:
        return ""
    milliseconds = (prediction.settled_at - prediction.requested_at) / timedelta(milliseconds=1)
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
