"""How far a place lies from the block groups the models know. Light: no model is loaded, no Django imported."""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from mlmodel.features import kilometres, places

BLOCK_GROUPS_FILE = Path(__file__).parent / "data" / "block_groups.npy"

SOFT_KM = 16.0
"""Farther than this from every known block group: answered, flagged as unusual."""
HARD_KM = 40.0
"""Farther than this: rejected. The coordinate box alone would admit Las Vegas and the Pacific."""


def distinct_places(X: np.ndarray) -> np.ndarray:
    """(n, 8) features of the data -> (m, 2) int16, the distinct latitudes and longitudes in hundredths of a degree."""
    return np.unique(np.rint(X[:, 6:8] * 100).astype(np.int16), axis=0)


@cache
def _tree() -> cKDTree:
    latitude, longitude = np.load(BLOCK_GROUPS_FILE, allow_pickle=False).T / 100
    return cKDTree(kilometres(latitude, longitude))


def nearest_km(X: np.ndarray) -> np.ndarray:
    """(n, 8) features -> (n,) float64, km to the nearest block group of the data."""
    distance, _ = _tree().query(places(np.asarray(X, dtype=np.float64)))
    return distance
