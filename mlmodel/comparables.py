"""The block groups of the data most alike to a house, with what they cost: for people, not for the models."""

from dataclasses import dataclass

import numpy as np

from mlmodel.dataset import load_housing
from mlmodel.features import FEATURES, MED_INC, places
from mlmodel.pipeline.neighbours import likeness

COUNT = 5
NEAR_KM = 5.0
SIMILARITY = (
    "exp(-u / 2), where u = (km / 5)^2 + (10 years of age)^2 + 16 (log rooms)^2 + 16 (log occupancy)^2"
    " + 9 (log income)^2, each the difference between the two; 1 means the same, 0.5 quite alike"
)
_LIKENESS_WEIGHTS = np.array([1.0, 16.0, 16.0])
_INCOME_WEIGHT = 9.0
_AS_TYPED = 0.005 + 1e-9  # A block group that was typed with two decimals is still the same.


@dataclass(frozen=True)
class Comparable:
    """`row` of the data file, `price` in $100,000 of 1990, distance in km, `similarity` in 0..1."""

    row: int
    price: float
    km: float
    similarity: float
    features: dict[str, float]


def comparables(x: np.ndarray, count: int = COUNT) -> list[Comparable]:
    """The `count` block groups most alike to `x`, (8,) float64 features, other than itself.

    Itself is the block group at its place whose features are its own, up to rounding.
    """
    housing = load_housing()
    house = x[None, :]
    km = np.linalg.norm(places(housing.X) - places(house), axis=1)
    unlike = (km / NEAR_KM) ** 2 + (likeness(housing.X) - likeness(house)) ** 2 @ _LIKENESS_WEIGHTS
    unlike += _INCOME_WEIGHT * np.log(housing.X[:, MED_INC] / x[MED_INC]) ** 2
    unlike[np.isclose(housing.X, x, rtol=0, atol=_AS_TYPED).all(axis=1)] = np.inf
    chosen = np.argsort(unlike, kind="stable")[:count]
    return [
        Comparable(
            row=int(row),
            price=float(housing.y[row]),
            km=float(km[row]),
            similarity=float(np.exp(-unlike[row] / 2)),
            features=dict(zip(FEATURES, housing.X[row].tolist(), strict=True)),
        )
        for row in chosen
    ]
