"""How long a prediction took from stage to stage, out of the times at which it left each."""

from typing import NamedTuple

STAGES = ("accepted", "published", "prepared", "enqueued", "scored", "formatted", "stored")
"""The stages in the order in which a prediction leaves them."""


class Stretch(NamedTuple):
    """The way to `stage` from the stage before; milliseconds, `began_ms` since the first."""

    stage: str
    began_ms: int
    took_ms: int


def stretches(stages: dict[str, int]) -> list[Stretch]:
    """The way in stretches without a gap, of stage -> epoch milliseconds at which it was left.

    The stretches add up to the whole, from the first stage to the last. Clocks of different machines may disagree about
    what lies between: no stretch takes less than nothing, and none ends after the whole.
    """
    times = [(stage, stages[stage]) for stage in STAGES if stage in stages]
    if len(times) < 2:
        return []
    start, end = times[0][1], times[-1][1]
    found, reached = [], start
    for stage, time in times[1:]:
        until = max(reached, min(time, end))
        found.append(Stretch(stage, began_ms=reached - start, took_ms=until - reached))
        reached = until
    return found
