"""Results on their way out: archived by day and offered on a Redis stream, each at least once, none lost."""

import json
import os
import signal
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings

from housevalue.embedded import KafkaNode
from streaming.topics import Topic
from tests.redpanda.connect.conftest import Log
from tests.redpanda.connect.pipelines import Pipeline
from tests.stack import wait_until

STREAM = "prediction_results"


def result(number: int) -> dict:
    return {"id": str(uuid.UUID(int=number)), "price": 452_600, "low": 390_000, "high": 500_001}


def put_results(log: Log, numbers: range) -> None:
    for number in numbers:
        one = result(number)
        log.put(Topic.RESULTS, json.dumps(one).encode(), key=one["id"], headers={"source": "page", "attempt": "1"})
    log.flush()


class Archive:
    def __init__(self, directory: Path):
        self.directory = directory

    def lines(self) -> list[dict]:
        return [json.loads(line) for path in self.directory.glob("*.ndjson") for line in path.read_text().splitlines()]

    def ids(self) -> set[str]:
        return {line["id"] for line in self.lines()}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def start_results(start_pipeline: Callable[..., Pipeline], archive: Archive) -> Callable[..., Pipeline]:
    return lambda **options: start_pipeline("results", ARCHIVE_DIRECTORY=str(archive.directory), **options)


def streamed() -> list[dict]:
    with redis.Redis.from_url(django_settings.REDIS_URL, decode_responses=True) as client:
        return [fields for _, fields in client.xrange(STREAM)]


def ids(numbers: range) -> set[str]:
    return {result(number)["id"] for number in numbers}


def test_a_result_is_archived_under_its_day_and_put_on_the_stream(log: Log, archive: Archive, start_results):
    start_results()
    put_results(log, range(1))
    wait_until(streamed, 30, "the stream to hold the result")
    [line] = archive.lines()
    [record] = log.records(Topic.RESULTS)
    assert line.pop("log") == {
        "partition": record.partition(),
        "offset": record.offset(),
        "at_ms": record.timestamp()[1],
    }
    assert line == result(0) | {"source": "page"}
    day = datetime.fromtimestamp(record.timestamp()[1] / 1000, UTC).date()
    assert [path.name for path in archive.directory.iterdir()] == [f"{day}.ndjson"]
    [fields] = streamed()
    assert json.loads(fields.pop("result")) == result(0)
    assert fields == {"source": "page"}


def test_what_is_no_result_is_a_dead_letter_that_names_its_place(log: Log, archive: Archive, start_results):
    log.put(Topic.RESULTS, b"nonsense", key="k", headers={"source": "page"})
    put_results(log, range(1))
    start_results()
    [letter] = log.wait_for(Topic.DEAD_LETTERS, 1)
    [bad] = [record for record in log.records(Topic.RESULTS) if record.value() == b"nonsense"]
    assert (letter.key(), letter.value()) == (b"k", b"nonsense")
    headers = {name: value.decode() for name, value in letter.headers()}
    assert headers == {
        "source": "page",
        "stage": "archive",
        "error": "bad_result",
        "error-detail": "not a result: not JSON",
        "source-topic": "prediction_result_topic",
        "source-partition": str(bad.partition()),
        "source-offset": str(bad.offset()),
        "source-timestamp-ms": str(bad.timestamp()[1]),
    }
    wait_until(lambda: archive.ids() == ids(range(1)), 30, "the good one to be archived")


def test_killed_three_times_while_it_moves_5000_results_it_loses_none(log: Log, archive: Archive, start_results):
    pipeline = start_results()
    numbers = range(5000)
    put_results(log, numbers)
    for count in (500, 1700, 3000):
        wait_until(lambda goal=count: len(streamed()) >= goal, 60, f"{count} results")
        pipeline.kill()
        pipeline.start()
    wait_until(lambda: len({json.loads(fields["result"])["id"] for fields in streamed()}) == 5000, 90, "all 5,000")
    wait_until(lambda: archive.ids() == ids(numbers), 30, "all to be archived")


def test_a_broker_that_is_frozen_for_20_seconds_loses_no_result(
    log: Log, archive: Archive, start_results, kafka_node: KafkaNode
):
    start_results()
    put_results(log, range(500))
    wait_until(lambda: len(archive.ids()) >= 100, 30, "the first results")
    assert kafka_node.process is not None
    os.kill(kafka_node.process.pid, signal.SIGSTOP)
    threading.Timer(20, os.kill, [kafka_node.process.pid, signal.SIGCONT]).start()
    put_results(log, range(500, 1000))
    wait_until(lambda: archive.ids() == ids(range(1000)), 90, "all to be archived")


def test_redis_away_holds_results_back_and_loses_none(log: Log, archive: Archive, start_results, redis_away):
    start_results(is_ready=False)
    put_results(log, range(200))
    wait_until(lambda: archive.directory.exists() or log.count(Topic.RESULTS) == 200, 30, "the results")
    redis_away.start()
    redis_away.wait_ready(20)
    wait_until(lambda: len({json.loads(f["result"])["id"] for f in streamed()}) == 200, 60, "the stream to have all")
    assert archive.ids() == ids(range(200))
    assert log.count(Topic.DEAD_LETTERS) == 0


def test_an_archive_that_cannot_be_written_holds_results_back(log: Log, archive: Archive, start_results):
    archive.directory.write_text("a file where the folder should be")
    start_results()
    put_results(log, range(20))
    archive.directory.unlink()
    wait_until(lambda: archive.ids() == ids(range(20)), 30, "all to be archived")


def test_told_to_end_it_commits_what_it_has_done(log: Log, archive: Archive, start_results):
    pipeline = start_results()
    put_results(log, range(100))
    wait_until(lambda: len(streamed()) == 100, 30, "all 100")
    assert pipeline.stop() == 0
    pipeline.start()
    put_results(log, range(100, 101))
    wait_until(lambda: len(streamed()) >= 101, 30, "the next one")
    assert len(archive.lines()) == 101
