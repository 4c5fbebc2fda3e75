"""What an operator sees of one prediction in the real run: its way, its life in the logs, and the figures."""

import json
import re
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.request import urlopen

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from predictions.stages import STAGES
from tests.e2e.clients import Asker, until
from tests.stack import RunningStack

PROGRAMS = ("publisher", "transforms", "scorer", "worker", "deliverer", "web")
LIFE = {
    "web": ["accepted", "pushed"],
    "publisher": ["published"],
    "transforms": ["transformed", "transformed"],
    "scorer": ["enqueued"],
    "worker": ["scored"],
    "deliverer": ["answered"],
}


@pytest.fixture(scope="module")
def operator(stack: RunningStack) -> httpx.Client:
    client = httpx.Client(base_url=stack.base_url, follow_redirects=True, timeout=10)
    page = client.get("/admin/login/")
    csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert csrf
    signed_in = client.post(
        "/admin/login/?next=/admin/",
        data={"csrfmiddlewaretoken": csrf[1], "username": "operator", "password": stack.logins["operator"]},
    )
    assert "Log out" in signed_in.text
    return client


def scrape(stack: RunningStack, program: str) -> dict[tuple[str, ...], float]:
    """What a program of the run tells Prometheus: name and sorted label values -> figure."""
    ports = json.loads((stack.var_dir / "ports.json").read_text())
    with urlopen(f"http://127.0.0.1:{ports[f'metrics_{program}']}/metrics", timeout=10) as response:
        families = list(text_string_to_metric_families(response.read().decode()))
    samples = (sample for family in families for sample in family.samples)
    return {(sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value for sample in samples}


def life_of(prediction_id: str, log_directory: Path) -> dict[str, list[str]]:
    """Program -> the steps of this prediction that its log tells, in their order."""
    line = re.compile(rf"^\S+ \[info +\] (\S+) .*{prediction_id}", re.MULTILINE)
    found = {path.stem: line.findall(path.read_text(errors="replace")) for path in log_directory.glob("*.log")}
    return {program: steps for program, steps in found.items() if steps}


def test_a_predictions_id_finds_its_whole_life_in_the_logs(stack: RunningStack, visitor: Asker):
    with visitor.socket() as socket:
        socket.ready()
        asked = visitor.ask()["id"]
        assert socket.next()["prediction"]["id"] == asked
    until(lambda: life_of(asked, stack.var_dir / "log") == LIFE, seconds=10, what=f"the life of {asked} in the logs")


def test_the_parts_of_an_answers_way_add_up_to_the_whole_on_its_page_and_in_admin(
    visitor: Asker, operator: httpx.Client
):
    asked = visitor.wait_settled(visitor.ask()["id"])
    assert set(asked["stages"]) == set(STAGES)
    began, ended = (datetime.fromisoformat(asked[name]) for name in ("requested_at", "settled_at"))
    whole = (ended - began) / timedelta(milliseconds=1)
    way = visitor.http.get(asked["page_url"]).text.partition('data-part="travel"')[2].partition("</section>")[0]
    parts = [int(text) for text in re.findall(r">(\d+) ms<", way)]
    assert len(parts) == len(STAGES) - 1
    assert abs(sum(parts) - whole) <= 5
    shown = unescape(operator.get(f"/admin/predictions/prediction/{asked['id']}/change/").text)
    in_admin = [int(text) for text in re.findall(r"\+ +(\d+) ms", shown)]
    assert in_admin == parts
    assert re.search(rf"{sum(parts)} ms +the whole way", shown)


def test_every_program_tells_prometheus_what_it_did(stack: RunningStack, visitor: Asker):
    before = {program: scrape(stack, program) for program in PROGRAMS}
    with visitor.socket(after=0) as socket:
        socket.ready()
        asked = visitor.ask()["id"]
        socket.next()
        during = scrape(stack, "web")
    after = {program: scrape(stack, program) for program in PROGRAMS}

    def gained(program: str, *sample: str) -> float:
        return after[program].get(sample, 0.0) - before[program].get(sample, 0.0)

    assert gained("publisher", "housevalue_published_total", "first") >= 1
    assert gained("transforms", "housevalue_batch_records_sum", "prepare-request") >= 1
    assert gained("scorer", "housevalue_batch_records_sum", "scorer") >= 1
    assert gained("worker", "housevalue_scoring_seconds_count") >= 1
    assert gained("deliverer", "housevalue_settled_total", "answered") >= 1
    for stage in STAGES[1:]:
        assert gained("deliverer", "housevalue_stage_seconds_count", stage) >= 1, stage
    settled = visitor.status(asked)
    whole = datetime.fromisoformat(settled["settled_at"]) - datetime.fromisoformat(settled["requested_at"])
    assert gained("deliverer", "housevalue_answer_seconds_sum") >= whole.total_seconds() - 0.005
    assert gained("web", "housevalue_pushed_events_total", "websocket") >= 1
    assert gained("web", "housevalue_resumes_total", "websocket") >= 1
    assert during["housevalue_connections", "websocket"] >= 1
    assert during["housevalue_broker_up",] == 1
    assert ("housevalue_lag_records", "score-predictions", "prediction_features_topic") in during
    views = "django_http_responses_total_by_status_view_method_total"
    assert gained("web", views, "POST", "202", "predict_api") >= 1


def test_metrics_are_no_page_of_the_site(visitor: Asker):
    assert visitor.http.get("/metrics").status_code == 404


def test_what_waits_is_told_while_a_part_stands_still(stack: RunningStack, visitor: Asker):
    scorer = stack.processes()["scorer"]
    stack.kill("scorer")
    asked = visitor.ask()["id"]
    told = until(
        lambda: found if (found := scrape(stack, "web"))["housevalue_in_flight",] else None, seconds=10, what="it"
    )
    assert told["housevalue_oldest_in_flight_seconds",] > 0
    stack.wait_restarted("scorer", scorer)
    assert visitor.wait_settled(asked)["status"] == "answered"
    until(lambda: not scrape(stack, "web")["housevalue_in_flight",], seconds=10, what="nothing to be in flight")
