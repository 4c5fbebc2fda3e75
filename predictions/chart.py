"""Prices over the time they were asked at, drawn as SVG by the server."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlmodel.prices import TOP_DOLLARS
from predictions.models import Prediction

MOST_POINTS = 200
_MARGIN = 1.0  # Per cent of the width, so that no point is cut in half.


@dataclass(frozen=True)
class Point:
    """An answer: from the left, and its price and range from the top, in per cent of the plot."""

    x: float
    price_y: float
    low_y: float
    high_y: float


@dataclass(frozen=True)
class Chart:
    """`points` from left to right, and what the axes and a screen reader say."""

    points: list[Point]
    begins_at: datetime
    ends_at: datetime
    lowest: int
    highest: int

    @property
    def time_format(self) -> str:
        """With seconds where minutes would not tell begin and end apart."""
        return "j M Y, H:i:s" if self.ends_at - self.begins_at < timedelta(minutes=1) else "j M Y, H:i"


def price_chart(predictions: Iterable[Prediction]) -> Chart | None:
    """The chart of answered predictions in any order; None for fewer than two."""
    answered = sorted((one for one in predictions if one.price is not None), key=lambda one: one.requested_at)
    if len(answered) < 2:
        return None
    begins_at, ends_at = answered[0].requested_at, answered[-1].requested_at
    span = max(ends_at - begins_at, timedelta(milliseconds=1))
    prices = [one.price for one in answered if one.price is not None]
    return Chart(
        points=[_point(one, (one.requested_at - begins_at) / span) for one in answered],
        begins_at=begins_at,
        ends_at=ends_at,
        lowest=min(prices),
        highest=max(prices),
    )


def _point(prediction: Prediction, share: float) -> Point:
    return Point(
        x=round(_MARGIN + share * (100 - 2 * _MARGIN), 2),
        price_y=_height(prediction.price),
        low_y=_height(prediction.low),
        high_y=_height(prediction.high),
    )


def _height(amount: int | None) -> float:
    return round(100 * (1 - min(amount or 0, TOP_DOLLARS) / TOP_DOLLARS), 2)
