"""Model families: how the features of a house become a price, given a family's heads and arrays."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from mlmodel.features import geography
from mlmodel.pipeline.heads import Head


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


FAMILIES: Mapping[str, type[PriceModel]] = {family.family: family for family in (Linear, Geography)}
