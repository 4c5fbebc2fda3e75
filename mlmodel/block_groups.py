"""The block groups of the data by place: for people who ask about one that exists."""

from dataclasses import dataclass

import numpy as np

from mlmodel.dataset import load_housing
from mlmodel.features import FEATURES, kilometres, places


@dataclass(frozen=True)
class BlockGroup:
    """`row` of the data file, its median house value in $100,000 of 1990, `km` from the place that was asked for."""

    row: int
    price: float
    km: float
    features: dict[str, float]


def nearest_block_group(*, latitude: float, longitude: float) -> BlockGroup:
    """The block group of the data nearest to a place in degrees; of several at one place the first of the file."""
    housing = load_housing()
    here = kilometres(np.array([latitude]), np.array([longitude]))
    km = np.linalg.norm(places(housing.X) - here, axis=1)
    row = int(km.argmin())
    return BlockGroup(
        row=row,
        price=float(housing.y[row]),
        km=float(km[row]),
        features=dict(zip(FEATURES, housing.X[row].tolist(), strict=True)),
    )
