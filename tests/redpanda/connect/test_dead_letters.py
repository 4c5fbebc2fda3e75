"""Alerts on dead letters: few, whole, and never in the way."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from streaming.topics import Topic
from tests.redpanda.connect.log import Log
from tests.redpanda.connect.pipelines import Pipeline
from tests.stack import wait_until


class Pager(ThreadingHTTPServer):
    """Takes alerts, after refusing the first `failures` of them."""

    def __init__(self, failures: int):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.failures = failures
        self.alerts: list[dict] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/alerts"


class _Handler(BaseHTTPRequestHandler):
    server: Pager

    def do_POST(self) -> None:
        alert = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.failures -= 1
        if self.server.failures < 0:
            self.server.alerts.append(alert)
        self.send_response(503 if self.server.failures >= 0 else 204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def make_pager() -> Iterator[Callable[..., Pager]]:
    made: list[Pager] = []

    def make(failures: int = 0) -> Pager:
        pager = Pager(failures)
        made.append(pager)
        threading.Thread(target=pager.serve_forever, daemon=True).start()
        return pager

    yield make
    for pager in made:
        pager.shutdown()
        pager.server_close()


def put_letters(log: Log, count: int) -> None:
    headers = {
        "stage": "prepare-request",
        "error": "out_of_range",
        "error-detail": "med_inc must be less",
        "source": "x",
    }
    for number in range(count):
        log.put(Topic.DEAD_LETTERS, b'{"features": {"med_inc": 98765}}', key=f"k{number}", headers=headers)
    log.flush()


def test_a_storm_of_dead_letters_is_few_alerts_that_count_them_all(log: Log, make_pager, start_pipeline):
    pager = make_pager()
    put_letters(log, 3000)
    pipeline: Pipeline = start_pipeline("dead_letters", ALERT_URL=pager.url, ALERT_PERIOD="2s")
    wait_until(lambda: sum(alert["count"] for alert in pager.alerts) >= 3000, 60, "alerts for all")
    assert len(pager.alerts) <= 4
    assert pager.alerts[0]["counts"][0]["kind"] == "prepare-request/out_of_range"
    assert "med_inc must be less" in pager.alerts[0]["text"]
    assert "98765" not in json.dumps(pager.alerts)
    assert "dead letters: prepare-request/out_of_range" in pipeline.log()


def test_an_alert_is_repeated_until_somebody_takes_it(log: Log, make_pager, start_pipeline):
    pager = make_pager(failures=2)
    start_pipeline("dead_letters", ALERT_URL=pager.url, ALERT_PERIOD="500ms")
    put_letters(log, 1)
    wait_until(lambda: pager.alerts, 30, "the alert")
    assert [alert["count"] for alert in pager.alerts] == [1]


def test_without_an_address_there_is_still_a_line_in_the_log(log: Log, start_pipeline):
    pipeline = start_pipeline("dead_letters", ALERT_PERIOD="500ms")
    put_letters(log, 2)
    wait_until(lambda: "med_inc must be less" in pipeline.log(), 30, "the line in the log")


def test_alerts_are_limited_in_number(log: Log, make_pager, start_pipeline):
    pager = make_pager()
    pipeline = start_pipeline("dead_letters", ALERT_URL=pager.url, ALERT_PERIOD="200ms", ALERTS_PER_MINUTE="2")
    for number in range(5):
        put_letters(log, 1)
        wait_until(lambda goal=number: pipeline.log().count("1 dead letters") > min(goal, 2), 30, "the line in the log")
    assert len(pager.alerts) == 2
