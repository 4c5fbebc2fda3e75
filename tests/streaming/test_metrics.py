"""What Prometheus is told: names as documented, figures as they happened, and a port of its own."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from confluent_kafka.admin import AdminClient
from django.conf import settings as django_settings
from django.db import DatabaseError
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from housevalue.embedded.ports import spare_port
from streaming import kafka, metrics, monitoring
from streaming.models import DeadLetter
from streaming.monitoring import WaitingCollector, serve_metrics
from streaming.stopped_lines import WINDOW, LineStopped, StoppableLine
from streaming.topics import Group, Topic
from tests import making
from tests.streaming.mock_kafka import MockKafka

DOCUMENTATION = Path(django_settings.BASE_DIR) / "docs" / "monitoring.md"


def value(name: str, **labels: str) -> float:
    """What this process would tell now; 0 for what it has not counted yet."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def registered() -> Iterator[list[Collector]]:
    """Collectors put in here are taken out of the process's registry at the end of the test."""
    collectors: list[Collector] = []
    yield collectors
    for collector in collectors:
        REGISTRY.unregister(collector)


# -- names -------------------------------------------------------------------------------------------------------------
def test_the_documentation_names_every_metric_with_its_kind_and_labels_and_no_other():
    described = dict(re.findall(r"^\| `(housevalue_\w+)(?:\{.*?\})?` \| (\w+) \|", DOCUMENTATION.read_text(), re.M))
    labels = dict(re.findall(r"^\| `(housevalue_\w+)\{(.*?)\}` \|", DOCUMENTATION.read_text(), re.M))
    counted = {metric._name + "_total" * (metric._type == "counter"): metric for metric in metrics.COUNTED}
    asked = {metric.name: metric for metric in metrics.ASKED}
    assert described == {name: metric._type for name, metric in counted.items()} | dict.fromkeys(asked, "gauge")
    named = {name: metric._labelnames for name, metric in counted.items()}
    named |= {name: metric.labels for name, metric in asked.items()}
    assert {name: ",".join(words) for name, words in named.items() if words} == labels


def test_every_metric_of_the_module_is_in_one_of_its_two_lists():
    listed = (*metrics.COUNTED, *metrics.ASKED)
    kinds = (metrics.Asked, type(metrics.AWAY).__mro__[1])
    assert [name for name, made in vars(metrics).items() if isinstance(made, kinds) and made not in listed] == []


# -- what is counted -----------------------------------------------------------------------------------------------
def test_the_times_of_an_answer_are_counted_by_stage_and_as_a_whole():
    before = value("housevalue_stage_seconds_sum", stage="scored"), value("housevalue_answer_seconds_sum")
    metrics.count_travel({"accepted": 1_000, "published": 1_010, "scored": 1_250, "stored": 1_500})
    assert value("housevalue_stage_seconds_sum", stage="scored") - before[0] == pytest.approx(0.24)
    assert value("housevalue_answer_seconds_sum") - before[1] == pytest.approx(0.5)


def test_a_record_from_outside_has_stages_and_no_whole():
    before = value("housevalue_stage_seconds_count", stage="stored"), value("housevalue_answer_seconds_count")
    metrics.count_travel({"prepared": 1_000, "stored": 1_500})
    assert value("housevalue_stage_seconds_count", stage="stored") - before[0] == 1
    assert value("housevalue_answer_seconds_count") == before[1]


def test_strangers_can_not_make_metrics_without_end(monkeypatch):
    monkeypatch.setattr(metrics, "_kinds", set())
    for number in range(150):
        metrics.count_dead_letter(stage="stranger", error=f"invented {number}")
    assert value("housevalue_dead_letters_total", stage="stranger", error="invented 99") == 1
    assert value("housevalue_dead_letters_total", stage="other", error="other") >= 50
    assert value("housevalue_dead_letters_total", stage="stranger", error="invented 120") == 0


# -- what waits ----------------------------------------------------------------------------------------------------
def told(waiting: WaitingCollector) -> dict[tuple[str, ...], float]:
    """Name and label values -> figure."""
    samples = (sample for family in waiting.collect() for sample in family.samples)
    return {(sample.name.removeprefix("housevalue_"), *sample.labels.values()): sample.value for sample in samples}


@pytest.fixture
def waiting(broker: MockKafka) -> WaitingCollector:
    return WaitingCollector(kafka.admin_client)


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_what_waits_is_asked_of_database_and_broker(broker: MockKafka, waiting: WaitingCollector):
    making.answered()
    making.long_ago(making.published(), requested_at=60)
    making.accepted()
    DeadLetter.objects.create(partition=0, offset=0, written_ms=0, headers=[], received_at="2026-01-02T00:00:00Z")
    with pytest.raises(LineStopped):
        StoppableLine("scorer").judge([True] * WINDOW)
    broker.put(Topic.FEATURES, (b"k", b"v", []), (b"k", b"v", []))
    found = told(waiting)
    assert 60 <= found.pop(("oldest_in_flight_seconds",)) < 90
    lags = {labels: found.pop(labels) for labels in list(found) if labels[0] == "lag_records"}
    assert lags["lag_records", Topic.FEATURES, Group.SCORE] == 2
    assert sum(lags.values()) == 2
    assert found == {
        ("in_flight",): 2,
        ("outbox_rows",): 1,
        ("open_dead_letters",): 1,
        ("stopped_lines",): 1,
        ("broker_up",): 1,
    }


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_takes_nothing_but_the_lags(broker: MockKafka, waiting: WaitingCollector, monkeypatch):
    monkeypatch.setattr("streaming.lag.READ_SECONDS", 0.2)
    monkeypatch.setattr(monitoring, "read_lags", lambda admin: kafka.partitions_of_topics(admin, seconds=0.2))
    broker.go_down()
    found = told(waiting)
    assert found["broker_up",] == 0
    assert found["in_flight",] == 0
    assert not [labels for labels in found if labels[0] == "lag_records"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_takes_its_figures_and_is_not_told_as_nothing_waits(
    waiting: WaitingCollector, monkeypatch
):
    def fail() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(monitoring, "read_waiting", fail)
    assert {labels[0] for labels in told(waiting)} == {"broker_up", "lag_records"}


@pytest.mark.django_db(transaction=True)
def test_who_looks_within_a_second_is_told_what_was_found(waiting: WaitingCollector, monkeypatch):
    asked: list[AdminClient] = []
    monkeypatch.setattr(monitoring, "read_lags", lambda admin: asked.append(admin) or [])
    told(waiting)
    told(waiting)
    assert len(asked) == 1
    monkeypatch.setattr(monitoring, "FRESH_SECONDS", 0.0)
    told(waiting)
    assert len(asked) == 2


# -- the port ----------------------------------------------------------------------------------------------------------
class Counted(Collector):
    def collect(self) -> Iterable[Metric]:
        return [metrics.LAG.family([(("a topic", "a group"), 7)])]


def test_metrics_are_answered_on_their_own_port_and_by_place(settings, registered: list[Collector]):
    settings.METRICS_PORT, place = spare_port() - 1, 1
    registered.append(Counted())
    serve_metrics(*registered, place=place)
    with urlopen(f"http://127.0.0.1:{settings.METRICS_PORT + place}/metrics", timeout=5) as response:
        told = response.read().decode()
    assert "housevalue_batch_records" in told
    assert 'housevalue_lag_records{group="a group",topic="a topic"} 7.0' in told


def test_a_port_that_is_taken_stops_nothing(settings, caplog):
    settings.METRICS_PORT = spare_port()
    serve_metrics()
    serve_metrics()
    assert "no metrics" in caplog.text


def test_without_a_port_nothing_listens(settings, monkeypatch):
    settings.METRICS_PORT = 0
    monkeypatch.setattr(monitoring, "start_http_server", lambda *_, **__: pytest.fail("listens"))
    serve_metrics()
