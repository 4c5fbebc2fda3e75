"""What a guest learns of the world: the record's time, its environment, and that there is nothing else."""

import logging

import pytest

from streaming.transform_host.guest import Trapped
from streaming.transform_host.records import Record
from tests.streaming.transform_host.guests import guest

WASI = '(import "wasi_snapshot_preview1" "{name}" (func ${name} (param {parameters}) {result}))'


def imported(name: str, parameters: str, result: str = "(result i32)") -> str:
    return WASI.format(name=name, parameters=parameters, result=result)


def must(condition: str) -> str:
    return f"(if (i32.eqz {condition}) (then unreachable))"


def accepts(record: str, imports: str) -> bool:
    """Whether a guest that insists on `record` survives one of timestamp 1234 ms."""
    return guest(record, imports=imports).transform([Record(b"k", b"v", [], 1234, 0)]) == []


def test_the_wall_clock_is_the_records_time_and_the_other_ticks_a_millisecond_per_look():
    imports = imported("clock_time_get", "i32 i64 i32")
    call = "(drop (call $clock_time_get (i32.const {clock}) (i64.const 0) (i32.const 120)))"
    wall = call.format(clock=0) + must("(i64.eq (i64.load (i32.const 120)) (i64.const 1234000000))")
    ticks = call.format(clock=1) * 3 + must("(i64.eq (i64.load (i32.const 120)) (i64.const 2000000))")
    assert accepts(wall + ticks, imports)
    unknown_clock = "(i32.eq (i32.const 16) (call $clock_time_get (i32.const 4) (i64.const 0) (i32.const 120)))"
    assert accepts(must(unknown_clock), imports)


def test_nothing_is_random():
    random = "(drop (call $random_get (i32.const 120) (i32.const 8)))"
    assert accepts(
        random + must("(i64.eq (i64.load (i32.const 120)) (i64.const 0x0909090909090909))"),
        imported("random_get", "i32 i32"),
    )


@pytest.mark.parametrize(
    ("name", "parameters", "call", "answer"),
    [
        ("fd_read", "i32 i32 i32 i32", "(i32.const 0) (i32.const 120) (i32.const 1) (i32.const 128)", 52),
        ("fd_fdstat_get", "i32 i32", "(i32.const 1) (i32.const 120)", 52),
        ("sock_accept", "i32 i32 i32", "(i32.const 3) (i32.const 0) (i32.const 120)", 52),
        ("fd_prestat_get", "i32 i32", "(i32.const 3) (i32.const 120)", 8),
        ("fd_write", "i32 i32 i32 i32", "(i32.const 3) (i32.const 120) (i32.const 0) (i32.const 128)", 52),
        ("sched_yield", "", "", 0),
    ],
)
def test_there_are_no_files_and_no_network(name: str, parameters: str, call: str, answer: int):
    assert accepts(must(f"(i32.eq (i32.const {answer}) (call ${name} {call}))"), imported(name, parameters))


def test_exit_is_a_trap():
    with pytest.raises(Trapped, match="exited with code 7"):
        accepts("(call $proc_exit (i32.const 7))", imported("proc_exit", "i32", ""))


def test_the_environment_names_the_topics():
    imports = imported("environ_sizes_get", "i32 i32") + imported("environ_get", "i32 i32")
    sizes = "(drop (call $environ_sizes_get (i32.const 120) (i32.const 124)))"
    count = must("(i32.eq (i32.load (i32.const 120)) (i32.const 3))")
    # The first variable of all is "REDPANDA_INPUT_TOPIC=...": "REDP" as a little-endian number.
    first = "(drop (call $environ_get (i32.const 120) (i32.const 512)))" + must(
        "(i32.eq (i32.load (i32.load (i32.const 120))) (i32.const 0x50444552))"
    )
    assert accepts(sizes + count + first, imports)


def test_what_a_guest_prints_is_logged_line_by_line(caplog: pytest.LogCaptureFixture):
    imports = imported("fd_write", "i32 i32 i32 i32")
    # Two pieces of one line and a piece of the next, by one vector each.
    texts = '(data (i32.const 200) "half ") (data (i32.const 210) "a line\\0anext")'
    vectors = '(data (i32.const 120) "\\c8\\00\\00\\00\\05\\00\\00\\00\\d2\\00\\00\\00\\0b\\00\\00\\00")'
    write = "(drop (call $fd_write (i32.const 2) (i32.const 120) (i32.const 2) (i32.const 140)))"
    with caplog.at_level(logging.WARNING, "streaming.transforms"):
        guest(write, imports=imports, functions=texts + vectors).transform([Record(b"k", b"v")])
    assert [record.getMessage() for record in caplog.records] == ["echo says: half a line"]
