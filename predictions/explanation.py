"""Why an answer is what it is, and the block groups most like the question: worked out when somebody looks."""

from dataclasses import dataclass
from itertools import pairwise

from mlmodel.artefact import ArtefactError
from mlmodel.comparables import Comparable, comparables
from mlmodel.features import KM_PER_DEGREE, matrix
from mlmodel.prices import in_dollars
from mlmodel.reasons import Reasons, explain, reference
from predictions.inputs import grouped, inputs
from predictions.models import Prediction
from predictions.projection import UNITS_PER_LATITUDE, map_x, map_y
from predictions.units import Units

LOCATION = "location"
_WIDTH = 98.5  # Per cent; the rest is the width of the thinnest bar.
_LEAST_REACH = 5.0  # Units of the map, about 6 km.


class NoReasons(Exception):
    """There is no answer to explain, or the model that gave it is gone; the text says which."""


@dataclass(frozen=True)
class Contribution:
    """What one input adds to the estimate, in whole dollars; `began` and `ended` are the sums before and after it."""

    player: str
    began: int
    ended: int

    @property
    def dollars(self) -> int:
        return self.ended - self.began


@dataclass(frozen=True)
class Explanation:
    """Whole dollars of 1990; `reference_price` and the contributions, largest first, add up to `price` exactly."""

    price: int
    reference_price: int
    contributions: list[Contribution]


def explanation_of(prediction: Prediction) -> Explanation:
    """The reasons of the model that answered.

    Raises:
        NoReasons: not answered, or that model is no longer here.
    """
    if prediction.status != Prediction.Status.ANSWERED:
        raise NoReasons("there is no answer to explain yet")
    try:
        reasons = explain(model=prediction.model_id, sha256=prediction.model_sha256, x=matrix([prediction.features])[0])
    except ArtefactError as error:
        raise NoReasons("the model that answered is no longer here, so its reasons can't be told") from error
    return _explained(reasons)


def _explained(reasons: Reasons) -> Explanation:
    """Rounded as running sums, so that the parts in whole dollars still add up."""
    by_size = sorted(reasons.contributions.items(), key=lambda part: -abs(part[1]))
    sums = [reasons.reference_price]
    for _, amount in by_size:
        sums.append(sums[-1] + amount)
    ends = pairwise(map(in_dollars, sums))
    return Explanation(
        price=in_dollars(sums[-1]),
        reference_price=in_dollars(sums[0]),
        contributions=[
            Contribution(player, began, ended) for (player, _), (began, ended) in zip(by_size, ends, strict=True)
        ],
    )


# -- shown on pages --------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Bar:
    """A line of the plot: its dollars as they are shown, where it begins and how wide it is in per cent of the plot."""

    label: str
    values: str
    dollars: int
    begin_percent: float
    width_percent: float
    kind: str


def bars(explanation: Explanation, features: dict[str, float], units: Units) -> list[Bar]:
    """The waterfall plot: the median block group, what each input adds or takes, the estimate.

    The two prices are marks, not bars: the plot begins at the lowest sum, not at nothing.
    """
    parts = explanation.contributions
    amounts = [explanation.reference_price, explanation.price, *(part.ended for part in parts)]
    low, high = min(amounts), max(amounts)

    def bar(label: str, values: str, dollars: int, ends: tuple[int, int], kind: str) -> Bar:
        begin, end = (_WIDTH * (amount - low) / max(high - low, 1) for amount in sorted(ends))
        return Bar(label, values, dollars, round(begin, 2), round(max(end - begin, 100 - _WIDTH), 2), kind)

    def mark(label: str, price: int) -> Bar:
        return bar(label, "", units.dollars(price), (price, price), "whole")

    def step(part: Contribution) -> Bar:
        # Of the sums as they are shown, so that the parts add up in any dollars.
        shown = units.dollars(part.ended) - units.dollars(part.began)
        return bar(*_words(part.player, features, units), shown, (part.began, part.ended), _kind(part))

    return [
        mark("The median block group", explanation.reference_price),
        *map(step, parts),
        mark("This estimate", explanation.price),
    ]


def _kind(part: Contribution) -> str:
    return "more" if part.dollars >= 0 else "less"


def _words(player: str, features: dict[str, float], units: Units) -> tuple[str, str]:
    """An input's label, and its value against the reference's."""
    if player == LOCATION:
        return "Location", f"{features['latitude']:.2f}, {features['longitude']:.2f}"
    boxes = {box.field.name: box for box in inputs(units)}
    usual = dict(zip(boxes, reference().tolist(), strict=True))
    box = boxes[player]
    return box.label, f"{_short(box.shown(features[player]))} against {_short(box.shown(usual[player]))}"


def _short(value: float) -> str:
    return grouped(round(value, 2 if value < 100 else 0))


# -- alike -----------------------------------------------------------------------------------------------------------
def alike(prediction: Prediction) -> list[dict]:
    """The five block groups of the census most like the question, as JSON-ready values; prices in whole dollars."""
    return [_shown(found) for found in comparables(matrix([prediction.features])[0])]


def _shown(found: Comparable) -> dict:
    return {
        "price": in_dollars(found.price),
        "km": round(found.km, 1),
        "similarity": round(found.similarity, 3),
        "features": found.features,
    }


def surroundings(features: dict[str, float], groups: list[dict]) -> dict[str, float]:
    """The part of the map that shows the place and its similar block groups: `viewBox` of an SVG, size of a dot."""
    x, y = map_x(features["longitude"]), map_y(features["latitude"])
    farthest = max(group["km"] for group in groups) / KM_PER_DEGREE * UNITS_PER_LATITUDE
    reach = max(_LEAST_REACH, 1.2 * farthest)
    return {
        "left": x - 3 * reach,
        "top": y - reach,
        "width": 6 * reach,
        "height": 2 * reach,
        "dot": reach / 10,
        "halo": reach / 4,
    }


def in_full(prediction: Prediction, units: Units) -> dict[str, object]:
    """What the templates show of an answered prediction: bars, or why there are none, and what is alike."""
    if prediction.status != Prediction.Status.ANSWERED:
        return {}
    plot: dict[str, object]
    try:
        plot = {"bars": bars(explanation_of(prediction), prediction.features, units)}
    except NoReasons as error:
        plot = {"no_reasons": str(error)}
    groups = alike(prediction)
    return {**plot, "alike": groups, "near": surroundings(prediction.features, groups)}
