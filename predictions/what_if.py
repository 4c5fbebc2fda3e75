"""The price of an answered question while one of its inputs moves: a curve with its range."""

from dataclasses import dataclass

import numpy as np

from mlmodel.artefact import ArtefactError
from mlmodel.curves import curve
from mlmodel.features import matrix
from mlmodel.prices import DOLLARS, TOP_DOLLARS, in_dollars
from predictions.inputs import Input, inputs
from predictions.models import Prediction
from predictions.units import Units

_POINTS = 49


@dataclass(frozen=True)
class Curve:
    """Outlines in per cent of the plot, x to the right and y downwards; prices in whole dollars of 1990."""

    box: Input
    line: str
    band: str
    here_x: float
    here_y: float
    first_price: int
    last_price: int


def box_of(feature: str, units: Units) -> Input | None:
    """The input that a slider moves, by its canonical name."""
    return next((box for box in inputs(units) if box.slider and box.field.name == feature), None)


def curve_of(prediction: Prediction, feature: str, units: Units) -> Curve | None:
    """The curve over the slider of `feature`; None without an answer, its model, or such a slider."""
    box = box_of(feature, units)
    if box is None or box.slider is None or prediction.status != Prediction.Status.ANSWERED:
        return None
    shares = np.linspace(0, 1, _POINTS)
    values = np.array([box.asked(box.slider.value(share)) for share in shares])
    try:
        estimate = curve(
            model=prediction.model_id,
            sha256=prediction.model_sha256,
            x=matrix([prediction.features])[0],
            feature=feature,
            values=values,
        )
    except ArtefactError:
        return None
    price, low, high = (_heights(amounts) for amounts in (estimate.price, estimate.low, estimate.high))
    return Curve(
        box=box,
        line=_points(100 * shares, price),
        band=" ".join((_points(100 * shares, low), _points(100 * shares[::-1], high[::-1]))),
        here_x=box.slider.percent(box.shown(prediction.features[feature])),
        here_y=round(float(_heights(np.array([(prediction.price or 0) / DOLLARS]))[0]), 2),
        first_price=in_dollars(float(estimate.price[0])),
        last_price=in_dollars(float(estimate.price[-1])),
    )


def _heights(prices: np.ndarray) -> np.ndarray:
    return 100 * (1 - np.clip(prices * DOLLARS / TOP_DOLLARS, 0, 1))


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return " ".join(f"{left:.2f},{down:.2f}" for left, down in zip(x, y, strict=True))
