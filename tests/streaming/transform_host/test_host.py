"""One transform on a broker: same partition out as in, nothing lost, nothing stuck."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from streaming import kafka
from streaming.loop import StopFlag
from streaming.management.commands.run_transforms import repeat
from streaming.topics import Topic
from streaming.transform_host.host import TransformHost
from streaming.transform_host.lanes import RestartDelay
from streaming.transform_host.modules import TransformModule
from tests.streaming.mock_kafka import MESSAGE_TOO_LARGE, MockKafka
from tests.streaming.transform_host.guests import DEPLOYMENT, ECHO, IS_MARKED, OPTIONS_TO, TRAP_ON_MARK, module

MakeHost = Callable[[TransformModule], TransformHost]


@pytest.fixture
def make_host(broker: MockKafka) -> Iterator[MakeHost]:
    made = []

    def make(running: TransformModule) -> TransformHost:
        made.append(
            TransformHost(
                DEPLOYMENT, running, kafka.publisher(), new_restart_delay=lambda: RestartDelay(first=0.01, longest=0.01)
            )
        )
        return made[-1]

    yield make
    for host in made:
        host.close()


class Patient:
    """A host that goes on while the broker acknowledges nothing."""

    def __init__(self, host: TransformHost):
        self._host = host

    def run_once(self) -> int:
        try:
            return self._host.run_once()
        except kafka.NotDelivered:
            return 0


def run_until(condition: Callable[[], bool], *hosts: TransformHost | Patient, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        for host in hosts:
            host.run_once()


def through(host: TransformHost, count: int) -> None:
    """Run the host until `count` records are through."""
    done = 0

    def is_done() -> bool:
        nonlocal done
        done += host.run_once()
        return done >= count

    run_until(is_done)


def keys(broker: MockKafka, topic: Topic) -> list[tuple[int, bytes]]:
    return [(message.partition(), message.key()) for message in broker.records(topic)]


def test_a_record_comes_out_on_its_partition_with_its_headers(broker: MockKafka, make_host: MakeHost):
    headers = [("source", b"web"), ("attempt", None)]
    broker.put(Topic.REQUESTS, (b"a", b"one", headers), partition=0)
    broker.put(Topic.REQUESTS, (b"b", None, []), (None, b"three", []), partition=1)
    through(make_host(module()), 3)
    found = [(m.partition(), m.key(), m.value(), m.headers()) for m in broker.records(Topic.FEATURES)]
    assert found == [(0, b"a", b"one", headers), (1, b"b", None, None), (1, None, b"three", None)]


def test_offsets_are_committed_on_closing(broker: MockKafka, make_host: MakeHost):
    broker.put(Topic.REQUESTS, (b"a", b"", []), (b"b", b"", []))
    host = make_host(module())
    through(host, 2)
    host.close()
    assert broker.committed("transform-echo", Topic.REQUESTS) == 2


def test_what_was_not_acknowledged_is_not_committed_and_comes_again(broker: MockKafka, make_host: MakeHost):
    broker.put(Topic.REQUESTS, (b"a", b"", []))
    broker.refuse_produce(MESSAGE_TOO_LARGE, times=1)
    host = make_host(module())
    with pytest.raises(kafka.NotDelivered):
        through(host, 1)
    assert keys(broker, Topic.FEATURES) == []
    through(host, 1)
    assert keys(broker, Topic.FEATURES) == [(0, b"a")]


def test_a_host_that_ends_before_an_acknowledgement_leaves_the_record_to_the_next(
    broker: MockKafka, make_host: MakeHost
):
    broker.put(Topic.REQUESTS, (b"a", b"", []))
    broker.refuse_produce(MESSAGE_TOO_LARGE, times=1)
    host = make_host(module())
    with pytest.raises(kafka.NotDelivered):
        through(host, 1)
    host.close()
    through(make_host(module()), 1)
    assert keys(broker, Topic.FEATURES) == [(0, b"a")]


def test_a_record_on_which_the_guest_traps_three_times_becomes_a_dead_letter(broker: MockKafka, make_host: MakeHost):
    broker.put(Topic.REQUESTS, (b"a", b"", []), (b"!", b"poison", [("source", b"web")]), (b"b", b"", []), partition=1)
    host = make_host(module(TRAP_ON_MARK + ECHO))
    through(host, 3)
    host.close()
    assert keys(broker, Topic.FEATURES) == [(1, b"a"), (1, b"b")]
    [letter] = broker.records(Topic.DEAD_LETTERS)
    assert (letter.partition(), letter.key(), letter.value()) == (1, b"!", b"poison")
    headers = dict(letter.headers())
    assert headers.pop("source-timestamp-ms").isdigit()
    assert headers.pop("error-detail").startswith(b"echo trapped on this record: ")
    assert headers == {
        "source": b"web",
        "error": b"trapped",
        "stage": b"transform-host",
        "source-topic": b"prediction_topic",
        "source-partition": b"1",
        "source-offset": b"1",
    }
    assert broker.committed("transform-echo", Topic.REQUESTS, partition=1) == 3


def test_what_became_a_dead_letter_is_not_told_as_transformed(broker: MockKafka, make_host: MakeHost, caplog):
    topic = str(Topic.DEAD_LETTERS)
    refuse = f"(drop (call $write_to (i32.const 1024) (global.get $size) (i32.const 200) (i32.const {len(topic) + 2})))"
    options = OPTIONS_TO.format(size=f"\\{len(topic) * 2:02x}", topic=topic)
    broker.put(Topic.REQUESTS, (b"a", b"", []), (b"!", b"", []), partition=1)
    caplog.set_level("INFO")
    through(make_host(module(f"(if {IS_MARKED} (then {refuse}) (else {ECHO}))", functions=options)), 2)
    assert keys(broker, Topic.DEAD_LETTERS) == [(1, b"!")]
    told = [record.msg for record in caplog.records if record.name == "life"]
    assert [(one["event"], one["ids"]) for one in told] == [("transformed", ["a"])]
    assert "echo made 1 records dead letters, the first with the keys ['!']" in caplog.text


def test_records_with_an_unreadable_header_name_go_on_without_their_headers(broker: MockKafka, make_host: MakeHost):
    for _ in range(50):  # the interpreter specialises what it does often
        broker.put_with_header_name(Topic.REQUESTS, b"\xff\xfe")
    through(make_host(module()), 50)
    found = [(message.value(), message.headers()) for message in broker.records(Topic.FEATURES)]
    assert found == [(b"v", None)] * 50


def test_its_dead_letter_has_the_headers_of_a_dead_letter_only(broker: MockKafka, make_host: MakeHost):
    broker.put_with_header_name(Topic.REQUESTS, b"\xff\xfe")
    through(make_host(module("unreachable")), 1)
    [letter] = broker.records(Topic.DEAD_LETTERS)
    assert {name for name, _ in letter.headers()} == {
        "error",
        "error-detail",
        "stage",
        "source-topic",
        "source-partition",
        "source-offset",
        "source-timestamp-ms",
    }


def test_a_partition_whose_guest_traps_does_not_hold_up_the_others(broker: MockKafka, make_host: MakeHost):
    broker.put(Topic.REQUESTS, (b"!", b"", []), partition=0)
    host = TransformHost(
        DEPLOYMENT, module(TRAP_ON_MARK + ECHO), kafka.publisher(), new_restart_delay=lambda: RestartDelay(first=3600)
    )
    broker.put(Topic.REQUESTS, (b"a", b"", []), (b"b", b"", []), partition=1)
    through(host, 2)
    broker.put(Topic.REQUESTS, *[(b"c", b"", [])] * 5, partition=0)
    broker.put(Topic.REQUESTS, (b"d", b"", []), partition=1)
    through(host, 1)
    for _ in range(5):
        host.run_once()
    assert len(host._lanes[0]) == 1, "it reads no further where a record waits already"
    host.close()
    assert [key for _, key in keys(broker, Topic.FEATURES)] == [b"a", b"b", b"d"]


def test_two_members_share_the_partitions_and_nothing_is_lost(broker: MockKafka, make_host: MakeHost):
    running = module()
    first = make_host(running)
    run_until(first.ready.is_set, first)
    second = make_host(running)
    run_until(second.ready.is_set, first, second)
    wanted = {f"{i}".encode() for i in range(40)}
    for i in range(40):
        broker.put(Topic.REQUESTS, (f"{i}".encode(), b"", []), partition=i % 2)
    run_until(lambda: {key for _, key in keys(broker, Topic.FEATURES)} == wanted, first, second)


def test_a_partition_that_went_away_while_it_was_held_is_read_when_it_comes_back(
    broker: MockKafka, make_host: MakeHost, monkeypatch
):
    stays = make_host(module())
    run_until(stays.ready.is_set, stays)
    partitions = sorted(stays._lanes)
    for partition in partitions:
        broker.put(Topic.REQUESTS, (b"early", b"", []), partition=partition)
    with monkeypatch.context() as broker_is_away:

        def refuse(seconds: float) -> None:
            raise kafka.NotDelivered("the broker is away")

        broker_is_away.setattr(stays._publisher, "flush", refuse)
        run_until(lambda: stays._paused == set(partitions), Patient(stays))
        comes_and_goes = make_host(module())
        run_until(lambda: bool(comes_and_goes._lanes), Patient(stays), comes_and_goes)
    comes_and_goes.close()
    run_until(lambda: sorted(stays._lanes) == partitions, stays)
    for partition in partitions:
        broker.put(Topic.REQUESTS, (b"late", b"", []), partition=partition)
    run_until(lambda: {(partition, b"late") for partition in partitions} <= set(keys(broker, Topic.FEATURES)), stays)


def test_a_broker_that_goes_away_is_said_once_and_waited_for(
    broker: MockKafka, make_host: MakeHost, monkeypatch, caplog
):
    caplog.set_level("INFO")
    host, stop = make_host(module()), StopFlag()
    run_until(host.ready.is_set, host)
    broker.put(Topic.REQUESTS, (b"a", b"", []))
    failed = threading.Event()

    def flush(*args: object) -> None:
        failed.set()
        raise kafka.NotDelivered("the broker is away")

    with monkeypatch.context() as away:
        away.setattr(kafka.Publisher, "flush", flush)
        running = threading.Thread(target=repeat, args=[host, stop])
        running.start()
        assert failed.wait(20)
        failed.clear()
        assert failed.wait(20)
    wait_for(lambda: [key for _, key in keys(broker, Topic.FEATURES)][-1:] == [b"a"])
    wait_for(lambda: "goes on" in caplog.text)
    stop.set()
    running.join(20)
    assert caplog.text.count("waits for the broker") == 1


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
