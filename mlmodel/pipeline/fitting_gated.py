"""How the gated family is fitted. Needs the training requirements."""

import lightgbm
import numpy as np
from sklearn.model_selection import GroupKFold, KFold

from mlmodel.features import AVE_BEDRMS, AVE_OCCUP, AVE_ROOMS, geography, log_households, places
from mlmodel.pipeline.families import Gated
from mlmodel.pipeline.heads import TrainedHead
from mlmodel.pipeline.neighbours import PricedGroups
from mlmodel.pipeline.trees import boosted_trees, geography_trees
from mlmodel.splits import Layout, cells

EXCLUSION = Layout(0.5, 0.185, 0.305)
"""Blocks whose own prices the far comparables do not see."""
FAR_WEIGHT = 0.3


def fit_gated(X: np.ndarray, y: np.ndarray, seed: int) -> Gated:
    explained = price_without_place(X, y)
    groups = PricedGroups(X, y, y - explained)
    location = geography(X)
    trees = geography_trees(location.shape[1], seed, rounds=450)
    near = np.hstack([location, groups.comparables(X, groups.nearest(places(X), own=np.arange(len(X))))])
    far = np.hstack([location, far_comparables(X, y, explained)])
    root = np.sqrt(y)
    heads = {
        "prices": boosted_rounds(seed, near, y),
        "roots": boosted_rounds(
            seed + 100,
            np.vstack([near, far]),
            np.concatenate([root, root]),
            np.concatenate([np.ones(len(y)), np.full(len(y), FAR_WEIGHT)]),
        ),
        "geography": TrainedHead(trees.fit(location, y), location.shape[1]),
    }
    return Gated(heads, {"groups": X, "group_prices": y, "group_premiums": y - explained})


def price_without_place(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,) out-of-fold prices from the nine columns that know nothing of the place: no row's price explains itself."""
    columns = np.column_stack(
        [X[:, :6], X[:, AVE_BEDRMS] / X[:, AVE_ROOMS], X[:, AVE_ROOMS] / X[:, AVE_OCCUP], log_households(X)]
    ).astype(np.float32)
    explained = np.empty(len(y))
    for seen, unseen in KFold(10, shuffle=True, random_state=7).split(columns):
        trees = boosted_trees(
            columns.shape[1],
            learning_rate=0.06,
            max_iter=150,
            max_leaf_nodes=15,
            min_samples_leaf=40,
            l2_regularization=3.0,
            random_state=0,
        )
        explained[unseen] = trees.fit(columns[seen], y[seen]).predict(columns[unseen])
    return explained


def far_comparables(X: np.ndarray, y: np.ndarray, explained: np.ndarray) -> np.ndarray:
    """(n, 32) comparables columns of every row, from groups in other blocks only."""
    columns = np.empty((len(X), Gated.TREES - Gated.GEOGRAPHY), np.float32)
    folds = GroupKFold(5, shuffle=True, random_state=11)
    for seen, unseen in folds.split(X, groups=cells(X, EXCLUSION)):
        groups = PricedGroups(X[seen], y[seen], (y - explained)[seen])
        columns[unseen] = groups.comparables(X[unseen], groups.nearest(places(X[unseen])))
    return columns


def boosted_rounds(seed: int, columns: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> TrainedHead:
    """LightGBM, increasing in the first column (the income)."""
    regressor = lightgbm.LGBMRegressor(
        n_estimators=600,
        learning_rate=0.05,
        num_leaves=31,
        max_depth=8,
        colsample_bytree=0.35,
        reg_lambda=3,
        min_child_weight=10,
        subsample=0.7,
        subsample_freq=1,
        monotone_constraints=[1] + [0] * (columns.shape[1] - 1),
        random_state=seed,
        n_jobs=1,
        verbose=-1,
    )
    return TrainedHead(regressor.fit(columns, target, sample_weight=weight), columns.shape[1])
