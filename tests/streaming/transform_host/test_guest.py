"""What a guest may do, and what becomes of it when it does what it may not."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from streaming.topics import Topic
from streaming.transform_host.guest import Guest, Trapped
from streaming.transform_host.records import Record
from tests.streaming.transform_host.guests import (
    DEPLOYMENT,
    ECHO,
    IS_MARKED,
    OPTIONS_TO,
    TRAP_ON_MARK,
    guest,
    module,
    records,
)


def written(outputs) -> list[tuple[str, bytes]]:
    return [(output.topic, output.record.key) for output in outputs]


def test_records_come_out_as_they_went_in_batch_after_batch():
    echo = guest()
    given = [Record(None, None), Record(b"", b"", [(b"h", None), (None, b"")]), Record(b"k", b"v" * 100_000)]
    for _ in range(3):
        assert [output.record for output in echo.transform(given)] == given


def test_several_records_may_be_written_for_one_or_none():
    assert len(guest(ECHO + ECHO).transform(records(b"a", b"b"))) == 4
    assert guest("").transform(records(b"a", b"b")) == []


def test_a_record_goes_to_the_topic_that_the_guest_names():
    topic = str(Topic.DEAD_LETTERS)
    data = OPTIONS_TO.format(size=f"\\{len(topic) * 2:02x}", topic=topic)
    write = f"(drop (call $write_to (i32.const 1024) (global.get $size) (i32.const 200) (i32.const {len(topic) + 2})))"
    assert written(guest(write, functions=data).transform(records(b"a"))) == [(topic, b"a")]


@pytest.mark.parametrize(
    ("write", "functions", "answer"),
    [
        ("$write_to (i32.const 1024) (global.get $size) (i32.const 200) (i32.const 7)", "\\01\\0aother", -3),
        ("$write_to (i32.const 1024) (global.get $size) (i32.const 200) (i32.const 7)", "\\02\\0aother", -2),
        ("$write_to (i32.const 1024) (global.get $size) (i32.const 200) (i32.const 8)", "\\01\\0aother!", -2),
        ("$write (i32.const 1024) (i32.sub (global.get $size) (i32.const 1))", "", -2),
    ],
)
def test_a_write_that_redpanda_refuses_is_refused_and_nothing_goes_out(write: str, functions: str, answer: int):
    check = f"(if (i32.ne (call {write}) (i32.const {answer})) (then unreachable))"
    assert guest(check, functions=f'(data (i32.const 200) "{functions}")').transform(records(b"a")) == []


def test_a_record_larger_than_the_guests_buffer_is_not_taken():
    with pytest.raises(Trapped) as trapped:
        guest().transform([Record(b"k", b"v"), Record(b"k", bytes(900_000))])
    assert (trapped.value.completed, len(trapped.value.outputs)) == (0, 0)


def test_there_is_no_record_after_the_last():
    check = """(if (i32.ne (i32.const -1)
          (call $next (i32.const 80) (i32.const 88) (i32.const 96) (i32.const 1024) (i32.const 9000)))
        (then unreachable))"""
    assert guest(check).transform(records(b"a")) == []


def test_offset_and_time_of_a_record_reach_the_guest():
    check = """(if (i32.or (i64.ne (i64.load (i32.const 88)) (i64.const 1234))
                       (i64.ne (i64.load (i32.const 96)) (i64.const 56)))
        (then unreachable))"""
    assert guest(check).transform([Record(b"k", b"v", [], 1234, 56)]) == []


def test_a_trap_tells_what_was_completed_before_it():
    dying = guest(ECHO + TRAP_ON_MARK)
    with pytest.raises(Trapped, match="unreachable") as trapped:
        dying.transform(records(b"a", b"b", b"!", b"c"))
    assert trapped.value.completed == 2
    assert written(trapped.value.outputs) == [(Topic.FEATURES, b"a"), (Topic.FEATURES, b"b")]
    with pytest.raises(Trapped, match="dead"):
        dying.transform(records(b"a"))


def test_a_guest_that_loops_for_ever_runs_out_of_fuel():
    started = time.monotonic()
    with pytest.raises(Trapped, match="fuel"):
        guest("(loop $ever (br $ever))").transform(records(b"a"))
    assert time.monotonic() - started < 60


def test_each_record_has_its_own_fuel(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streaming.transform_host.guest.FUEL", 100_000)
    work = """(func $work (local $i i32)
      (loop $again
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const {n})))))"""
    call, functions = "(call $work)", work.format(n=8000)
    assert guest(call, functions=functions).transform(records(*[b"a"] * 20)) == []
    functions = work.format(n=30_000)
    with pytest.raises(Trapped, match="fuel"):
        guest(call, functions=functions).transform(records(b"a"))


def test_memory_grows_to_two_mebibytes_and_no_further():
    grow_to = "(if (i32.ne (memory.grow (i32.const {pages})) (i32.const {answer})) (then unreachable))"
    assert guest(grow_to.format(pages=16, answer=16)).transform(records(b"a")) == []
    assert guest(grow_to.format(pages=17, answer=-1)).transform(records(b"a")) == []


def test_deep_recursion_overflows_the_stack_of_the_guest_only():
    functions = """(func $deep (param i64 i64 i64)
      (call $deep (local.get 0) (local.get 1) (local.get 2)) (call $check))"""
    call = "(call $deep (i64.const 0) (i64.const 0) (i64.const 0))"
    with pytest.raises(Trapped, match="stack"):
        guest(call, functions=functions).transform(records(b"a"))
    assert guest().transform(records(b"a"))


@pytest.mark.parametrize("pointer", ["(i32.const 1048570)", "(i32.const -8)", "(i32.const -2147483648)"])
def test_a_pointer_outside_the_memory_traps(pointer: str):
    with pytest.raises(Trapped, match="OutOfBounds"):
        guest(f"(drop (call $write {pointer} (i32.const 16)))").transform(records(b"a"))


def test_a_guest_that_dies_while_starting_or_returns_never_runs():
    for start, reason in (("unreachable", "unreachable"), ("(return)", "returned")):
        with pytest.raises(Trapped, match=reason):
            guest(start=start)


def test_an_import_that_the_host_does_not_have_stops_the_start():
    with pytest.raises(Trapped, match="unknown import"):
        guest(imports='(import "redpanda_transform" "read_the_mind" (func))')


def test_guests_on_several_threads_keep_their_own_faults():
    shared = module(ECHO + f"(if {IS_MARKED} (then (drop (call $write (i32.const -8) (i32.const 16)))))")

    def run(key: bytes) -> str:
        running = Guest(DEPLOYMENT, shared)
        try:
            for _ in range(50):
                running.transform(records(key))
        except Trapped as trapped:
            return str(trapped)
        finally:
            running.stop()
        return "fine"

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(run, [b"a", b"!"] * 8))
    assert results[::2] == ["fine"] * 8
    assert all("OutOfBounds" in result for result in results[1::2])
