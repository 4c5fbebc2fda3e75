"""The splits every figure is measured on. All return row numbers of the data file, int64, and are fixed for ever."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, train_test_split

from mlmodel.features import LATITUDE, LONGITUDE

ROWS = 20_640


class Rtdl(NamedTuple):
    """13,209 / 3,303 / 4,128 rows."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


class Layout(NamedTuple):
    """A grid of blocks: side of a block and offset of the grid, in degrees."""

    side: float
    north: float
    east: float


SPATIAL = Layout(0.5, 0.0, 0.0)
LAYOUTS = (
    SPATIAL,
    Layout(0.5, 0.25, 0.25),
    Layout(0.5, 0.10, 0.40),
    Layout(0.4, 0.0, 0.0),
    Layout(0.6, 0.30, 0.10),
)
"""The five layouts whose mean is a bar; the first is the one most often quoted."""
HELD_BACK = Layout(0.5, 0.40, 0.15)
"""Written down before any model was run on it, and never used to choose one."""


def rtdl() -> Rtdl:
    """The split of Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data" (2021) and its successors."""
    known, test = train_test_split(np.arange(ROWS), test_size=0.2, random_state=0)
    train, validation = train_test_split(known, test_size=0.2, random_state=1)
    return Rtdl(train, validation, test)


def folds() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Five random folds: (training rows, test rows)."""
    return KFold(5, shuffle=True, random_state=42).split(np.arange(ROWS))


def cells(X: np.ndarray, layout: Layout) -> np.ndarray:
    """(n, 8) features -> (n,) int64, the number of the block each row lies in."""
    row = np.floor((X[:, LATITUDE] + layout.north) / layout.side).astype(np.int64)
    column = np.floor((X[:, LONGITUDE] + layout.east) / layout.side).astype(np.int64)
    return row * 1000 + column


def block_folds(X: np.ndarray, layout: Layout = SPATIAL) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Five folds of whole blocks (training rows, test rows): no test row has a neighbour of its block in training."""
    return GroupKFold(5).split(X, groups=cells(X, layout))
