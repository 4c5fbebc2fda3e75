"""The door closes before answers would take too long, says when it opens, and tells overload from an outage."""

import json
import random
import threading
from contextlib import ExitStack

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import Client

from predictions.admission import Admission, LineFull
from predictions.admission import admission as standing
from predictions.line import Line, Place
from predictions.models import Prediction
from predictions.wording import place_in_words
from streaming.bench_overload import retry_after_error
from tests.making import accepted, answer, services, waiting


class Queues:
    """What is measured, and the clock, as the test wants them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.length = 0
        self.rate: float | None = 100.0
        self.inside = ExitStack()
        self.admission = Admission(read=self._read, clock=lambda: self.now)

    def _read(self, before: Line | None) -> Line:
        return Line(self.length, rate=self.rate, rate_read_at=self.now, read_at=self.now)

    def measure(self, *, length: int, rate: float | None = 100.0) -> None:
        self.length, self.rate = length, rate
        self.admission.measure()

    def retry_after(self) -> int | None:
        """Seconds until the door is open, as it says; None where it is open."""
        try:
            self.admission.check()
        except LineFull as error:
            return error.retry_after
        self.admission.admitted()
        return None


@pytest.fixture
def queues(settings) -> Queues:
    settings.MOST_SECONDS_TO_ANSWER = 10
    return Queues()


# -- the line --------------------------------------------------------------------------------------------------------
def test_the_door_is_open_before_anything_is_measured(queues):
    assert queues.retry_after() is None


def test_the_door_closes_when_an_answer_would_take_too_long_and_says_when_it_opens(queues):
    queues.measure(length=1000)
    assert queues.retry_after() is None
    assert queues.retry_after() == 7, "1,001 wait at 100/s; at a third of 1,000 the door opens"


def test_it_keeps_to_the_time_that_it_told_whatever_is_measured_meanwhile(queues):
    queues.measure(length=1200)
    assert queues.retry_after() == 9
    for rate in (50, 100, 200, 90, 110, 100, 80):
        queues.now += 1
        queues.measure(length=900, rate=rate)
        assert queues.retry_after() is not None
    queues.now += 1
    assert queues.retry_after() == 1
    queues.now += 0.7
    assert queues.retry_after() is None


def test_it_opens_before_that_time_when_the_line_runs_dry(queues):
    queues.measure(length=1200)
    queues.retry_after()
    queues.now += 1
    queues.measure(length=90)
    assert queues.retry_after() is None


def test_one_that_ran_dry_is_bound_by_no_earlier_promise(queues):
    queues.measure(length=1200)
    queues.retry_after()
    queues.measure(length=90)
    queues.retry_after()
    queues.measure(length=500)
    assert queues.retry_after() is None


def test_answers_that_come_by_drops_close_it_for_half_a_minute_and_not_for_an_hour(queues):
    queues.measure(length=5000, rate=3)
    assert queues.retry_after() == 30


def test_when_the_answers_flow_again_after_a_hitch_it_opens_before_the_time_that_it_told(queues):
    queues.measure(length=5000, rate=3)
    assert queues.retry_after() == 30
    queues.now += 2
    queues.measure(length=800, rate=200)
    assert queues.retry_after() is None


def test_it_closes_again_when_the_line_has_not_become_shorter_by_the_time_it_told(queues):
    queues.measure(length=1200)
    queues.retry_after()
    queues.now += 9
    queues.measure(length=1200, rate=60)
    assert queues.retry_after() == 17


@pytest.mark.parametrize(("capacity", "noise"), [(20, 0.1), (200, 0.1), (200, 0.2)])
def test_in_an_overload_of_a_minute_refusals_say_true_and_nobody_who_was_accepted_waits_too_long(
    queues, capacity, noise
):
    """Twice as many ask as are answered; what is measured is off by as much as `noise`."""
    chance, answered, measured_at = random.Random(1), 0, -1.0
    began, waits, admitted_at, refusals = queues.now, [], [], []
    for number in range(2 * capacity * 60):
        queues.now = began + number / (2 * capacity)
        answered += number % 2 if answered < len(waits) else 0
        length = len(waits) - answered
        if queues.now - measured_at >= 1:
            queues.measure(length=length, rate=capacity * (1 + chance.uniform(-noise, noise)))
            measured_at = queues.now
        retry_after = queues.retry_after()
        if retry_after is None:
            waits.append(length / capacity)
            admitted_at.append(queues.now)
        else:
            refusals.append((queues.now, retry_after))
    _, error = retry_after_error(refusals, admitted_at)
    assert error < 0.3
    assert max(waits) < 11
    assert len(waits) > 0.95 * capacity * 60, "nothing of the capacity is lost"


def test_between_two_measurements_it_counts_what_it_let_in_and_what_was_answered(queues):
    queues.measure(length=950)
    assert [queues.retry_after() for _ in range(51)] == [None] * 51
    assert queues.retry_after() == 7
    queues.now += 6.7
    assert queues.retry_after() is None


def test_when_nothing_at_all_is_answered_questions_are_accepted_and_wait(queues):
    queues.measure(length=50_000, rate=None)
    assert queues.retry_after() is None
    assert queues.admission.newest_place() == Place(50_000, None)


# -- the door's own queue --------------------------------------------------------------------------------------------
def rush(queues: Queues, *, inside: int, passed: int) -> None:
    """Five seconds in each of which so many stay inside the door and so many pass it."""
    for _ in range(inside):
        queues.inside.enter_context(queues.admission.passing())
    queues.admission.measure()
    for _ in range(5):
        for _ in range(passed):
            with queues.admission.passing():
                pass
        queues.now += 1
        queues.admission.measure()


def test_it_closes_too_when_the_door_itself_is_what_takes_long(queues):
    queues.rate = None
    rush(queues, inside=900, passed=60)
    assert queues.retry_after() == 12, "15 s at 60/s, open at a third of ten"


def test_a_stall_of_a_moment_is_no_queue(queues):
    queues.rate = None
    rush(queues, inside=0, passed=60)
    for _ in range(900):
        queues.inside.enter_context(queues.admission.passing())
    for _ in range(2):
        queues.now += 1
        queues.admission.measure()
    assert queues.retry_after() is None


def test_a_few_inside_the_door_are_no_queue(queues):
    queues.rate = None
    rush(queues, inside=19, passed=1)
    assert queues.retry_after() is None


def test_a_door_through_which_nothing_passes_is_an_outage_and_no_queue(queues):
    queues.rate = None
    rush(queues, inside=900, passed=0)
    assert queues.retry_after() is None


# -- what it costs ---------------------------------------------------------------------------------------------------
def test_the_queues_are_measured_once_a_second_however_many_ask():
    reads = []
    queues = Queues()
    queues.admission._read = lambda before: reads.append(1) or Line(0, None, queues.now, queues.now)
    for _ in range(1000):
        queues.admission.measure_if_due()
        queues.admission._measuring.result(10)
        queues.now += 0.002
    assert len(reads) == 2


def test_a_database_that_is_away_leaves_what_was_measured_before(queues, caplog):
    queues.measure(length=2000)

    def fail(before: Line | None) -> Line:
        raise OperationalError("database is locked")

    queues.admission._read = fail
    queues.now += 2
    queues.admission.measure_if_due()
    queues.admission._thread.shutdown(wait=True)
    assert "the line can't be measured" in caplog.text
    assert queues.retry_after() is not None


def test_a_database_that_hangs_is_asked_once(queues):
    asked, go_on = [], threading.Event()

    def hang(before: Line | None) -> Line:
        asked.append(queues.now)
        go_on.wait(10)
        return Line(0, rate=None, rate_read_at=queues.now, read_at=queues.now)

    queues.admission._read = hang
    for _ in range(5):
        queues.now += 2
        queues.admission.measure_if_due()
    go_on.set()
    queues.admission._thread.shutdown(wait=True)
    assert len(asked) == 1


# -- at the doors ----------------------------------------------------------------------------------------------------
def stand_in(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process asks its admission is answered by that of the test."""
    for name in ("check", "admitted", "newest_place", "place_of"):
        monkeypatch.setattr(standing, name, getattr(queues.admission, name))


@pytest.fixture
def full(queues, monkeypatch) -> Queues:
    """The doors of this process find 12 s of questions before them."""
    queues.measure(length=1200)
    queues.admission.measure_if_due = lambda: None
    stand_in(queues, monkeypatch)
    return queues


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/predict_api", "/api/v1/predictions"])
def test_a_refusal_says_when_to_come_back(program, house, full, path):
    response = program.post(path, house, content_type="application/json")
    assert (response.status_code, response["Retry-After"]) == (429, "9")
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["code"] == "line_full"
    assert "12 s" in body["detail"]
    assert "9 s" in body["detail"]
    assert Prediction.objects.count() == 0


@pytest.mark.django_db(transaction=True)
async def test_a_refused_question_does_not_count_against_the_visitors_rate(async_client, house, full, settings):
    settings.VISITOR_RATE = "1/m"

    async def ask() -> int:
        return (await async_client.post("/predict_api", house, content_type="application/json")).status_code

    assert [await ask() for _ in range(3)] == [429] * 3
    full.measure(length=0)
    assert await ask() == 202
    assert await ask() == 429


@pytest.mark.django_db(transaction=True)
async def test_a_retry_of_what_was_accepted_is_answered_while_the_door_is_closed(async_client, house, full):
    async def ask(key: str):
        headers = {"Idempotency-Key": key}
        return await async_client.post("/predict_api", house, content_type="application/json", headers=headers)

    full.measure(length=0)
    first = await ask("a-key")
    full.measure(length=1200)
    assert (await ask("another")).status_code == 429
    assert (await ask("a-key")).json()["id"] == first.json()["id"]
    assert await sync_to_async(Prediction.objects.count)() == 1


@pytest.mark.django_db(transaction=True)
def test_the_page_says_without_javascript_when_to_ask_again(house, full):
    form = {**{name: value for name, value in house.items() if name != "med_inc"}, "median_income_usd": 39_000}
    page = Client().post("/", form)
    assert (page.status_code, page["Retry-After"]) == (429, "9")
    assert "try again in 9 s." in page.content.decode()


# -- place in line ---------------------------------------------------------------------------------------------------
@pytest.fixture
def line_of_800(queues, monkeypatch) -> Queues:
    """800 questions wait, at 100/s."""
    waiting(800)
    queues.measure(length=800)
    queues.admission.measure_if_due = lambda: None
    stand_in(queues, monkeypatch)
    return queues


@pytest.mark.django_db(transaction=True)
def test_who_asks_is_told_the_place_in_line_and_again_while_waiting(program, house, line_of_800):
    asked = program.post("/predict_api", house, content_type="application/json").json()
    assert asked["line"] == {"ahead": 800, "expected_seconds": 8.0}
    Prediction.objects.filter(pk__in=Prediction.objects.order_by("requested_at")[:300]).delete()
    assert program.get(asked["status_url"]).json()["line"] == {"ahead": 500, "expected_seconds": 5.0}
    services.record_answers([answer(Prediction.objects.get(pk=asked["id"]).pk)])
    assert program.get(asked["status_url"]).json()["line"] is None


@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_prediction_tells_the_place_in_line_until_it_is_answered(visitor_browser, line_of_800):
    prediction = accepted()
    page = visitor_browser.get(f"/predictions/{prediction.pk}").content.decode()
    assert "About 8 s to go, 800 questions ahead of yours" in page
    services.record_answers([answer(prediction.pk)])
    assert "to go" not in visitor_browser.get(f"/predictions/{prediction.pk}").content.decode()


@pytest.mark.django_db(transaction=True)
def test_who_was_given_up_long_ago_stands_before_nobody(queues):
    queues.admission._read = lambda before: Line(
        300, rate=100.0, rate_read_at=queues.now, read_at=queues.now, given_up=300
    )
    queues.admission.measure()
    queues.admission.measure_if_due = lambda: None
    asked = accepted()
    assert queues.admission.place_of(asked).ahead == 300
    queues.now += 60
    assert queues.admission.place_of(asked).ahead == 0


@pytest.mark.parametrize("place", [None, Place(3, None), Place(3, 0.9)])
def test_of_an_answer_that_comes_at_once_nothing_is_said(place):
    assert place_in_words(place) == ""
