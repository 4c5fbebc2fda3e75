"""The range around a price: normalised split conformal prediction.

Papadopoulos et al., "Inductive confidence machines for regression" (2002); Lei et al., "Distribution-free predictive
inference for regression" (2018), section 5.2: a score is an error divided by the error expected for such a house, and
the range is the price plus and minus the expected error times the 90 % quantile of the scores of held-out rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from mlmodel.pipeline.families import PriceModel
from mlmodel.pipeline.heads import Head

LEVEL = 0.9


@dataclass(frozen=True)
class Estimate:
    """What one model says of n houses: three (n,) float64 arrays, $100,000 of 1990, low <= price <= high."""

    price: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """`quantile`: of the held-out scores. `lowest`, `highest`: the prices the training rows span."""

    quantile: float
    lowest: float
    highest: float

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {f"range_{name}": np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(**{field.name: float(arrays[f"range_{field.name}"]) for field in fields(cls)})


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
        half = self.calibration.quantile * expected_error(self.scale, columns)
        low = np.maximum(price - half, np.minimum(price, self.calibration.lowest))
        high = np.minimum(price + half, np.maximum(price, self.calibration.highest))
        return Estimate(price, low, high)


def expected_error(scale: Head, columns: np.ndarray) -> np.ndarray:
    """(n, m) float32 columns -> (n,) float64 > 0, $100,000: the error that such houses showed in held-out rows.

    The price is no input: a served price differs in its last bits, and at a tree's threshold so would the range by
    thousands of dollars.
    """
    return np.exp(scale(columns))
