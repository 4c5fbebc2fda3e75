"""The range around a price: normalised split conformal prediction, conditional on the band of the true price.

A score is an error divided by the error expected for such a house (Papadopoulos et al., "Inductive confidence machines
for regression", 2002; Lei et al., "Distribution-free predictive inference for regression", 2018, section 5.2). A price
belongs to the range when its score is within the 90 % quantile of the held-out rows of its own price band (label-
conditional conformal prediction: Vovk, "Conditional validity of inductive conformal predictors", 2012). One quantile
for all bands would cover nine of ten homes on the whole, but three of four of the dear ones, which models underprice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from mlmodel.pipeline.families import PriceModel
from mlmodel.pipeline.heads import Head

LEVEL = 0.9
BAND_EDGES = (0.0, 1.0, 2.0, 3.0, 4.0, np.inf)
"""Price bands, $100,000 of 1990: below $100,000, then by hundred thousands, then $400,000 and more."""


@dataclass(frozen=True)
class Estimate:
    """What one model says of n houses: three (n,) float64 arrays, $100,000 of 1990, low <= price <= high."""

    price: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """`quantiles`: (5,) of the held-out scores of each price band. `lowest`, `highest`: the prices of the training
    rows, beyond which no range goes."""

    quantiles: np.ndarray
    lowest: float
    highest: float

    @classmethod
    def of(cls, *, scores: np.ndarray, prices: np.ndarray, training_prices: np.ndarray) -> Self:
        """Calibrate on (n,) scores of held-out rows with (n,) true `prices`."""
        band = bands(prices)
        quantiles = [conformal_quantile(scores[band == number]) for number in range(len(BAND_EDGES) - 1)]
        return cls(np.array(quantiles), float(training_prices.min()), float(training_prices.max()))

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {f"range_{name}": np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(arrays["range_quantiles"], float(arrays["range_lowest"]), float(arrays["range_highest"]))


def bands(prices: np.ndarray) -> np.ndarray:
    """(n,) prices -> (n,) int, the number of the band each lies in."""
    return np.digitize(prices, BAND_EDGES[1:-1])


def conformal_quantile(scores: np.ndarray, level: float = LEVEL) -> float:
    """The ceil((n + 1) level)-th smallest of n scores; infinite when n is too small for the level."""
    rank = int(np.ceil((len(scores) + 1) * level))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else float("inf")


class RangedModel:
    """A price model with its 90 % range. `scale` predicts the log of the error to expect."""

    def __init__(self, point: PriceModel, scale: Head, calibration: Calibration):
        self.point = point
        self.scale = scale
        self.calibration = calibration

    def estimate(self, X: np.ndarray) -> Estimate:
        """(n, 8) float64 features -> prices and ranges."""
        columns = self.point.columns(X)
        price = self.point.combine(columns)
        low, high = conformal_range(price, expected_error(self.scale, columns), self.calibration.quantiles)
        lowest, highest = self.calibration.lowest, self.calibration.highest
        return Estimate(
            price,
            low=np.minimum(price, np.maximum(low, lowest)),
            high=np.maximum(price, np.minimum(high, highest)),
        )


def conformal_range(price: np.ndarray, error: np.ndarray, quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest price whose score is within the quantile of its own band.

    `price` and the expected `error` are (n,), `quantiles` (5,); returns two (n,) arrays, low and high.
    """
    reach = error[:, None] * quantiles
    low = np.maximum(price[:, None] - reach, BAND_EDGES[:-1])
    high = np.minimum(price[:, None] + reach, BAND_EDGES[1:])
    reached = low <= high
    return np.where(reached, low, np.inf).min(axis=1), np.where(reached, high, -np.inf).max(axis=1)


def expected_error(scale: Head, columns: np.ndarray) -> np.ndarray:
    """(n, m) float32 columns -> (n,) float64 > 0, $100,000: the error that such houses showed in held-out rows.

    The price is no input: a served price differs in its last bits, and at a tree's threshold so would the range by
    thousands of dollars.
    """
    return np.exp(scale(columns))
