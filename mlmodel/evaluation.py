"""How good a model is: figures of its prices and ranges, and `fit_predict` to try any split. No Django in here."""

import numpy as np

from mlmodel.catalogue import recipe
from mlmodel.dataset import load_housing
from mlmodel.features import MED_INC
from mlmodel.pipeline.fitting import FITS
from mlmodel.pipeline.ranges import Estimate, RangedModel

BAND_EDGES = (0.0, 1.0, 2.0, 3.0, 4.0, np.inf)
"""Price bands, $100,000 of 1990: below $100,000, then by hundred thousands, then $400,000 and more."""
MONOTONE_HOMES = 500
MONOTONE_STEPS = 30


def fit_predict(name: str, train_rows: np.ndarray, test_rows: np.ndarray) -> np.ndarray:
    """Train the model `name` on `train_rows` of the data file alone and price `test_rows`.

    Rows are numbers of the data file, (n,) and (m,) int. Returns (m,) float64, $100,000 of 1990.
    Raises UnknownModel.
    """
    wanted = recipe(name)
    housing = load_housing()
    train = np.asarray(train_rows)
    model = FITS[wanted.family](housing.X[train], housing.y[train], wanted.seed)
    return model.price(housing.X[np.asarray(test_rows)])


def price_figures(y: np.ndarray, price: np.ndarray) -> dict[str, float]:
    """RMSE and MAE ($100,000) and R2 of (n,) prices against (n,) true ones."""
    error = price - y
    return {
        "rmse": float(np.sqrt(np.mean(error**2))),
        "mae": float(np.mean(np.abs(error))),
        "r2": float(1 - np.mean(error**2) / np.var(y)),
    }


def range_figures(y: np.ndarray, estimate: Estimate) -> dict:
    """Coverage overall and by band of the estimated price, and the mean width ($100,000), of (n,) ranges."""
    inside = (estimate.low <= y) & (y <= estimate.high)
    band = np.digitize(estimate.price, BAND_EDGES[1:-1])
    return {
        "coverage": float(inside.mean()),
        "coverage_by_band": [
            {
                "from": BAND_EDGES[number],
                "rows": int((band == number).sum()),
                "coverage": float(inside[band == number].mean()),
            }
            for number in range(len(BAND_EDGES) - 1)
            if (band == number).any()
        ],
        "mean_width": float(np.mean(estimate.high - estimate.low)),
    }


def income_violations(model: RangedModel, X: np.ndarray, seed: int = 0) -> int:
    """How many steps up in income lower the price: 500 homes of `X` (n, 8) x 30 steps, every column recomputed."""
    chosen = np.random.default_rng(seed).choice(len(X), MONOTONE_HOMES, replace=False)
    raised = np.repeat(X[chosen], MONOTONE_STEPS, axis=0)
    raised[:, MED_INC] = np.tile(np.linspace(0.5, 15.0, MONOTONE_STEPS), MONOTONE_HOMES)
    prices = model.point.price(raised).reshape(MONOTONE_HOMES, MONOTONE_STEPS)
    # Served heads add float32 leaves in an order of their own: a cent is not a violation.
    return int((np.diff(prices, axis=1) < -1e-6).sum())
