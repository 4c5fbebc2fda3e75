"""Figures that tell how good a fitted model is: prices, ranges, monotonicity, speed. No Django in here."""

import time
from collections.abc import Callable

import numpy as np

from mlmodel.features import MED_INC
from mlmodel.pipeline.ranges import BAND_EDGES, Estimate, RangedModel, bands

MONOTONE_HOMES = 500
MONOTONE_STEPS = 30


def price_figures(y: np.ndarray, price: np.ndarray) -> dict[str, float]:
    """RMSE and MAE ($100,000) and R2 of (n,) prices against (n,) true ones."""
    error = price - y
    return {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "r2": float(1 - np.mean(error**2) / np.var(y)),
    }


def range_figures(y: np.ndarray, estimate: Estimate) -> dict:
    """Coverage of (n,) true prices, on the whole and by band of the true and of the estimated price; mean width."""
    inside = (estimate.low <= y) & (y <= estimate.high)
    by_true, by_estimate = _by_band(inside, y), _by_band(inside, estimate.price)
    return {
        "coverage": float(inside.mean()),
        "worst_band_coverage": min(band["coverage"] for band in by_true + by_estimate),
        "coverage_by_price": by_true,
        "coverage_by_estimate": by_estimate,
        "mean_width": float(np.mean(estimate.high - estimate.low)),
    }


def _by_band(inside: np.ndarray, prices: np.ndarray) -> list[dict]:
    band = bands(prices)
    return [
        {"from": edge, "rows": int((band == number).sum()), "coverage": float(inside[band == number].mean())}
        for number, edge in enumerate(BAND_EDGES[:-1])
        if (band == number).any()
    ]


def income_violations(model: RangedModel, X: np.ndarray, seed: int = 0) -> int:
    """How many steps up in income lower the price: 500 homes of `X` (n, 8) x 30 steps, every column recomputed."""
    chosen = np.random.default_rng(seed).choice(len(X), MONOTONE_HOMES, replace=False)
    raised = np.repeat(X[chosen], MONOTONE_STEPS, axis=0)
    raised[:, MED_INC] = np.tile(np.linspace(0.5, 15.0, MONOTONE_STEPS), MONOTONE_HOMES)
    prices = model.point.price(raised).reshape(MONOTONE_HOMES, MONOTONE_STEPS)
    # Served heads add float32 leaves in an order of their own: a cent is not a violation.
    return int((np.diff(prices, axis=1) < -1e-6).sum())


def speed(model: RangedModel, X: np.ndarray) -> dict[str, float]:
    """Median CPU milliseconds for features, price and range of one row and of 1,000 rows of `X` (n, 8)."""
    return {
        "one_row_ms": median_ms(lambda: model.estimate(X[:1]), times=300),
        "thousand_rows_ms": median_ms(lambda: model.estimate(X[:1000]), times=15),
    }


def median_ms(run: Callable[[], object], *, times: int) -> float:
    """The median CPU time of `times` runs in milliseconds, after one to warm up.

    A model runs on one thread, so on an idle machine this is the time it takes; on a busy one it is still the same.
    """
    run()
    taken = []
    for _ in range(times):
        started = time.process_time()
        run()
        taken.append(time.process_time() - started)
    return round(float(np.median(taken)) * 1000, 3)
