"""Brokers that freeze, or are down at the start: pipelines wait for them and lose nothing."""

import os
import signal
import threading

import pytest

from housevalue.embedded import KafkaNode
from streaming.kafka import NotDelivered
from streaming.topics import Topic
from tests.redpanda.connect.doors import (
    GOOD_LINE,
    HEADER,
    Archive,
    Folders,
    ids_of,
    ids_on,
    publish,
    publish_until_delivered,
    put_results,
    request,
    streamed,
)
from tests.redpanda.connect.log import Log, headers_of
from tests.stack import wait_until


def test_brokers_that_are_frozen_for_20_seconds_lose_no_request_and_no_result(
    log: Log, open_door, start_results, archive: Archive, kafka_node: KafkaNode
):
    door = open_door()
    start_results()
    publish(door.publisher(), [request(1)])
    put_results(log, range(500))
    wait_until(lambda: len(streamed()) >= 100, 30, "the first results")
    assert kafka_node.process is not None
    os.kill(kafka_node.process.pid, signal.SIGSTOP)
    thaw = threading.Timer(20, os.kill, [kafka_node.process.pid, signal.SIGCONT])
    thaw.start()
    try:
        failures = publish_until_delivered(door.publisher(), [request(number) for number in range(2, 102)])
    finally:
        thaw.cancel()
        os.kill(kafka_node.process.pid, signal.SIGCONT)
    assert failures, "nothing was asked while the brokers were frozen"
    assert set(ids_on(log)) == {request(number)["id"] for number in range(1, 102)}
    put_results(log, range(500, 1000))
    wait_until(lambda: archive.ids() == ids_of(range(1000)), 60, "all results to be archived")


def test_brokers_that_are_down_at_the_start_are_waited_for(
    log: Log, open_door, start_feed, start_results, archive: Archive, folders: Folders, kafka_node: KafkaNode
):
    kafka_node.kill()
    folders.put("patient.csv", f"{HEADER}\n{GOOD_LINE}\n")
    door, feed, _ = open_door(is_ready=False), start_feed(is_ready=False), start_results(is_ready=False)
    for pipeline in (door.pipeline, feed):
        wait_until(lambda asked=pipeline: asked.ask("/ready")[0] == 503, 20, "a pipeline to say that it is not ready")
    with pytest.raises(NotDelivered):
        publish(door.publisher(), [request(424_242)])
    assert (folders.drop / "patient.csv").exists()
    kafka_node.start()
    kafka_node.wait_ready()
    publish_until_delivered(door.publisher(), [request(424_242)])
    folders.wait_moved("patient.csv", 60)
    records = log.records(Topic.REQUESTS)
    assert request(424_242)["id"].encode() in {record.key() for record in records}
    assert [headers_of(record).get("feed-file") for record in records].count("patient.csv") == 1
    put_results(log, range(2000, 2010))
    wait_until(lambda: ids_of(range(2000, 2010)) <= archive.ids(), 60, "results to be archived")
    assert door.pipeline.is_ready()
