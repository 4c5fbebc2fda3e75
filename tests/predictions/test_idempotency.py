"""A question that is sent twice under one key is asked once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from predictions import asking, idempotency
from predictions.callers import Caller
from predictions.models import IdempotencyKey, Prediction
from predictions.services import claim_visitor_predictions
from tests import making
from tests.predictions.conftest import browser_of

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
DOORS = ["/predict_api", "/api/v1/predictions"]


def ask(client: Client, question: dict, key: str | None, path: str = "/predict_api"):
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, question, content_type="application/json", headers=headers)


def code_of(response) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json", response.content
    return response.status_code, response.json()["code"]


# -- the doors of programs -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", DOORS)
def test_the_same_question_under_the_same_key_is_the_same_prediction(program, house, path):
    first, again = ask(program, house, "a-key", path), ask(program, house, "a-key", path)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    assert first["Location"] == again["Location"]
    assert Prediction.objects.count() == 1


def test_the_order_and_the_spelling_of_its_fields_do_not_make_it_another_question(program, house):
    first = ask(program, house, "a-key")
    spelt_otherwise = {"MedInc": house["med_inc"], **dict(reversed(house.items()))}
    del spelt_otherwise["med_inc"]
    assert ask(program, spelt_otherwise, "a-key").json()["id"] == first.json()["id"]


@pytest.mark.parametrize("path", DOORS)
def test_another_question_under_a_used_key_is_refused(program, house, path):
    ask(program, house, "a-key", path)
    response = ask(program, house | {"house_age": 3}, "a-key", path)
    assert code_of(response) == (422, "idempotency_key_reused")
    assert Prediction.objects.count() == 1


@pytest.mark.parametrize("corrected", [{}, {"house_age": 40}])
def test_a_retry_after_the_answer_says_that_it_is_answered(program, house, corrected):
    """To what was asked, or to what an operator made of it."""
    asked = ask(program, house, "a-key").json()
    making.publish_all()
    prediction = Prediction.objects.get()
    making.services.record_answers([making.answer(prediction.pk, features=prediction.features | corrected)])
    again = ask(program, house, "a-key").json()
    assert (again["id"], again["status"]) == (asked["id"], "answered")


def test_without_a_key_each_question_is_one(program, house):
    assert ask(program, house, None).json()["id"] != ask(program, house, None).json()["id"]


def test_a_key_belongs_to_its_caller(visitor_browser, program, house):
    ids = {ask(client, house, "a-key").json()["id"] for client in (visitor_browser, program, Client(), Client())}
    assert len(ids) == 4


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("key", ["", '""', "two words", "a,b", '"open', 'a"b', "é", "x" * 101, '"a\\b"', "tab\there"])
def test_a_key_that_is_none_is_refused(program, house, path, key):
    assert code_of(ask(program, house, key, path)) == (400, "bad_idempotency_key")
    assert Prediction.objects.count() == 0


@pytest.mark.parametrize(
    ("header", "key"),
    [(None, ""), ("a-key", "a-key"), ('"a-key"', "a-key"), ('"two words"', "two words"), ('"\\"\\\\"', '"\\')],
)
def test_a_key_is_read_with_and_without_the_quotes_of_the_draft(header, key):
    assert idempotency.read_key(header) == key


def test_a_key_of_a_question_that_was_refused_may_be_used_for_the_right_one(program, house):
    assert ask(program, house | {"med_inc": 99}, "a-key").status_code == 422
    assert ask(program, house, "a-key").status_code == 202


def test_a_retry_is_answered_although_the_rate_is_used_up(program, house, settings):
    settings.USER_RATE = "1/m"
    first = ask(program, house, "a-key")
    assert ask(program, house, "another").status_code == 429
    assert ask(program, house, "a-key").json()["id"] == first.json()["id"]


def test_what_a_visitor_asked_is_known_again_after_signing_in(visitor_browser, ada, house):
    asked = ask(visitor_browser, house, "a-key").json()
    user_too = Caller.of_user(ada)
    asking.ask(features=house, caller=user_too, address="", source="page", key="of both")
    ask(visitor_browser, house, "of both")
    visitor = Prediction.objects.get(pk=asked["id"]).feed_key
    claim_visitor_predictions(visitor_feed_key=visitor, user=ada)
    again = asking.ask(features=house, caller=user_too, address="", source="page", key="a-key")
    assert str(again.pk) == asked["id"]


def test_keys_are_forgotten_after_a_day(program, house):
    ask(program, house, "old")
    IdempotencyKey.objects.update(created_at=making.timezone.now() - idempotency.KEPT)
    ask(program, house, "young")
    assert idempotency.forget_old_keys(seconds=1) == 1
    assert IdempotencyKey.objects.get().key == "young"
    assert Prediction.objects.count() == 2


# -- at the same moment --------------------------------------------------------------------------------------------
def test_many_at_the_same_moment_make_one_row(house, monkeypatch):
    at_once = 8
    together = threading.Barrier(at_once)
    looked = idempotency.asked_before

    def look_and_wait(**of_whom):
        """All of them find nothing before the first one stores."""
        found = looked(**of_whom)
        if found is None:
            together.wait(10)
        return found

    monkeypatch.setattr(asking.idempotency, "asked_before", look_and_wait)

    def ask_once(_: int):
        try:
            prediction = asking.ask(
                features=house, caller=making.visitor(), address="::1", source="api", key="double click"
            )
            return prediction.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(at_once) as threads:
        ids = set(threads.map(ask_once, range(at_once)))
    assert len(ids) == 1
    assert Prediction.objects.count() == IdempotencyKey.objects.count() == 1


def test_of_two_questions_at_the_same_moment_under_one_key_one_is_refused(house, monkeypatch):
    together = threading.Barrier(2)
    check = asking.supported

    def check_together(question):
        together.wait(10)
        return check(question)

    monkeypatch.setattr(asking, "supported", check_together)

    def ask_once(age: int) -> str:
        try:
            changed = house | {"house_age": age}
            asking.ask(features=changed, caller=making.visitor(), address="::1", source="api", key="one key")
            return "asked"
        except idempotency.KeyReused:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(ask_once, (1, 2))) == ["asked", "refused"]
    assert Prediction.objects.count() == 1


# -- the page's form -----------------------------------------------------------------------------------------------
@pytest.fixture
def form(house) -> dict:
    numbers = {**{name: value for name, value in house.items() if name != "med_inc"}, "median_income_usd": 39_000}
    return {**numbers, "key": "given-by-the-page"}


def test_the_page_gives_each_form_a_key_of_its_own(client):
    keys = [client.get("/").context["form"]["key"].value() for _ in range(2)]
    assert len(set(keys)) == 2


def test_a_form_that_is_sent_twice_asks_once(visitor_browser, form):
    first, again = visitor_browser.post("/", form), visitor_browser.post("/", form)
    assert first.status_code == 302
    assert first["Location"] == again["Location"]
    assert Prediction.objects.count() == 1


def test_a_form_that_the_browsers_history_brought_back_asks_what_was_changed(visitor_browser, form):
    first, changed = visitor_browser.post("/", form), visitor_browser.post("/", form | {"house_age": 3})
    assert first["Location"] != changed["Location"]
    assert Prediction.objects.count() == 2


@pytest.mark.parametrize("key", ["", "no key", "x" * 500])
def test_a_form_without_a_key_is_taken_all_the_same(visitor_browser, form, key):
    assert visitor_browser.post("/", form | {"key": key}).status_code == 302
    assert visitor_browser.post("/", form | {"key": key}).status_code == 302
    assert Prediction.objects.count() == 2


def test_a_form_that_is_shown_again_with_its_errors_keeps_its_key(visitor_browser, form):
    shown = visitor_browser.post("/", form | {"house_age": 999})
    assert shown.status_code == 422
    assert 'value="given-by-the-page"' in shown.content.decode()


def test_another_browser_with_the_same_form_asks_for_itself(form):
    for name in "12":
        assert browser_of(making.visitor(name)).post("/", form).status_code == 302
    assert Prediction.objects.count() == 2
