"""The way of a prediction in stretches, which add up to the whole whatever the clocks say."""

from hypothesis import given
from hypothesis import strategies as some

from predictions.stages import STAGES, stretches

# Clocks of different machines, of which one may be an hour off.
times = some.integers(1_700_000_000_000, 1_700_007_200_000)


@given(some.dictionaries(some.sampled_from(STAGES), times, min_size=2))
def test_the_stretches_add_up_to_the_whole_without_a_gap(stages: dict[str, int]):
    way = stretches(stages)
    left = [stages[stage] for stage in STAGES if stage in stages]
    assert sum(stretch.took_ms for stretch in way) == max(0, left[-1] - left[0])
    assert all(stretch.took_ms >= 0 for stretch in way)
    reached = 0
    for stretch in way:
        assert stretch.began_ms == reached
        reached += stretch.took_ms


@given(some.dictionaries(some.sampled_from(STAGES), times, max_size=1))
def test_a_single_moment_is_no_way(stages: dict[str, int]):
    assert stretches(stages) == []


def test_one_clock_that_is_an_hour_ahead_makes_no_stretch_longer_than_the_whole():
    stages = {"accepted": 1_000, "published": 1_010, "scored": 3_601_020, "formatted": 1_030, "stored": 1_040}
    assert [stretch.took_ms for stretch in stretches(stages)] == [10, 30, 0, 0]
