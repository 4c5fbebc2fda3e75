"""How each family is fitted, and how its range is calibrated. Needs the training requirements."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mlmodel.features import geography
from mlmodel.pipeline.families import Geography, Linear, PriceModel
from mlmodel.pipeline.fitting_gated import fit_gated
from mlmodel.pipeline.heads import TrainedHead
from mlmodel.pipeline.ranges import Calibration, RangedModel, conformal_quantile, expected_error
from mlmodel.pipeline.trees import boosted_trees

Fit = Callable[[np.ndarray, np.ndarray, int], PriceModel]
"""(n, 8) features, (n,) prices, seed -> a fitted model whose heads are `TrainedHead`s."""


def fit_linear(X: np.ndarray, y: np.ndarray, seed: int) -> Linear:
    regressor = make_pipeline(StandardScaler(), LinearRegression())
    return Linear({"price": TrainedHead(regressor.fit(X.astype(np.float32), y), X.shape[1])}, {})


def fit_geography(X: np.ndarray, y: np.ndarray, seed: int) -> Geography:
    columns = geography(X)
    regressor = boosted_trees(
        columns.shape[1],
        learning_rate=0.0672,
        max_iter=729,
        max_leaf_nodes=31,
        min_samples_leaf=30,
        l2_regularization=2.57,
        max_features=0.3,
        random_state=seed,
    )
    return Geography({"price": TrainedHead(regressor.fit(columns, y), columns.shape[1])}, {})


FITS: Mapping[str, Fit] = {"linear": fit_linear, "geography": fit_geography, "gated": fit_gated}

SCALE_FOLDS = 5
SMALLEST_ERROR = 0.01  # $1,000: keeps the log of a lucky residual from steering the scale


def fit_ranged(
    fit: Fit,
    training: tuple[np.ndarray, np.ndarray],
    calibration: tuple[np.ndarray, np.ndarray],
    seed: int,
    progress: Callable[[str], None] = lambda step: None,
) -> RangedModel:
    """Fit a model on `training` and calibrate its range on `calibration`, rows it has not seen; both (X, y)."""
    X, y = training
    progress("fitting the price")
    point = fit(X, y, seed)
    scale = fit_scale(held_out_errors(fit, X, y, seed, progress), seed)
    progress("calibrating the range")
    X_held, y_held = calibration
    columns = point.columns(X_held)
    scores = np.abs(y_held - point.combine(columns)) / expected_error(scale, columns)
    quantile = conformal_quantile(scores)
    return RangedModel(point, scale, Calibration(quantile, lowest=float(y.min()), highest=float(y.max())))


def held_out_errors(
    fit: Fit, X: np.ndarray, y: np.ndarray, seed: int, progress: Callable[[str], None]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Columns and absolute errors of each fold's rows, by a model fitted on the other folds."""
    for number, (seen, unseen) in enumerate(KFold(SCALE_FOLDS, shuffle=True, random_state=seed).split(X), 1):
        progress(f"measuring errors, fold {number} of {SCALE_FOLDS}")
        model = fit(X[seen], y[seen], seed)
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
