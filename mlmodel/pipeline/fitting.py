"""How each family is fitted, and how its range is calibrated. Needs the training requirements."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlmodel.features import geography
from mlmodel.pipeline.families import Geography, Linear, PriceModel
from mlmodel.pipeline.fitting_gated import fit_gated
from mlmodel.pipeline.heads import TrainedHead
from mlmodel.pipeline.ranges import Calibration, RangedModel, expected_error
from mlmodel.pipeline.trees import boosted_trees, geography_trees
from mlmodel.splits import Layout, cells

Fit = Callable[[np.ndarray, np.ndarray, int], PriceModel]
"""(n, 8) features, (n,) prices, seed -> a fitted model whose heads are `TrainedHead`s."""


def fit_linear(X: np.ndarray, y: np.ndarray, seed: int) -> Linear:
    regressor = make_pipeline(StandardScaler(), LinearRegression())
    return Linear({"price": TrainedHead(regressor.fit(X.astype(np.float32), y), X.shape[1])}, {})


def fit_geography(X: np.ndarray, y: np.ndarray, seed: int) -> Geography:
    columns = geography(X)
    regressor = geography_trees(columns.shape[1], seed, rounds=729)
    return Geography({"price": TrainedHead(regressor.fit(columns, y), columns.shape[1])}, {})


FITS: Mapping[str, Fit] = {"linear": fit_linear, "geography": fit_geography, "gated": fit_gated}

SCALE_FOLDS = 4
SCALE_BLOCKS = Layout(0.5, 0.10, 0.30)
BLOCK_AWARE = {"gated"}
"""Families whose columns tell how far the known is: they learn from unseen blocks too how errors grow there."""
SMALLEST_ERROR = 0.01  # $1,000: keeps the log of a lucky residual from steering the scale


def fit_ranged(
    family: str,
    training: tuple[np.ndarray, np.ndarray],
    calibration: tuple[np.ndarray, np.ndarray],
    seed: int,
    progress: Callable[[str], None] = lambda step: None,
) -> RangedModel:
    """Fit a model of `family` on `training` and calibrate its range on `calibration`, rows it has not seen.

    Both are (X, y): (n, 8) features and (n,) prices.
    """
    X, y = training
    progress("fitting the price")
    point = FITS[family](X, y, seed)
    scale = fit_scale(held_out_errors(family, X, y, seed, progress), seed)
    progress("calibrating the range")
    X_held, y_held = calibration
    columns = point.columns(X_held)
    scores = np.abs(y_held - point.combine(columns)) / expected_error(scale, columns)
    return RangedModel(point, scale, Calibration.of(scores=scores, prices=y_held, training_prices=y))


def held_out_errors(
    family: str, X: np.ndarray, y: np.ndarray, seed: int, progress: Callable[[str], None]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Columns and absolute errors of each fold's rows, by a model fitted on the other folds."""
    splits = [*KFold(SCALE_FOLDS, shuffle=True, random_state=seed).split(X)]
    if family in BLOCK_AWARE:
        blocks = GroupKFold(SCALE_FOLDS, shuffle=True, random_state=seed)
        splits += blocks.split(X, groups=cells(X, SCALE_BLOCKS))
    for number, (seen, unseen) in enumerate(splits, 1):
        progress(f"measuring errors, fold {number} of {len(splits)}")
        model = FITS[family](X[seen], y[seen], seed)
        columns = model.columns(X[unseen])
        yield columns, np.abs(y[unseen] - model.combine(columns))


def fit_scale(errors: Iterator[tuple[np.ndarray, np.ndarray]], seed: int) -> TrainedHead:
    """The head that predicts the log of the absolute error from the columns."""
    columns, error = (np.concatenate(part) for part in zip(*errors, strict=True))
    regressor = boosted_trees(
        columns.shape[1],
        monotone=False,
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=15,
        min_samples_leaf=60,
        l2_regularization=3.0,
        max_features=0.5,
        random_state=seed,
    )
    return TrainedHead(regressor.fit(columns, np.log(np.maximum(error, SMALLEST_ERROR))), columns.shape[1])
