"""Batches, traps and restarts of one partition; time stands still unless a test moves it."""

from dataclasses import dataclass, field

import pytest

from streaming.transform_host.guest import Guest
from streaming.transform_host.lanes import Lane, RestartDelay
from streaming.transform_host.modules import TransformModule
from tests.streaming.transform_host.guests import DEPLOYMENT, ECHO, TRAP_ON_MARK, module


@dataclass
class KafkaMessage:
    """What a lane asks a message of Kafka."""

    record_key: bytes
    at: int
    record_value: bytes = b"{}"
    header_list: list = field(default_factory=list)

    def key(self) -> bytes:
        return self.record_key

    def value(self) -> bytes:
        return self.record_value

    def headers(self) -> list:
        return self.header_list

    def timestamp(self) -> tuple[int, int]:
        return 1, 1000

    def offset(self) -> int:
        return self.at


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_lane(clock: Clock, running: TransformModule, *keys: bytes) -> Lane:
    lane = Lane("echo", lambda: Guest(DEPLOYMENT, running), restart_delay=RestartDelay(), clock=clock)
    for at, key in enumerate(keys):
        lane.add(KafkaMessage(key, at))
    return lane


def keys_of(step) -> list[bytes]:
    return [output.record.key for output in step.outputs]


def test_records_stay_until_what_came_of_them_is_acknowledged(clock: Clock):
    lane = make_lane(clock, module(), b"a", b"b")
    for _ in range(2):
        assert keys_of(lane.step()) == [b"a", b"b"]
    assert lane.confirm(2) == 2
    assert lane.step().done == 0


def test_after_a_trap_the_guest_starts_again_from_the_same_record_a_second_later(clock: Clock):
    lane = make_lane(clock, module(ECHO + TRAP_ON_MARK), b"a", b"!", b"b")
    step = lane.step()
    assert (step.done, keys_of(step)) == (1, [b"a"])
    assert lane.confirm(1) == 1
    assert not lane.is_due
    clock.now += 0.9
    assert lane.step().done == 0
    clock.now += 0.2
    assert lane.is_due
    step = lane.step()
    assert (step.done, step.poison) == (0, None)


def test_the_third_trap_on_one_record_gives_it_up_and_the_next_goes_through(clock: Clock):
    lane = make_lane(clock, module(TRAP_ON_MARK + ECHO), b"!", b"b")
    for _ in range(2):
        assert lane.step().done == 0
        clock.now += 30
    step = lane.step()
    assert (step.done, step.poison.key(), step.reason) == (
        1,
        b"!",
        "wasm trap: wasm `unreachable` instruction executed",
    )
    assert lane.confirm(1) == 1
    clock.now += 30
    assert keys_of(lane.step()) == [b"b"]


def test_traps_on_different_records_are_counted_apart(clock: Clock):
    lane = make_lane(clock, module(TRAP_ON_MARK + ECHO), b"!", b"!")
    given_up = 0
    for _ in range(6):
        step = lane.step()
        if step.poison is not None:
            lane.confirm(step.done)
            given_up += 1
        clock.now += 30
    assert (given_up, len(lane)) == (2, 0)


def test_a_record_that_kills_the_guest_before_it_is_taken_is_found_one_by_one(clock: Clock):
    # The guest's buffer is too small for the big one, and the first read of its batch tells nothing.
    lane = make_lane(clock, module(), b"a", b"b")
    lane.add(KafkaMessage(b"big", 2, bytes(900_000)))
    lane.add(KafkaMessage(b"c", 3))
    through, poison = [], []
    for _ in range(10):
        step = lane.step()
        through += keys_of(step)
        poison += [step.poison.key()] if step.poison else []
        if step.done:
            lane.confirm(step.done)
        clock.now += 30
    assert (through, poison) == ([b"a", b"b", b"c"], [b"big"])


def test_a_guest_that_can_not_start_is_tried_again_and_no_record_is_blamed(clock: Clock):
    lane = make_lane(clock, module(start="unreachable"), b"a")
    for _ in range(5):
        assert lane.step().done == 0
        assert not lane.is_due
        clock.now += 30
    assert len(lane) == 1


def test_the_delay_doubles_to_half_a_minute_and_starts_again_after_a_good_run():
    delay = RestartDelay()
    assert [delay.after(0.0) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert delay.after(10.0) == 1
    assert delay.after(9.9) == 2
