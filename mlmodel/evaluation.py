"""How good a model is on splits it was not fitted for. Needs the training requirements; no Django in here."""

from collections.abc import Callable, Iterable

import numpy as np
from sklearn.model_selection import train_test_split

from mlmodel.catalogue import recipe
from mlmodel.dataset import load_housing
from mlmodel.figures import price_figures, range_figures
from mlmodel.pipeline.fitting import FITS, fit_ranged
from mlmodel.pipeline.ranges import Estimate
from mlmodel.splits import HELD_BACK, LAYOUTS, SPATIAL, block_folds, folds, rtdl

Progress = Callable[[str], None]
Splits = Iterable[tuple[np.ndarray, np.ndarray]]
"""Pairs of row numbers, to fit on and to price."""

BASELINE = "baseline"
GEOGRAPHY = "monotone-hgb-1"
CALIBRATION_SHARE = 0.2


def fit_predict(name: str, train_rows: np.ndarray, test_rows: np.ndarray) -> np.ndarray:
    """Fit the model `name` on `train_rows` of the data file alone and price `test_rows`.

    Rows are numbers of the data file, (n,) and (m,) int. Returns (m,) float64, $100,000 of 1990.
    Raises UnknownModel.
    """
    wanted = recipe(name)
    housing = load_housing()
    train = np.asarray(train_rows)
    model = FITS[wanted.family](housing.X[train], housing.y[train], wanted.seed)
    return model.price(housing.X[np.asarray(test_rows)])


def priced(name: str, splits: Splits, progress: Progress) -> np.ndarray:
    """(20640,) float64: the price of every row by a model fitted on the other folds; NaN where no split tests it."""
    prices = np.full(len(load_housing()), np.nan)
    for number, (train, test) in enumerate(splits, 1):
        progress(f"{name}: fold {number}")
        prices[test] = fit_predict(name, train, test)
    return prices


def ranged(name: str, splits: Splits, progress: Progress) -> Estimate:
    """Ranges of every row by models fitted on four fifths of each training part and calibrated on the last fifth."""
    wanted, housing = recipe(name), load_housing()
    found = np.full((3, len(housing)), np.nan)
    for number, (train, test) in enumerate(splits, 1):
        progress(f"{name}: range, fold {number}")
        fitted, held = train_test_split(train, test_size=CALIBRATION_SHARE, random_state=1)
        model = fit_ranged(
            wanted.family, (housing.X[fitted], housing.y[fitted]), (housing.X[held], housing.y[held]), wanted.seed
        )
        estimate = model.estimate(housing.X[test])
        found[:, test] = estimate.price, estimate.low, estimate.high
    return Estimate(*found)


def evaluate_rtdl(name: str, progress: Progress) -> tuple[dict, np.ndarray]:
    """Figures of the RTDL test part, fitted on the training part and on training and validation part.

    Returns what belongs into a manifest's metrics, and the prices (20640,) of the first, NaN outside the test part.
    """
    split, y = rtdl(), load_housing().y
    prices = priced(name, [(split.train, split.test)], progress)
    known = fit_predict(name, np.concatenate([split.train, split.validation]), split.test)
    figures = {
        "rtdl_refitted": price_figures(y[split.test], prices[split.test]),
        "rtdl_known": price_figures(y[split.test], known),
    }
    return figures, prices


def evaluate_cv(name: str, progress: Progress) -> tuple[dict, np.ndarray]:
    """Figures of five random folds, prices and ranges. Returns as `evaluate_rtdl` does."""
    y = load_housing().y
    prices = priced(name, folds(), progress)
    baseline = price_figures(y, priced(BASELINE, folds(), progress))["rmse"]
    figures = {**price_figures(y, prices), **range_figures(y, ranged(name, folds(), progress))}
    figures["gain_on_baseline"] = 1 - figures["rmse"] / baseline
    return {"cv": figures}, prices


def evaluate_spatial(name: str, progress: Progress) -> tuple[dict, np.ndarray]:
    """Figures of five folds of whole blocks, of the mean of five layouts, and of the layout held back.

    Returns as `evaluate_rtdl` does; the prices are those of the first layout.
    """
    X, y = load_housing().X, load_housing().y

    def rmse(of: str, layout) -> float:
        progress(f"{of}: blocks of {layout.side} degrees, offset {layout.north}, {layout.east}")
        return price_figures(y, priced(of, block_folds(X, layout), lambda step: None))["rmse"]

    prices = priced(name, block_folds(X), progress)
    spatial = {**price_figures(y, prices), **range_figures(y, ranged(name, block_folds(X), progress))}
    own = [spatial["rmse"], *(rmse(name, layout) for layout in LAYOUTS if layout != SPATIAL)]
    geography = [rmse(GEOGRAPHY, layout) for layout in LAYOUTS]
    figures = {
        "spatial": spatial,
        "layouts": {
            "rmse": own,
            "mean_rmse": float(np.mean(own)),
            "geography_mean_rmse": float(np.mean(geography)),
            "above_geography": float(np.mean(own) - np.mean(geography)),
        },
        "held_back": {"layout": HELD_BACK._asdict(), "rmse": rmse(name, HELD_BACK)},
    }
    return figures, prices


EVALUATIONS = {"rtdl": evaluate_rtdl, "cv": evaluate_cv, "spatial": evaluate_spatial}
