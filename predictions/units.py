"""In which units people read and fill in money, incomes and distances.

Everything is stored and asked in those of the contract and of REST: whole dollars of 1990, $10,000 of 1990 a year,
kilometres. Dollars of 2024 are those of 1990 times what everything costs more: the consumer price index (CPI-U, U.S.
city average, all items, Bureau of Labor Statistics) stood at 130.7 on average in 1990 and at 313.7 in 2024.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from mlmodel.prices import TOP_DOLLARS
from predictions.models import Profile

CPI_1990, CPI_2024 = 130.7, 313.7
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
        return cls.chosen(dict(zip(NAMES, text.split("."), strict=False)))

    @classmethod
    def chosen(cls, values: Mapping[str, str]) -> "Units":
        """Units by name, each where it is a choice."""
        return cls(**{name: values[name] for name in NAMES if values.get(name) in _CHOICES[name].values})

    def __str__(self) -> str:
        return ".".join(asdict(self).values())

    @property
    def dollar(self) -> float:
        """What a dollar of 1990 is in the dollars that are shown."""
        return _PRICE_GROWTH if self.money == Profile.Money.OF_2024 else 1

    @property
    def top(self) -> str:
        """Where the census stopped counting: to the dollar as it was, in other dollars rounded as people say it."""
        whole = self.dollars(TOP_DOLLARS)
        return f"${whole:,}" if self.dollar == 1 else f"${whole / 1_000_000:.1f} million"

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

    def income_in_words(self, med_inc: float) -> str:
        """The contract's income as its box shows it."""
        shown = med_inc * self.income_unit
        return f"{shown:.2f}" if self.income == Profile.Income.DATA_SET else f"${shown:,.0f}"

    def distance_in_words(self, km: float) -> str:
        """With its unit; short distances to a tenth."""
        shown = km * self.kilometre
        return f"{shown:.{1 if shown < 10 else 0}f} {self.distance_word}"

    def dollars(self, amount: float) -> int:
        """Dollars of 1990 -> whole dollars as they are shown."""
        return round(amount * self.dollar)

    def dollars_of_1990(self, shown: float) -> float:
        """Dollars as they are shown -> dollars of 1990, to the cent."""
        return round(shown / self.dollar, 2)


NAMES = tuple(field.name for field in fields(Units))
_CHOICES = {"money": Profile.Money, "income": Profile.Income, "distance": Profile.Distance}
