"""Results on their way out: archived by day and offered on a Redis stream, each at least once, none lost."""

import json
from datetime import UTC, datetime

from streaming.topics import Topic
from tests.redpanda.connect.doors import Archive, ids_of, put_results, result, streamed
from tests.redpanda.connect.log import Log
from tests.stack import wait_until


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
    wait_until(lambda: archive.ids() == ids_of(range(1)), 30, "the good one to be archived")


def test_killed_three_times_while_it_moves_5000_results_it_loses_none(log: Log, archive: Archive, start_results):
    pipeline = start_results()
    numbers = range(5000)
    put_results(log, numbers)
    for count in (500, 1700, 3000):
        wait_until(lambda goal=count: len(streamed()) >= goal, 60, f"{count} results")
        pipeline.kill()
        pipeline.start()
    wait_until(lambda: len({json.loads(fields["result"])["id"] for fields in streamed()}) == 5000, 90, "all 5,000")
    wait_until(lambda: archive.ids() == ids_of(numbers), 30, "all to be archived")


def test_redis_away_holds_results_back_and_loses_none(log: Log, archive: Archive, start_results, redis_away):
    start_results(is_ready=False)
    put_results(log, range(200))
    wait_until(lambda: archive.directory.exists() or log.count(Topic.RESULTS) == 200, 30, "the results")
    redis_away.start()
    redis_away.wait_ready(20)
    wait_until(lambda: len({json.loads(f["result"])["id"] for f in streamed()}) == 200, 60, "the stream to have all")
    assert archive.ids() == ids_of(range(200))
    assert log.count(Topic.DEAD_LETTERS) == 0


def test_an_archive_that_cannot_be_written_holds_results_back(log: Log, archive: Archive, start_results):
    archive.directory.write_text("a file where the folder should be")
    start_results()
    put_results(log, range(20))
    archive.directory.unlink()
    wait_until(lambda: archive.ids() == ids_of(range(20)), 30, "all to be archived")


def test_told_to_end_it_commits_what_it_has_done(log: Log, archive: Archive, start_results):
    pipeline = start_results()
    put_results(log, range(100))
    wait_until(lambda: len(streamed()) == 100, 30, "all 100")
    assert pipeline.stop() == 0
    pipeline.start()
    put_results(log, range(100, 101))
    wait_until(lambda: len(streamed()) >= 101, 30, "the next one")
    assert len(archive.lines()) == 101
