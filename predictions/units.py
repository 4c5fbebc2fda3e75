"""In which units people read and fill in money, incomes and distances: their profile says, or a visitor's cookie.

Everything is stored and asked in those of the contract and of REST: whole dollars of 1990, $10,000 of 1990 a year,
kilometres. Dollars of 2024 are those of 1990 times what everything costs more: the consumer price index (CPI-U, U.S.
city average, all items, Bureau of Labor Statistics) stood at 130.7 on average in 1990 and at 313.7 in 2024.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from django.http import HttpRequest, HttpResponse

from predictions.models import Profile

CPI_1990, CPI_2024 = 130.7, 313.7
COOKIE = "units"
_COOKIE_SECONDS = 365 * 24 * 3600
_PRICE_GROWTH = round(CPI_2024 / CPI_1990, 1)
_MILES_PER_KM = 0.621371
_INCOME_UNIT = 10_000  # What 1 is in the contract, in dollars of 1990.


@dataclass(frozen=True)
class Units:
    """What one person chose; the values are those of the profile's choices."""

    money: str = Profile.Money.OF_1990.value
    income: str = Profile.Income.DOLLARS.value
    distance: str = Profile.Distance.KILOMETRES.value

    @classmethod
    def read(cls, text: str) -> "Units":
        """What `str` made of units; what is no choice, or no longer one, is as if it had not been chosen."""
        return cls.chosen(dict(zip(_NAMES, text.split("."), strict=False)))

    @classmethod
    def chosen(cls, values: Mapping[str, str]) -> "Units":
        """Units by name, each where it is a choice."""
        return cls(**{name: values[name] for name in _NAMES if values.get(name) in _CHOICES[name].values})

    def __str__(self) -> str:
        return ".".join(asdict(self).values())

    @property
    def dollar(self) -> float:
        """What a dollar of 1990 is in the dollars that are shown."""
        return _PRICE_GROWTH if self.money == Profile.Money.OF_2024 else 1

    @property
    def year(self) -> str:
        """The year whose dollars are shown."""
        return self.money

    @property
    def income_unit(self) -> float:
        """What 1 of the contract's income is in the box for it."""
        return 1 if self.income == Profile.Income.DATA_SET else _INCOME_UNIT * self.dollar

    @property
    def income_words(self) -> str:
        if self.income == Profile.Income.DATA_SET:
            return f"${_INCOME_UNIT:,} of 1990 a year"
        return f"dollars of {self.year} a year"

    @property
    def kilometre(self) -> float:
        """What a kilometre is in the distances that are shown."""
        return _MILES_PER_KM if self.distance == Profile.Distance.MILES else 1

    @property
    def distance_word(self) -> str:
        return "miles" if self.distance == Profile.Distance.MILES else "km"

    def dollars(self, amount: float) -> int:
        """Dollars of 1990 -> whole dollars as they are shown."""
        return round(amount * self.dollar)

    def dollars_of_1990(self, shown: float) -> int:
        return round(shown / self.dollar)


_NAMES = tuple(field.name for field in fields(Units))
_CHOICES = {"money": Profile.Money, "income": Profile.Income, "distance": Profile.Distance}


def units_of(request: HttpRequest) -> Units:
    """The units of who asks: the profile's, else those that were chosen in this browser."""
    profile = getattr(request.user, "profile", None)
    if profile is not None:
        return Units.chosen({name: getattr(profile, name) for name in _NAMES})
    return Units.read(request.COOKIES.get(COOKIE, ""))


def remember_units(response: HttpResponse, units: Units) -> None:
    """Give a visitor the cookie by which the units are known the next time."""
    response.set_cookie(COOKIE, str(units), max_age=_COOKIE_SECONDS, httponly=True, samesite="Lax")


def in_templates(request: HttpRequest) -> dict[str, Units]:
    """Context processor: `units`, which the filters of money and distance are given."""
    # An error page may be shown before anybody knows who asks.
    return {"units": units_of(request) if hasattr(request, "user") else Units()}
