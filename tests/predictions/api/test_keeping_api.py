"""Notes, tags and sales over REST: the owner's alone, checked and kept in the history like those of the page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from predictions.callers import Caller, make_token
from predictions.models import Note, Prediction, Sale
from tests import making

pytestmark = [pytest.mark.database, pytest.mark.django_db]
NOTE = {"text": "By the sea", "tags": ["coast", "to visit"]}
SALE = {"price": 312_000, "sold_on": "2026-03-01"}


@pytest.fixture
def mine(ada) -> Prediction:
    return making.answered(Caller.of_user(ada))


def put(client: Client, prediction: Prediction, part: str, body: object):
    return client.put(f"/api/v1/predictions/{prediction.pk}/{part}", body, content_type="application/json")


def errors_of(response) -> set[str]:
    return {error["field"] for error in response.json()["errors"]}


# -- notes -----------------------------------------------------------------------------------------------------------
def test_a_note_is_written_read_and_taken_away(program, mine):
    address = f"/api/v1/predictions/{mine.pk}/note"
    assert program.get(address).json() == {"text": "", "tags": []}
    assert put(program, mine, "note", {**NOTE, "tags": ["Coast", " to  visit", "coast"]}).json() == NOTE
    assert program.get(address).json() == NOTE
    assert program.delete(address).status_code == 204
    assert not Note.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x" * 2001}, "text"),
        ({"text": "\x00"}, "text"),
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": ["x" * 31]}, "tags"),
        ({"tags": [str(number) for number in range(11)]}, "tags"),
        ({"tags": "coast"}, "tags"),
    ],
)
def test_a_note_that_is_too_much_is_told_by_field_and_changes_nothing(program, mine, body, field):
    put(program, mine, "note", NOTE)
    response = put(program, mine, "note", body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_body")
    assert errors_of(response) == {field}
    assert Note.objects.get().text == NOTE["text"]


# -- sales -----------------------------------------------------------------------------------------------------------
def test_a_sale_is_reported_changed_and_withdrawn_and_the_history_says_by_whom(program, ada, mine):
    address = f"/api/v1/predictions/{mine.pk}/sale"
    assert program.get(address).status_code == 404
    assert put(program, mine, "sale", SALE).json() == SALE
    put(program, mine, "sale", {"price": 300_000})
    assert program.get(address).json() == {"price": 300_000, "sold_on": None}
    assert program.delete(address).status_code == 204
    past = Sale.history.filter(prediction_id=mine.pk).order_by("history_id")
    assert [(change.history_type, change.price, change.history_user) for change in past] == [
        ("+", 312_000, ada),
        ("~", 300_000, ada),
        ("-", 300_000, ada),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "price"),
        ({"price": 0}, "price"),
        ({"price": 10_000_001}, "price"),
        ({"price": 1, "sold_on": (datetime.now(UTC) + timedelta(days=2)).date().isoformat()}, "sold_on"),
    ],
)
def test_a_sale_that_can_not_be_is_told_by_field(program, mine, body, field):
    response = put(program, mine, "sale", body)
    assert (response.status_code, errors_of(response)) == (400, {field})
    assert not Sale.objects.exists()


def test_what_has_no_answer_was_not_sold(program, ada):
    response = put(program, making.accepted(Caller.of_user(ada)), "sale", SALE)
    assert (response.status_code, response.json()["code"]) == (409, "not_saleable")


# -- names that nobody knows -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("part", "kept", "typo"), [("note", NOTE, {"note": "typo"}), ("sale", SALE, {"price": 1, "soldon": "2026-03-01"})]
)
def test_a_misspelt_member_is_refused_and_what_was_kept_stays(program, mine, part, kept, typo):
    put(program, mine, part, kept)
    response = put(program, mine, part, typo)
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert errors_of(response) == {"note" if part == "note" else "soldon"}
    assert all(name in response.json()["errors"][0]["detail"] for name in kept)
    assert program.get(f"/api/v1/predictions/{mine.pk}/{part}").json() == kept


# -- whose it is -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("part", "body"), [("note", NOTE), ("sale", SALE)])
def test_nobody_else_reads_or_changes_it(mine, client, part, body):
    _, key = make_token(user=making.user("eve"), name="tests")
    eve = Client(headers={"Authorization": f"Token {key}"})
    address = f"/api/v1/predictions/{mine.pk}/{part}"
    for stranger, status in ((eve, 404), (client, 401)):
        answers = [stranger.get(address), put(stranger, mine, part, body), stranger.delete(address)]
        assert [answer.status_code for answer in answers] == [status] * 3
    assert Prediction.objects.filter(pk=mine.pk, note=None, sale=None).exists()


def test_a_session_needs_the_csrf_token(ada, mine):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    assert put(browser, mine, "note", NOTE).status_code == 403
    assert not Note.objects.exists()
