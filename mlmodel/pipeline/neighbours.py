"""What the neighbours of a house tell of its price: comparables columns, and how well a place is surrounded.

Kilometres are those of `features.kilometres`. Nothing here depends on a house's own income or price, so a model
on these columns can be monotone in income and nothing of a row leaks into its own columns.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from mlmodel.features import AVE_OCCUP, AVE_ROOMS, HOUSE_AGE, MED_INC, log_households, places

NEIGHBOURS = 32
INVERSE_COUNTS = (1, 3, 8, 16)
KERNEL_KM = (0.6, 1.5, 4.0, 12.0)
SIMILAR_KM = (1.5, 4.0)
SPREAD_COUNT = 8

COMPARABLES_COLUMNS = (
    *(f"{what}_nearest_{count}" for count in INVERSE_COUNTS for what in ("price", "premium")),
    *(f"premium_within_{km}" for km in KERNEL_KM),
    *(f"{what}_similar_{km}" for km in SIMILAR_KM for what in ("premium", "price")),
    *(f"similarity_{km}" for km in SIMILAR_KM),
    *("price_std", "premium_std", "price_min", "price_max"),
    *("around_log_income", "around_age", "around_log_rooms", "around_log_occupancy", "around_log_households"),
    *(f"log_km_to_{rank}" for rank in (1, 3, 8, 16, 32)),
)


class Nearest(NamedTuple):
    """The 32 nearest priced groups of n places: (n, 32) km, ascending, and (n, 32) row numbers."""

    km: np.ndarray
    rows: np.ndarray


class PricedGroups:
    """Block groups whose prices are known: `X` (n, 8) features, `price` (n,), and `premium` (n,), what the place adds
    to the price that a group's other features explain; both $100,000."""

    def __init__(self, X: np.ndarray, price: np.ndarray, premium: np.ndarray):
        self.places = places(X)
        self._tree = cKDTree(self.places)
        self._table = np.column_stack([price, premium, np.log(X[:, MED_INC]), likeness(X), log_households(X)])

    def nearest(self, at: np.ndarray, own: np.ndarray | None = None) -> Nearest:
        """The nearest groups of `at` (n, 2) km; ties by row number. `own` (n,) names a row each place must not see."""
        km, rows = self._tree.query(at, k=NEIGHBOURS + (own is not None))
        if own is not None:
            other = rows != own[:, None]
            other[other.all(axis=1), -1] = False
            km, rows = (part[other].reshape(len(at), NEIGHBOURS) for part in (km, rows))
        order = np.lexsort((rows, km.round(6)), axis=1)
        return Nearest(np.take_along_axis(km, order, 1), np.take_along_axis(rows, order, 1))

    def comparables(self, X: np.ndarray, nearest: Nearest) -> np.ndarray:
        """(n, 8) features and their nearest groups -> (n, 32) float32, the columns of `COMPARABLES_COLUMNS`."""
        km = nearest.km
        table = self._table[nearest.rows]
        weights = self._weights(X, km, table)
        means = weights @ table
        means /= weights.sum(axis=2)[:, :, None]
        price, premium = table[:, :, 0], table[:, :, 1]
        columns = np.empty((len(X), len(COMPARABLES_COLUMNS)), np.float32)
        columns[:, 0:8] = means[:, :4, :2].reshape(-1, 8)
        columns[:, 8:12] = means[:, 4:8, 1]
        columns[:, 12:16] = means[:, 8:, 1::-1].reshape(-1, 4)
        columns[:, 16:18] = np.log(weights[:, 8:].max(axis=2) + 1e-9)
        columns[:, 18] = price[:, :SPREAD_COUNT].std(axis=1)
        columns[:, 19] = premium[:, :SPREAD_COUNT].std(axis=1)
        columns[:, 20] = price[:, :SPREAD_COUNT].min(axis=1)
        columns[:, 21] = price[:, :SPREAD_COUNT].max(axis=1)
        columns[:, 22:27] = means[:, 5, 2:]
        columns[:, 27:] = np.log1p(km[:, [0, 2, 7, 15, 31]])
        return columns

    @staticmethod
    def _weights(X: np.ndarray, km: np.ndarray, table: np.ndarray) -> np.ndarray:
        """(n, 10, 32): inverse distance over four counts, four kernels of distance, two of distance and likeness."""
        weights = np.zeros((len(X), 10, NEIGHBOURS))
        inverse, beyond = 1 / (km + 0.2), km - km[:, :1]
        for number, count in enumerate(INVERSE_COUNTS):
            weights[:, number, :count] = inverse[:, :count]
        for number, width in enumerate(KERNEL_KM):
            weights[:, 4 + number] = np.exp(-beyond / width) + 1e-12
        unlike = ((table[:, :, 3:6] - likeness(X)[:, None]) ** 2) @ np.array([1.0, 16.0, 16.0])
        alike = np.exp(-unlike / 2)
        for number, kernel in enumerate((5, 6)):
            weights[:, 8 + number] = weights[:, kernel] * alike + 1e-9 * inverse
        return weights


def likeness(X: np.ndarray) -> np.ndarray:
    """(n, 8) features -> (n, 3): age in decades, log rooms, log occupancy, what makes two groups alike."""
    return np.column_stack([X[:, HOUSE_AGE] / 10, np.log(X[:, AVE_ROOMS]), np.log(X[:, AVE_OCCUP])])


def widest_gap(at: np.ndarray, groups: PricedGroups, nearest: Nearest) -> np.ndarray:
    """(n,) degrees: the widest angle around each place `at` (n, 2) without a neighbour; 360 with fewer than two.

    Neighbours at the very place have no direction and are left out. A wide gap marks the edge of the known.
    """
    away = groups.places[nearest.rows] - at[:, None]
    angle = np.arctan2(away[:, :, 1], away[:, :, 0])
    directed = nearest.km >= 1e-9
    angle = np.sort(np.where(directed, angle, np.inf), axis=1)
    count = directed.sum(axis=1)
    closing = angle[:, :1] + 2 * np.pi
    position = np.arange(NEIGHBOURS + 1)
    angle = np.column_stack([angle, np.full(len(at), np.inf)])
    angle = np.where(position == count[:, None], closing, angle)
    with np.errstate(invalid="ignore"):
        gaps = np.diff(angle, axis=1)
    widest = np.where(np.isfinite(gaps), gaps, 0).max(axis=1)
    return np.where(count < 2, 360.0, np.degrees(widest))


GATE_NEAR_KM, GATE_FAR_KM = 10.0, 40.0
GAP_CLOSED, GAP_OPEN, GAP_STRETCH = 150.0, 240.0, 10.0


def trust(third_km: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """(n,) in 0..1: how far neighbours' prices can be trusted, from km to the third nearest and the widest gap.

    1 within 10 km, 0 beyond 40 km; at the edge of the known, where neighbours lie on one side only, kilometres count
    up to elevenfold.
    """
    stretched = third_km * (1 + GAP_STRETCH * np.clip((gap - GAP_CLOSED) / (GAP_OPEN - GAP_CLOSED), 0, 1))
    return np.clip(np.log(GATE_FAR_KM / np.maximum(stretched, 1e-6)) / np.log(GATE_FAR_KM / GATE_NEAR_KM), 0, 1)
