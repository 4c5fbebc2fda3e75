"""The contract's fields as people fill them in on the page: in dollars, with sliders, and in words for homes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from predictions.contract import FIELDS, Bounds, Field
from predictions.units import Units

_REACH = 1.25  # A slider reaches this many times beyond the soft range, and its box to the end of the hard one.
_SLIDER_STEPS = 200


@dataclass(frozen=True)
class Slider:
    """The part of a field that a slider covers. `is_even`: a step adds the same everywhere, else it multiplies."""

    lowest: float
    highest: float
    is_even: bool
    steps: int = _SLIDER_STEPS

    def percent(self, value: float) -> float:
        """Where a value lies on the slider, 0 to 100."""
        low, high, value = (self._stretched(number) for number in (self.lowest, self.highest, value))
        return round(min(100.0, max(0.0, 100 * (value - low) / (high - low))), 2)

    def value(self, share: float) -> float:
        """The value at a share, 0 to 1, of the slider's way."""
        low, high = self._stretched(self.lowest), self._stretched(self.highest)
        reached = low + (high - low) * share
        return min(self.highest, max(self.lowest, reached if self.is_even else math.exp(reached)))

    def _stretched(self, value: float) -> float:
        return value if self.is_even else math.log(value)


@dataclass(frozen=True)
class Input:
    """One number box, called `name`; `per` is what a unit of the contract is in the box's."""

    field: Field
    name: str
    label: str
    unit: str
    step: float
    per: float = 1
    has_even_slider: bool = False

    @property
    def typical(self) -> float:
        return self.shown(self.field.typical)

    @property
    def hard(self) -> Bounds:
        hard = self.field.hard
        return Bounds(min=hard.min * self.per, max=hard.max * self.per, above=hard.above * self.per)

    @property
    def soft(self) -> Bounds | None:
        soft = self.field.soft
        return Bounds(min=soft.min * self.per, max=soft.max * self.per) if soft else None

    @property
    def slider(self) -> Slider | None:
        """None for a coordinate: the map is its slider."""
        if self.soft is None:
            return None
        if self.has_even_slider:
            return Slider(self.hard.min, self.hard.max, is_even=True)
        lowest = max(self.hard.min, self.hard.above, self.soft.min / _REACH)
        return Slider(lowest, min(self.hard.max, self.soft.max * _REACH), is_even=False)

    @property
    def typical_percent(self) -> float:
        """Where the typical value lies on the slider."""
        return self.slider.percent(self.typical) if self.slider else 0.0

    @property
    def soft_percent(self) -> tuple[float, float]:
        """Where the soft range begins on the slider, and how wide it is."""
        if self.slider is None or self.soft is None:
            return 0.0, 0.0
        begin, end = self.slider.percent(self.soft.min), self.slider.percent(self.soft.max)
        return begin, round(end - begin, 2)

    @property
    def in_short(self) -> str:
        """Its unit, and for what the map can't tell what is usual."""
        return f"{self.unit}, typically {grouped(self.typical)}" if self.slider else self.unit

    @property
    def out_of_range(self) -> str:
        """What is said at a value outside the hard range."""
        return f"{self.label} must be {in_words(self.hard)}."

    @property
    def missing(self) -> str:
        """What is said where no number stands."""
        return f"Type the {self.label.lower()}, {in_words(self.hard)}."

    def shown(self, value: float) -> float:
        """A value of the contract in the unit of the box."""
        shown = round(float(value) * self.per, 4)
        return int(shown) if shown.is_integer() else shown

    def asked(self, value: float) -> float:
        """A value of the box in the unit of the contract; rounded, so that the end of the range is not beyond it."""
        return round(value / self.per, 10)


def in_words(bounds: Bounds) -> str:
    """An interval as people read it."""
    if bounds.min > -math.inf:
        return f"between {grouped(bounds.min)} and {grouped(bounds.max)}"
    return f"above {grouped(bounds.above)} and at most {grouped(bounds.max)}"


def grouped(value: float) -> str:
    """A number with its thousands apart and no needless zeros."""
    return f"{value:,.4f}".rstrip("0").rstrip(".")


_WORDING = {
    "house_age": ("Age of the homes", "years, 52 and more count as 52"),
    "ave_rooms": ("Rooms per home", "rooms, all counted"),
    "ave_bedrms": ("Bedrooms per home", "bedrooms"),
    "population": ("Population", "people in the block group"),
    "ave_occup": ("People per home", "people"),
    "latitude": ("Latitude", "degrees north"),
    "longitude": ("Longitude", "degrees east, so below zero"),
}
_WHOLE = {"house_age", "population"}


@cache
def inputs(units: Units) -> tuple[Input, ...]:
    """The boxes of the page in these units, in the order of the contract."""
    return tuple(_income(field, units) if field.name == "med_inc" else _input_of(field) for field in FIELDS)


def _income(field: Field, units: Units) -> Input:
    per = units.income_unit
    return Input(
        field,
        "median_income_usd",
        "Household income",
        f"{units.income_words}, the median",
        step=0.01 if per == 1 else 100,
        per=per,
        has_even_slider=True,
    )


def _input_of(field: Field) -> Input:
    label, unit = _WORDING[field.name]
    step = 1 if field.name in _WHOLE else 0.01
    return Input(field, field.name, label, unit, step=step, has_even_slider=field.name == "house_age")


def filled_in(features: Mapping[str, float], units: Units) -> dict[str, float]:
    """Features by canonical name -> what stands in the boxes, by their names."""
    return {box.name: box.shown(features[box.field.name]) for box in inputs(units)}


# -- places to begin with --------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Example:
    """A place to try; its numbers are those of the nearest block group."""

    name: str
    latitude: float
    longitude: float


EXAMPLES = (
    Example("San Francisco", 37.77, -122.42),
    Example("Los Angeles", 34.05, -118.24),
    Example("Fresno", 36.74, -119.79),
    Example("The coast at Monterey", 36.6, -121.89),
    Example("Truckee, in the mountains", 39.33, -120.18),
)
