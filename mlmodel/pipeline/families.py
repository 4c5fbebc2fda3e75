"""Model families: how the features of a house become a price, given a family's heads and arrays."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from mlmodel.features import GEOGRAPHY_COLUMNS, geography, places
from mlmodel.pipeline.heads import Head
from mlmodel.pipeline.neighbours import COMPARABLES_COLUMNS, PricedGroups, trust, widest_gap


class PriceModel:
    """One fitted model without its range. A family overrides `columns` and `combine`.

    `heads` are its regressors by name, `arrays` whatever else it must remember; together they are the whole model.
    """

    family: ClassVar[str]
    head_names: ClassVar[tuple[str, ...]]

    def __init__(self, heads: Mapping[str, Head], arrays: Mapping[str, np.ndarray]):
        self.heads = heads
        self.arrays = arrays

    def columns(self, X: np.ndarray) -> np.ndarray:
        """(n, 8) float64 features -> (n, m) float32, what the heads and the range are computed from."""
        raise NotImplementedError

    def combine(self, columns: np.ndarray) -> np.ndarray:
        """(n, m) float32 `columns` -> (n,) float64 prices, $100,000 of 1990."""
        raise NotImplementedError

    def price(self, X: np.ndarray) -> np.ndarray:
        """(n, 8) float64 features -> (n,) float64 prices, $100,000 of 1990."""
        return self.combine(self.columns(X))


class Linear(PriceModel):
    """Scaler and linear regression on the eight plain features: the floor every other model has to beat."""

    family = "linear"
    head_names = ("price",)

    def columns(self, X: np.ndarray) -> np.ndarray:
        return X.astype(np.float32)

    def combine(self, columns: np.ndarray) -> np.ndarray:
        return self.heads["price"](columns)


class Geography(PriceModel):
    """Gradient-boosted trees on the 24 location columns, monotone in income."""

    family = "geography"
    head_names = ("price",)

    def columns(self, X: np.ndarray) -> np.ndarray:
        return geography(X)

    def combine(self, columns: np.ndarray) -> np.ndarray:
        return self.heads["price"](columns)


class Gated(PriceModel):
    """Neighbours' prices where there are neighbours, geography where there are none, and a gate between the two.

    `prices` and `roots` are trees on the location and comparables columns, for the price and for its square root;
    `roots` also learned from comparables of other blocks only, so it discounts far ones. `geography` never saw a
    neighbour. All are monotone in income.
    """

    family = "gated"
    head_names = ("prices", "roots", "geography")

    GEOGRAPHY = len(GEOGRAPHY_COLUMNS)
    TREES = GEOGRAPHY + len(COMPARABLES_COLUMNS)
    FAR_ROOTS_SHARE = 0.2

    def __init__(self, heads: Mapping[str, Head], arrays: Mapping[str, np.ndarray]):
        super().__init__(heads, arrays)
        self.groups = PricedGroups(arrays["groups"], arrays["group_prices"], arrays["group_premiums"])

    def columns(self, X: np.ndarray) -> np.ndarray:
        """Location (24), comparables (32), the widest gap, and the trust in neighbours."""
        at = places(X)
        nearest = self.groups.nearest(at)
        gap = widest_gap(at, self.groups, nearest)
        return np.column_stack(
            [geography(X), self.groups.comparables(X, nearest), gap, trust(nearest.km[:, 2], gap)]
        ).astype(np.float32)

    def combine(self, columns: np.ndarray) -> np.ndarray:
        trees, location = columns[:, : self.TREES], columns[:, : self.GEOGRAPHY]
        weight = columns[:, -1].astype(np.float64)
        root = np.maximum(self.heads["roots"](trees), 0) ** 2
        near = (ask_where(weight > 0, self.heads["prices"], trees) + root) / 2
        elsewhere = ask_where(weight < 1, self.heads["geography"], location)
        far = self.FAR_ROOTS_SHARE * root + (1 - self.FAR_ROOTS_SHARE) * elsewhere
        known = self.arrays["group_prices"]
        return np.clip(weight * near + (1 - weight) * far, known.min(), known.max())


def ask_where(needed: np.ndarray, head: Head, columns: np.ndarray) -> np.ndarray:
    """(n,) answers of `head` for the rows that `needed` (n,) bool marks, 0 for the others: most rows need one side of
    the gate only."""
    answers = np.zeros(len(columns))
    if needed.any():
        answers[needed] = head(columns[needed])
    return answers


FAMILIES: Mapping[str, type[PriceModel]] = {family.family: family for family in (Linear, Geography, Gated)}
