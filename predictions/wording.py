"""What the page says in words."""

from dataclasses import dataclass

from predictions.inputs import INPUTS, grouped
from predictions.location import SPARSE
from predictions.models import Prediction
from predictions.services import LATE

FLAG_WORDS = {
    **{
        f"unusual_{box.field.name}": f"{box.label}: unusual, few block groups lie outside {grouped(box.soft.min)} to"
        f" {grouped(box.soft.max)}."
        for box in INPUTS
        if box.soft
    },
    SPARSE: "Few block groups with a known price are near, so this is less certain.",
    "capped": "The census stopped counting at $500,001, so it may be worth more.",
    LATE: "The answer came late, after you had been told that there was none yet.",
}
STATUS_WORDS = {
    Prediction.Status.ACCEPTED: "Waiting for the answer",
    Prediction.Status.PUBLISHED: "Waiting for the answer",
    Prediction.Status.ANSWERED: "Estimated median value",
    Prediction.Status.REJECTED: "This can't be priced",
    Prediction.Status.FAILED: "No answer in time",
}


def describe_flag(flag: str) -> str:
    """A flag as a sentence; one that a newer stage invented stays as it is."""
    return FLAG_WORDS.get(flag, flag)


# -- how it travelled ------------------------------------------------------------------------------------------------
_STEPS = {
    "accepted": "stored",
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
    """The way from stage to stage. Clocks of different machines may disagree: no step takes less than nothing."""
    times = [(words, stages[stage]) for stage, words in _STEPS.items() if stage in stages]
    if len(times) < 2:
        return []
    start = reached = times[0][1]
    ends = [(words, reached := max(reached, time)) for words, time in times[1:]]
    whole = max(reached - start, 1)
    steps, reached = [], start
    for words, end in ends:
        steps.append(
            Step(
                words=words,
                began_ms=reached - start,
                took_ms=end - reached,
                began_percent=round(100 * (reached - start) / whole, 2),
                took_percent=round(100 * (end - reached) / whole, 2),
            )
        )
        reached = end
    return steps
