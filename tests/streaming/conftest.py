from collections.abc import Callable, Iterator

import pytest
import redis
from confluent_kafka import Consumer

from streaming import kafka
from streaming.topics import Topic
from tests.streaming.mock_kafka import MockKafka, mock_kafka


@pytest.fixture
def broker(settings) -> Iterator[MockKafka]:
    """A broker in memory with every topic, to which this project's clients go."""
    with mock_kafka() as broker:
        broker.create_topics(Topic)
        settings.KAFKA_BOOTSTRAP_SERVERS = broker.address
        yield broker


@pytest.fixture
def consume(broker: MockKafka) -> Iterator[Callable[..., Consumer]]:
    """`streaming.kafka.consumer`, closed (and its offsets committed) at the end of the test."""
    made: list[Consumer] = []

    def make(group: str, *topics: Topic) -> Consumer:
        made.append(kafka.consumer(group, topics))
        return made[-1]

    yield make
    for consumer in made:
        consumer.close()


@pytest.fixture
def celery_queue(settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        yield client
