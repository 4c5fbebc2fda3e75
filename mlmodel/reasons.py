"""Why a price is what it is: exact Shapley contributions of seven plain inputs against the median block group.

The value of a coalition is the model's price of a house that takes the inputs in it from the question and the others
from the reference (baseline Shapley: Sundararajan and Najmi, "The many Shapley values for model explanation", 2020).
Seven players make 128 houses, so nothing is sampled and the contributions add up to the price exactly.
"""

from dataclasses import dataclass
from functools import cache
from math import factorial

import numpy as np

from mlmodel.artefact import load_version
from mlmodel.dataset import load_housing
from mlmodel.features import FEATURES, LATITUDE
from mlmodel.pipeline.families import PriceModel

PLAYERS = (*FEATURES[:LATITUDE], "location")
REFERENCE = "the median block group: every input at its median over the 20,640 block groups of the data"


@dataclass(frozen=True)
class Reasons:
    """`price` = `reference_price` + the sum of `contributions` (by player, in the order of PLAYERS); $100,000."""

    price: float
    reference_price: float
    contributions: dict[str, float]


def explain(*, model: str, sha256: str, x: np.ndarray) -> Reasons:
    """The reasons for what the model of that name and sha256 says of `x`, (8,) float64 features.

    Raises ArtefactError when that model's files are no longer there.
    """
    return contributions(load_version(model, sha256).model.point, x)


def contributions(model: PriceModel, x: np.ndarray) -> Reasons:
    """Exact Shapley contributions of the seven players to the price of `x`, (8,) float64 features."""
    coalitions = _coalitions()
    taken = np.column_stack([coalitions, coalitions[:, -1]])
    prices = model.price(np.where(taken, x, reference()))
    shares = _weights() @ prices
    return Reasons(float(prices[-1]), float(prices[0]), dict(zip(PLAYERS, shares.tolist(), strict=True)))


@cache
def reference() -> np.ndarray:
    """(8,) float64 features of the median block group."""
    return np.median(load_housing().X, axis=0)


@cache
def _coalitions() -> np.ndarray:
    """(128, 7) bool; row number r holds the players whose bits are set in r, so none first and all last."""
    numbers = np.arange(2 ** len(PLAYERS))
    return (numbers[:, None] >> np.arange(len(PLAYERS)) & 1).astype(bool)


@cache
def _weights() -> np.ndarray:
    """(7, 128): what each coalition's price counts toward each player's contribution."""
    coalitions, players = _coalitions(), len(PLAYERS)
    size = coalitions.sum(axis=1)
    orders = [factorial(k) * factorial(players - k - 1) / factorial(players) for k in range(players)]
    joining = np.array([0.0, *orders])[size]
    staying = np.array([*orders, 0.0])[size]
    return np.where(coalitions, joining[:, None], -staying[:, None]).T
