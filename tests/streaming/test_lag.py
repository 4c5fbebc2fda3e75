"""What waits on the topics, by reader."""

from concurrent.futures import Future
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaException

from streaming import kafka
from streaming.kafka import handling, read_batch
from streaming.lag import read_lags, scored_and_not_delivered
from streaming.topics import READERS, Group, Topic
from streaming.transform_host.deployments import read_deployments
from tests.streaming.mock_kafka import MockKafka

RECORD = (b"k", b"v", [])


def lags() -> dict[Topic, int | None]:
    found = read_lags(kafka.admin_client(), seconds=10)
    assert [(lag.topic, lag.group) for lag in found] == list(READERS)
    return {lag.topic: lag.records for lag in found}


def test_every_record_waits_for_a_group_that_never_read(broker: MockKafka):
    assert set(lags().values()) == {0}
    broker.put(Topic.SCORES, RECORD, RECORD)
    broker.put(Topic.SCORES, RECORD, partition=1)
    assert lags() == dict.fromkeys(Topic, 0) | {Topic.SCORES: 3}


def test_what_a_group_has_committed_waits_no_longer(broker: MockKafka):
    broker.put(Topic.FEATURES, RECORD, RECORD, RECORD)
    consumer = kafka.consumer(Group.SCORE, [Topic.FEATURES])
    while not (records := read_batch(consumer, limit=2)):
        pass
    with handling(consumer, records):
        pass
    consumer.close()
    assert lags()[Topic.FEATURES] == 3 - len(records)


def test_a_leader_that_says_nothing_is_a_broker_that_is_away(broker: MockKafka, monkeypatch):
    admin = kafka.admin_client()
    silent = SimpleNamespace(
        list_topics=admin.list_topics,
        list_offsets=lambda asked, request_timeout: {where: Future() for where in asked},
    )
    with pytest.raises(KafkaException, match="Timed out"):
        read_lags(silent, seconds=0.2)


def test_transforms_that_the_broker_runs_have_no_lag_that_anybody_can_see(broker: MockKafka, settings):
    settings.REDPANDA_ADMIN_URL = ["http://127.0.0.1:9644"]
    found = read_lags(kafka.admin_client(), seconds=10)
    assert [lag.topic for lag in found if lag.records is None] == [Topic.REQUESTS, Topic.SCORES]
    assert scored_and_not_delivered(found) is None


def test_scored_is_what_waits_between_the_workers_and_the_database(broker: MockKafka):
    broker.put(Topic.SCORES, RECORD)
    broker.put(Topic.RESULTS, RECORD, RECORD)
    assert scored_and_not_delivered(read_lags(kafka.admin_client(), seconds=10)) == 3


def test_a_broker_that_is_away_is_told(settings):
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    with pytest.raises(KafkaException):
        read_lags(kafka.admin_client(), seconds=0.3)


def test_the_groups_of_the_transforms_are_those_of_their_hosts():
    hosts = {(deployment.input_topic, f"transform-{name}") for name, deployment in read_deployments().items()}
    assert hosts == {(topic, group) for topic, group in READERS if group.startswith("transform-")}
