"""What the page says in words."""

import math
from dataclasses import dataclass
from functools import cache

from mlmodel.support import HARD_KM
from predictions.answers import CORRECTED, LATE
from predictions.contract import FieldError
from predictions.inputs import grouped, inputs
from predictions.line import Place
from predictions.location import SPARSE, UNSUPPORTED
from predictions.models import Prediction
from predictions.stages import stretches
from predictions.units import Units

STATUS_WORDS = {
    Prediction.Status.ACCEPTED: "Waiting for the answer",
    Prediction.Status.PUBLISHED: "Waiting for the answer",
    Prediction.Status.ANSWERED: "Estimated median value",
    Prediction.Status.REJECTED: "This can't be priced",
    Prediction.Status.FAILED: "No answer in time",
}


def place_in_words(place: Place | None) -> str:
    """How long it takes and why; nothing where the answer is there in a moment, or nobody knows when."""
    if place is None or place.expected_seconds is None or place.expected_seconds <= 1:
        return ""
    return f"About {math.ceil(place.expected_seconds)} s to go, {place.ahead:,} questions ahead of yours"


@cache
def flag_words(units: Units) -> dict[str, str]:
    """Each flag as a sentence."""
    boxes = {box.field.name: box for box in inputs(units)}
    return {
        **{
            f"unusual_{name}": f"{box.label}: unusual, few block groups lie outside {grouped(box.soft.min)} to"
            f" {grouped(box.soft.max)}."
            for name, box in boxes.items()
            if box.soft
        },
        **{
            f"{name}_above_{whole}": f"{box.label}: more than {boxes[whole].label.lower()}, which no block group has;"
            " one of the two must be wrong."
            for name, box in boxes.items()
            if (whole := box.field.part_of)
        },
        SPARSE: "Few block groups with a known price are near, so this is less certain.",
        "capped": f"The census stopped counting at {units.top}, so it may be worth more.",
        LATE: "The answer came late, after you had been told that there was none yet.",
        CORRECTED: "An operator corrected the numbers that were asked; this price is for those that stand here now.",
    }


def describe_flag(flag: str, units: Units) -> str:
    """A flag as a sentence; one that a newer stage invented stays as it is."""
    return flag_words(units).get(flag, flag)


def too_far(units: Units) -> str:
    """Why a place can't be priced at all."""
    near = units.distance_in_words(HARD_KM)
    return f"No block group with a known price lies within {near} of this place, so it can't be priced."


def refusal(error: FieldError, units: Units) -> str:
    """What the door has against a question, as the page says it."""
    return too_far(units) if error.code == UNSUPPORTED else error.detail


# -- how it travelled ------------------------------------------------------------------------------------------------
_STEPS = {
    "published": "written to the log",
    "prepared": "checked and normalised",
    "enqueued": "batched for scoring",
    "scored": "scored",
    "formatted": "formatted",
    "stored": "answer stored",
}


@dataclass(frozen=True)
class Step:
    """A stretch of a prediction's way; milliseconds since it was accepted, and per cent of the whole way."""

    words: str
    began_ms: int
    took_ms: int
    began_percent: float
    took_percent: float


def waterfall(stages: dict[str, int]) -> list[Step]:
    """The way from stage to stage; its steps add up to the whole."""
    way = stretches(stages)
    whole = max(sum(stretch.took_ms for stretch in way), 1)
    return [
        Step(
            words=_STEPS[stretch.stage],
            began_ms=stretch.began_ms,
            took_ms=stretch.took_ms,
            began_percent=round(100 * stretch.began_ms / whole, 2),
            took_percent=round(100 * stretch.took_ms / whole, 2),
        )
        for stretch in way
    ]
