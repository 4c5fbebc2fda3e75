"""The page of one prediction, the history, and what is shown when something is wrong."""

import re
import uuid

import pytest
from django.test import Client, RequestFactory

from predictions import services
from predictions.callers import Caller
from predictions.views import errors, history
from predictions.wording import waterfall
from tests import making
from tests.predictions.conftest import browser_of

pytestmark = [pytest.mark.database, pytest.mark.django_db]
STAGES = {"accepted": 1000, "published": 1010, "prepared": 1005, "scored": 1040, "stored": 1050}


def page_of(client: Client, prediction) -> str:
    response = client.get(f"/predictions/{prediction.pk}")
    assert response.status_code == 200
    return response.content.decode()


# -- one prediction --------------------------------------------------------------------------------------------------
def test_an_answer_is_shown_with_range_model_and_way(signed_in, ada):
    prediction = making.accepted(Caller.of_user(ada))
    services.record_answers([making.answer(prediction.pk, stages=STAGES)])
    page = page_of(signed_in, prediction)
    for words in ("$452,600", "$390,000 to $500,001", "monotone-hgb-1", "a" * 64, "stopped counting", "30 ms"):
        assert words in page
    assert "http-equiv" not in page


def test_a_page_that_waits_comes_again_by_itself(visitor_browser):
    prediction = making.accepted(making.visitor())
    page = page_of(visitor_browser, prediction)
    assert '<meta http-equiv="refresh"' in page
    assert "Waiting for the answer" in page
    assert f"/stream?prediction={prediction.pk}" in page


def test_a_refused_question_shows_the_reason(visitor_browser):
    prediction = making.accepted(making.visitor())
    services.record_refusals([making.refusal(prediction.pk)])
    page = page_of(visitor_browser, prediction)
    assert "too far away" in page
    assert "priced" in page


def test_a_users_prediction_is_nobody_elses(client, ada):
    prediction = making.answered(Caller.of_user(ada))
    eve = browser_of(Caller.of_user(making.user("eve")))
    for stranger in (client, eve):
        assert stranger.get(f"/predictions/{prediction.pk}").status_code == 404


def test_a_visitors_prediction_is_seen_by_whoever_holds_the_id(client, signed_in):
    prediction = making.answered(making.visitor())
    page_of(client, prediction)
    page_of(signed_in, prediction)


def test_no_step_of_the_way_takes_less_than_nothing():
    steps = waterfall(STAGES)
    assert [step.took_ms for step in steps] == [10, 0, 30, 10]
    assert [step.began_ms for step in steps] == [0, 10, 10, 40]
    assert steps[-1].began_percent + steps[-1].took_percent == 100
    assert waterfall({}) == waterfall({"stored": 5}) == []


# -- history ---------------------------------------------------------------------------------------------------------
def test_only_ones_own_history_is_shown(signed_in, ada):
    mine = making.answered(Caller.of_user(ada))
    others = making.answered(Caller.of_user(making.user("eve")))
    page = signed_in.get("/history").content.decode()
    assert str(mine.pk) in page
    assert str(others.pk) not in page


def test_a_visitor_has_a_history_too(visitor_browser):
    mine = making.answered(making.visitor())
    assert str(mine.pk) in visitor_browser.get("/history").content.decode()


def test_an_empty_history_says_what_to_do(client):
    assert "haven't asked anything" in client.get("/history").content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("status=answered", 1),
        ("price_min=452600&price_max=452600", 1),
        ("price_max=1", 0),
        ("since=2000-01-01", 2),
        ("until=2000-01-01", 0),
        ("since=9999-12-31&until=0001-01-01", 0),
        ("status=nonsense", 0),
        ("price_min=99999999999999999999", 0),
        ("since=%00", 0),
    ],
)
def test_the_history_is_searched(signed_in, ada, query, count):
    making.answered(Caller.of_user(ada))
    making.accepted(Caller.of_user(ada))
    response = signed_in.get(f"/history?{query}")
    assert response.status_code == 200
    assert len(response.context["page"]) == count


def test_pages_keep_the_search(signed_in, ada, monkeypatch):
    monkeypatch.setattr(history, "PAGE_SIZE", 1)
    for _ in range(2):
        making.answered(Caller.of_user(ada))
    page = signed_in.get("/history?status=answered").content.decode()
    assert "?status=answered&amp;page=2" in page
    assert re.findall(r'rel="(next|prev)">(\w+)<', page) == [("next", "Next")]
    last = signed_in.get("/history?status=answered&page=2&order=oldest")
    assert len(last.context["page"]) == 1
    assert re.findall(r'rel="(next|prev)">(\w+)<', last.content.decode()) == [("prev", "Previous")]
    assert signed_in.get("/history?page=nonsense").status_code == 200


# -- when something is wrong -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/nowhere", f"/predictions/{uuid.UUID(int=0)}", "/predictions/7"])
def test_what_is_not_there_has_a_page(client, address):
    response = client.get(address)
    assert response.status_code == 404
    assert "Nothing here" in response.content.decode()


def test_a_fault_of_ours_has_a_page_that_needs_nothing_else(client, monkeypatch, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = errors.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Our fault" in response.content.decode()


@pytest.mark.parametrize("status", [400, 403])
def test_other_refusals_have_pages(status):
    view = {400: errors.bad_request, 403: errors.permission_denied}[status]
    assert view(RequestFactory().get("/"), Exception()).status_code == status


def test_robots_and_icon_are_there(client):
    assert "Disallow: /predictions/" in client.get("/robots.txt").content.decode()
    assert client.get("/favicon.ico")["Location"] == "/static/favicon.svg"
