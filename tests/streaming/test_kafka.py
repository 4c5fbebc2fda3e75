"""Kafka clients: acknowledged or an exception, committed when done, read again when not."""

import time
from unittest.mock import Mock

import pytest
from confluent_kafka import KafkaException

from streaming import kafka
from streaming.kafka import NotDelivered, handling, read_batch
from streaming.topics import Topic
from tests.streaming.mock_kafka import MESSAGE_TOO_LARGE, MockKafka


def values(records) -> list[bytes]:
    return [record.value() for record in records]


def read(consumer, count: int) -> list:
    """`count` records in batches of at most `count`, however the broker cuts them."""
    end, found = time.monotonic() + 15, []
    while len(found) < count and time.monotonic() < end:
        found += read_batch(consumer, limit=count - len(found))
    return found


# -- publishing ----------------------------------------------------------------------------------------------------
def test_flush_means_that_everything_is_on_the_broker(broker: MockKafka):
    publisher = kafka.publisher()
    for number in range(100):
        publisher.publish(Topic.REQUESTS, key=b"%d" % number, value=b"x", headers=[("source", b"page")])
    publisher.flush()
    records = broker.records(Topic.REQUESTS)
    assert len(records) == 100
    assert records[0].headers() == [("source", b"page")]


def test_a_key_is_always_on_the_same_partition_and_a_named_one_is_kept(broker: MockKafka):
    publisher = kafka.publisher()
    for _ in range(5):
        publisher.publish(Topic.REQUESTS, key=b"same", value=b"x", headers=[])
    publisher.publish(Topic.RESULTS, key=b"same", value=b"x", headers=[], partition=1)
    publisher.publish(Topic.SCORES, key=b"same", value=b"x", headers=[], partition=0)
    publisher.flush()
    assert len({record.partition() for record in broker.records(Topic.REQUESTS)}) == 1
    assert broker.records(Topic.RESULTS)[0].partition() == 1
    assert broker.records(Topic.SCORES)[0].partition() == 0


def test_what_the_broker_refuses_is_not_delivered(broker: MockKafka):
    publisher = kafka.publisher()
    broker.refuse_produce(MESSAGE_TOO_LARGE, times=1)
    publisher.publish(Topic.REQUESTS, key=b"1", value=b"x", headers=[])
    with pytest.raises(NotDelivered):
        publisher.flush()


def test_what_is_published_after_a_refusal_arrives(broker: MockKafka):
    publisher = kafka.publisher()
    for number in range(20):
        broker.refuse_produce(MESSAGE_TOO_LARGE, times=1)
        publisher.publish(Topic.REQUESTS, key=b"1", value=b"refused", headers=[])
        with pytest.raises(NotDelivered):
            publisher.flush()
        publisher.publish(Topic.REQUESTS, key=b"1", value=b"%d" % number, headers=[])
        publisher.flush()
    assert values(broker.records(Topic.REQUESTS)) == [b"%d" % number for number in range(20)]


def test_what_is_not_acknowledged_in_time_is_not_delivered_and_never_sent_later(broker: MockKafka):
    publisher = kafka.publisher()
    publisher.publish(Topic.REQUESTS, key=b"1", value=b"first", headers=[])
    publisher.flush()
    broker.go_down()
    publisher.publish(Topic.REQUESTS, key=b"1", value=b"lost", headers=[])
    with pytest.raises(NotDelivered, match="1 records"):
        publisher.flush(0.3)
    broker.come_up()
    publisher.publish(Topic.REQUESTS, key=b"1", value=b"second", headers=[])
    publisher.flush()
    assert values(broker.records(Topic.REQUESTS)) == [b"first", b"second"]


# -- consuming -----------------------------------------------------------------------------------------------------
def test_a_lone_record_does_not_wait_for_others(broker: MockKafka, consume):
    consumer = consume("g", Topic.REQUESTS)
    broker.put(Topic.REQUESTS, (b"1", b"warm", []))
    assert read(consumer, 1)
    broker.put(Topic.REQUESTS, (b"1", b"lone", []))
    started = time.monotonic()
    assert values(read_batch(consumer, limit=100, seconds=5)) == [b"lone"]
    assert time.monotonic() - started < 2


def test_a_record_with_a_header_name_that_is_not_utf_8_is_read_without_headers(broker: MockKafka, consume):
    for _ in range(50):
        broker.put_with_header_name(Topic.REQUESTS, b"\xff\xfe")
    records = read(consume("g", Topic.REQUESTS), 50)
    assert [(record.value(), record.headers() or []) for record in records] == [(b"v", [])] * 50


def test_nothing_there_is_an_empty_batch(broker: MockKafka, consume):
    assert read_batch(consume("g", Topic.REQUESTS), limit=10, seconds=0.05) == []


def test_what_was_handled_is_committed_on_leaving_and_not_read_again(broker: MockKafka):
    broker.put(Topic.REQUESTS, *((b"k", b"%d" % number, []) for number in range(3)))
    consumer = kafka.consumer("g", [Topic.REQUESTS])
    with handling(consumer, read(consumer, 2)):
        pass
    consumer.close()
    assert broker.committed("g", Topic.REQUESTS) == 2


def test_what_was_read_and_not_handled_is_not_committed(broker: MockKafka):
    broker.put(Topic.REQUESTS, (b"k", b"1", []))
    consumer = kafka.consumer("g", [Topic.REQUESTS])
    assert read(consumer, 1)
    consumer.close()
    assert broker.committed("g", Topic.REQUESTS) < 0


def test_a_batch_that_failed_is_read_again_from_its_start(broker: MockKafka, consume):
    consumer = consume("g", Topic.REQUESTS)
    broker.put(Topic.REQUESTS, *((b"k", b"a%d" % number, []) for number in range(3)), partition=0)
    broker.put(Topic.REQUESTS, *((b"k", b"b%d" % number, []) for number in range(3)), partition=1)
    first = read(consumer, 6)
    with pytest.raises(RuntimeError), handling(consumer, first):
        raise RuntimeError("the work failed")
    again = read(consumer, 6)
    assert sorted(values(again)) == sorted(values(first))
    for prefix in (b"a", b"b"):
        in_order = [value for value in values(again) if value.startswith(prefix)]
        assert in_order == sorted(in_order)


def test_a_consumer_of_a_missing_topic_ends_with_an_error(broker: MockKafka):
    lost = kafka.consumer("g", ["no-such-topic"])  # type: ignore[list-item]
    with pytest.raises(KafkaException):
        read(lost, 1)
    lost.close()


def test_no_client_commits_what_it_only_fetched(broker: MockKafka, consume):
    """The automatic commit stores nothing by itself: stored offsets are those of `handling`."""
    consumer = consume("g", Topic.REQUESTS)
    broker.put(Topic.REQUESTS, (b"k", b"1", []), (b"k", b"2", []))
    with handling(consumer, read(consumer, 1)):
        pass
    assert read(consumer, 1)
    consumer.commit(asynchronous=False)
    assert broker.committed("g", Topic.REQUESTS) == 1


@pytest.mark.parametrize(("copies", "acknowledge"), [(1, None), (2, None), (3, "2"), (5, "3")])
def test_of_three_copies_or_more_a_majority_must_acknowledge(settings, copies: int, acknowledge: str | None):
    settings.KAFKA_REPLICATION_FACTOR = copies
    empty = Mock()
    empty.list_topics.return_value.topics = {}
    empty.create_topics.return_value = {}
    kafka.create_topics(empty)
    (made,) = empty.create_topics.call_args.args
    assert {topic.replication_factor for topic in made} == {copies}
    assert {topic.config.get("min.insync.replicas") for topic in made} == {acknowledge}
