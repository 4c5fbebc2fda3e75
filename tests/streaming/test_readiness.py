"""`/healthz` and `/readyz`: what is missing is named, and nothing else suffers from the asking."""

import asyncio
import json
import time

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import AsyncClient
from django.utils import timezone

from predictions.database_threads import in_database_thread
from streaming import readiness
from streaming.models import StoppedLine
from tests.streaming.mock_kafka import MockKafka, mock_kafka

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch) -> None:
    """Neither what the test before found, nor its client to a broker of its own."""
    monkeypatch.setattr(readiness, "_checked_at", float("-inf"))
    readiness.kafka_client.cache_clear()


@pytest.fixture
def champion(transactional_db) -> None:
    call_command("register_models", verbosity=0)


async def ready() -> tuple[int, dict[str, dict]]:
    """The status and the lines by part."""
    response = await AsyncClient().get("/readyz")
    assert response["Cache-Control"] == "no-store"
    lines = [json.loads(line) for line in response.content.decode().splitlines()]
    assert [line["part"] for line in lines] == ["database", "redis", "kafka", "model", "lines"]
    return response.status_code, {line["part"]: line for line in lines}


def missing(lines: dict[str, dict]) -> list[str]:
    return [part for part, line in lines.items() if not line["ready"]]


async def test_everything_there_is_ready(broker: MockKafka, champion):
    status, lines = await ready()
    assert (status, missing(lines)) == (200, [])
    assert all(line["ms"] >= 0 for line in lines.values())


async def test_a_redis_that_is_away_is_named(broker: MockKafka, champion, redis_away):
    status, lines = await ready()
    assert (status, missing(lines)) == (503, ["redis"])
    assert "ConnectionError" in lines["redis"]["detail"]


async def test_a_broker_that_is_away_is_named_in_time(champion, settings):
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    started = time.monotonic()
    status, lines = await ready()
    assert time.monotonic() - started < 4
    assert (status, missing(lines)) == (503, ["kafka"])


async def test_missing_topics_are_named_with_what_to_do(champion, settings):
    with mock_kafka() as bare:
        settings.KAFKA_BOOTSTRAP_SERVERS = bare.address
        status, lines = await ready()
    assert (status, missing(lines)) == (503, ["kafka"])
    assert "create_topics" in lines["kafka"]["detail"]


async def test_a_registry_without_a_champion_is_named_with_what_to_do(broker: MockKafka):
    status, lines = await ready()
    assert (status, missing(lines)) == (503, ["model"])
    assert "register_models" in lines["model"]["detail"]


async def test_a_consumer_that_stands_still_is_named_and_can_be_left_out(broker: MockKafka, champion):
    await StoppedLine.objects.acreate(consumer="scorer", detail="51 of the last 51", stopped_at=timezone.now())
    status, lines = await ready()
    assert (status, missing(lines)) == (503, ["lines"])
    assert "scorer" in lines["lines"]["detail"]
    assert (await AsyncClient().get("/readyz?without=lines")).status_code == 200


async def test_a_database_that_is_away_is_named(broker: MockKafka, champion, monkeypatch):
    class Away:
        def cursor(self):
            raise OperationalError("the database went away")

        def close(self) -> None:
            pass

    monkeypatch.setattr(readiness, "connection", Away())
    status, lines = await ready()
    assert (status, missing(lines)) == (503, ["database"])
    assert "OperationalError" in lines["database"]["detail"]


async def test_probes_that_wait_for_a_broker_do_not_keep_the_door_waiting(settings):
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    probes = [asyncio.create_task(AsyncClient().get("/readyz")) for _ in range(settings.DATABASE_THREADS * 2)]
    await asyncio.sleep(0.2)
    started = time.monotonic()
    await in_database_thread(lambda: None)
    assert time.monotonic() - started < 1
    responses = await asyncio.gather(*probes)
    assert {response.status_code for response in responses} == {503}
    assert time.monotonic() - started < 4, "they share what one of them found"


async def test_liveness_asks_nobody(redis_away, settings):
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    response = await AsyncClient().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
