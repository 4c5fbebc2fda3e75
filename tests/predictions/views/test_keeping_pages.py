"""What an owner keeps with predictions: notes, shared links, sales; pins, files, and their end."""

import csv
import io
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from predictions import keeping, services
from predictions.admission import LineFull, admission
from predictions.callers import Caller
from predictions.chart import price_chart
from predictions.models import Note, Prediction, Sale, SharedLink
from tests import making
from tests.predictions.conftest import browser_of, streamed

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def mine(ada) -> Prediction:
    return making.answered(Caller.of_user(ada))


@pytest.fixture
def eve(db) -> Client:
    return browser_of(Caller.of_user(making.user("eve")))


def text_of(response) -> str:
    return response.content.decode()


def of_page(browser: Client, prediction: Prediction) -> str:
    return text_of(browser.get(f"/predictions/{prediction.pk}"))


def noted(prediction: Prediction, text: str = "", tags: str = "") -> None:
    keeping.write_note(prediction=prediction, text=text, tags=keeping.tags_in(tags))


# -- whose it is -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["note", "sale", "delete"])
def test_only_the_owner_is_given_the_form(signed_in, eve, client, mine, address):
    assert signed_in.get(f"/predictions/{mine.pk}/{address}").status_code == 200
    for stranger in (eve, client):
        assert stranger.get(f"/predictions/{mine.pk}/{address}").status_code == 404


@pytest.mark.parametrize("address", ["note", "sale", "sale/withdraw", "share", "share/stop", "pin", "unpin", "delete"])
def test_only_the_owner_changes_anything(eve, mine, address):
    assert eve.post(f"/predictions/{mine.pk}/{address}", {"text": "x", "price": 1}).status_code == 404
    assert Prediction.objects.filter(pk=mine.pk, note=None, sale=None, shared_link=None).exists()


def test_what_is_kept_is_shown_to_the_owner_alone(visitor_browser, client):
    prediction = making.answered(making.visitor())
    noted(prediction, "by the sea")
    assert "by the sea" in of_page(visitor_browser, prediction)
    assert "by the sea" not in of_page(client, prediction)


# -- notes -----------------------------------------------------------------------------------------------------------
def test_a_note_with_tags_is_written_changed_and_taken_away(signed_in, mine):
    address = f"/predictions/{mine.pk}/note"
    signed_in.post(address, {"tags": "Coast, to  visit,coast,", "text": "<b>by the sea</b>"})
    assert Note.objects.get().tag_list == ["coast", "to visit"]
    assert "&lt;b&gt;by the sea&lt;/b&gt;" in of_page(signed_in, mine)
    assert "coast, to visit" in text_of(signed_in.get(address))
    signed_in.post(address, {"tags": "", "text": ""})
    assert not Note.objects.exists()


@pytest.mark.parametrize("tags", [",".join("abcdefghijk"), "x" * 31])
def test_too_many_or_too_long_tags_are_told_at_the_field(signed_in, mine, tags):
    response = signed_in.post(f"/predictions/{mine.pk}/note", {"tags": tags, "text": ""})
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["tags"])


def test_the_database_keeps_no_note_that_says_nothing(mine):
    with pytest.raises(IntegrityError), transaction.atomic():
        Note.objects.create(prediction=mine)


# -- the history -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "count"), [("sea", 1), ("SEA house", 1), ("sea mountain", 0), ("coast", 1), ("%", 0), ("", 2)]
)
def test_the_history_is_searched_by_words_of_notes_and_tags(signed_in, ada, mine, words, count):
    making.answered(Caller.of_user(ada))
    noted(mine, "The house by the sea", "coast")
    assert len(signed_in.get("/history", {"words": words}).context["page"]) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"price_min": 500, "price_max": 100}, "price_min"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "since"),
    ],
)
def test_a_search_that_ends_before_it_begins_is_told_so_at_its_field(signed_in, mine, query, field):
    response = signed_in.get("/history", query)
    assert list(response.context["form"].errors) == [field]
    assert response.context["form"].errors[field][0] in text_of(response)


def test_a_search_may_end_where_it_begins(signed_in, mine):
    query = {"price_min": 452_600, "price_max": 452_600}
    assert list(signed_in.get("/history", query).context["page"]) == [mine]


def test_the_history_is_sorted(signed_in, ada):
    prices = (200_000, 100_000, 300_000)
    for price in prices:
        prediction = making.accepted(Caller.of_user(ada))
        services.record_answers([making.answer(prediction.pk, price=price, low=1, high=400_000)])
    making.accepted(Caller.of_user(ada))

    def order(name: str) -> list[int | None]:
        return [prediction.price for prediction in signed_in.get("/history", {"order": name}).context["page"]]

    assert order("") == [None, *reversed(prices)]
    assert order("oldest") == [*prices, None]
    assert order("dearest") == [300_000, 200_000, 100_000, None]
    assert order("cheapest") == [100_000, 200_000, 300_000, None]


def test_the_history_is_drawn_over_time(signed_in, ada, mine):
    assert "answers over time" not in text_of(signed_in.get("/history"))
    later = making.answered(Caller.of_user(ada))
    chart = price_chart([later, mine])
    assert [point.x for point in chart.points] == [1, 99]
    assert all(0 <= point.high_y < point.price_y < point.low_y <= 100 for point in chart.points)
    assert "2 answers over time: $452,600 to $452,600" in text_of(signed_in.get("/history"))


def test_the_chart_says_seconds_where_minutes_would_be_the_same_at_both_ends(signed_in, ada, mine):
    began_at = datetime(2026, 5, 4, 12, 30, 7, tzinfo=UTC)
    later = making.answered(Caller.of_user(ada))
    for prediction, seconds in ((mine, 0), (later, 42)):
        Prediction.objects.filter(pk=prediction.pk).update(requested_at=began_at + timedelta(seconds=seconds))
    page = text_of(signed_in.get("/history"))
    assert "<span>4 May 2026, 12:30:07</span>" in page
    assert "<span>4 May 2026, 12:30:49</span>" in page
    Prediction.objects.filter(pk=later.pk).update(requested_at=began_at + timedelta(seconds=60))
    assert "<span>4 May 2026, 12:31</span>" in text_of(signed_in.get("/history"))


def test_the_name_of_a_pin_begins_with_what_stands_on_it(signed_in, mine):
    assert 'aria-label="Pin to compare: $452,600 at ' in text_of(signed_in.get("/history"))
    signed_in.post(f"/predictions/{mine.pk}/pin")
    assert 'aria-label="Unpin: $452,600 at ' in text_of(signed_in.get("/history"))


# -- files -----------------------------------------------------------------------------------------------------------
def test_the_filtered_history_is_taken_along_as_csv(signed_in, ada, mine):
    making.accepted(Caller.of_user(ada))
    noted(mine, '=HYPERLINK("http://evil.example")', "coast, sea")
    keeping.report_sale(prediction=mine, price=460_000, sold_on=None)
    response = signed_in.get("/history.csv?status=answered")
    [row] = csv.DictReader(io.StringIO(streamed(response)))
    assert (row["id"], row["price"], row["sold_for"], row["tags"]) == (str(mine.pk), "452600", "460000", "coast, sea")
    assert float(row["longitude"]) == mine.features["longitude"]
    assert row["note"].startswith("'=")
    assert response["Content-Disposition"] == 'attachment; filename="predictions.csv"'


def test_the_filtered_history_is_taken_along_as_json_in_its_order(signed_in, ada, mine, monkeypatch):
    monkeypatch.setattr("predictions.export._PIECE", 3)
    noted(mine, tags="coast")
    newer = [making.answered(Caller.of_user(ada)) for _ in range(7)]
    making.accepted(Caller.of_user(ada))
    found = json.loads(streamed(signed_in.get("/history.json?status=answered")))
    assert [one["id"] for one in found] == [str(one.pk) for one in (*reversed(newer), mine)]
    assert (found[-1]["tags"], found[-1]["sale"]) == (["coast"], None)


def test_a_file_of_nothing_is_whole(client):
    assert json.loads(streamed(client.get("/history.json"))) == []
    assert streamed(client.get("/history.csv")).startswith("id,status,")


@pytest.mark.parametrize("address", ["/history.json", "/history.csv"])
def test_a_search_that_can_not_be_read_gives_no_file_and_says_why(client, address):
    response = client.get(f"{address}?status=nonsense")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["status"]


FILES = ["/history.json", "/history.csv", "/accounts/data.json"]


@pytest.mark.parametrize("address", FILES)
def test_a_program_takes_the_files_of_its_account_along(program, mine, address):
    assert str(mine.pk) in streamed(program.get(address))


@pytest.mark.parametrize("address", FILES)
def test_a_wrong_token_is_given_no_file_even_of_a_signed_in_browser(signed_in, address):
    response = signed_in.get(address, headers={"Authorization": "Token nonsense"})
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")
    assert (response.json()["code"], response["WWW-Authenticate"]) == ("bad_token", "Token")


# -- sharing ---------------------------------------------------------------------------------------------------------
def test_a_shared_link_is_read_by_anybody_until_it_is_revoked(signed_in, client, mine):
    noted(mine, "only mine")
    signed_in.post(f"/predictions/{mine.pk}/share")
    link = re.search(r"http://testserver(/shared/[\w-]{32})<", of_page(signed_in, mine))[1]
    shared = client.get(link)
    assert "$452,600" in text_of(shared)
    assert "only mine" not in text_of(shared)
    assert str(mine.pk) not in text_of(shared)
    assert shared["X-Robots-Tag"] == "noindex"
    signed_in.post(f"/predictions/{mine.pk}/share/stop")
    assert client.get(link).status_code == 404
    signed_in.post(f"/predictions/{mine.pk}/share")
    assert client.get(link).status_code == 404


def test_sharing_twice_keeps_the_link(mine):
    assert keeping.share(mine).key == keeping.share(mine).key
    assert SharedLink.objects.count() == 1


def test_a_wrong_key_leads_nowhere(client, mine):
    keeping.share(mine)
    stranger = client.get(f"/shared/{uuid.uuid4().hex}")
    assert stranger.status_code == 404
    assert "This link leads nowhere" in text_of(stranger)
    assert "sign in first" not in text_of(stranger)


# -- sales -----------------------------------------------------------------------------------------------------------
def test_a_sale_is_reported_once_and_each_change_is_audited(signed_in, ada, mine):
    address = f"/predictions/{mine.pk}/sale"
    signed_in.post(address, {"price": 460_000, "sold_on": "1990-05-01"})
    signed_in.post(address, {"price": 470_000, "sold_on": ""})
    sale = Sale.objects.get()
    assert (sale.price, sale.sold_on) == (470_000, None)
    assert [(was.price, was.history_user) for was in sale.history.all()] == [(470_000, ada), (460_000, ada)]
    assert "$470,000" in of_page(signed_in, mine)
    signed_in.post(f"{address}/withdraw")
    assert not Sale.objects.exists()
    assert Sale.history.first().history_type == "-"


@pytest.mark.parametrize(
    ("field", "value"), [("price", "0"), ("price", "10000001"), ("price", ""), ("sold_on", "2999-01-01")]
)
def test_a_sale_that_can_not_be_is_told_at_the_field(signed_in, mine, field, value):
    response = signed_in.post(f"/predictions/{mine.pk}/sale", {"price": "1", "sold_on": "", field: value})
    assert (response.status_code, list(response.context["form"].errors)) == (422, [field])
    assert not Sale.objects.exists()


def test_a_sale_is_filled_in_and_shown_in_the_dollars_that_were_chosen(signed_in, mine):
    signed_in.cookies["units"] = "2024.dollars.km"
    address = f"/predictions/{mine.pk}/sale"
    shown = signed_in.get(address)
    assert "was $1,086,240 in dollars of 2024" in text_of(shown)
    signed_in.cookies["units"] = ""  # In another tab, meanwhile.
    signed_in.post(address, {"price": 1_104_000, "units": shown.context["form"]["units"].value()})
    assert Sale.objects.get().price == 460_000
    signed_in.cookies["units"] = "2024.dollars.km"
    assert signed_in.get(address).context["form"]["price"].value() == 1_104_000


@pytest.mark.parametrize("told", [500_000, 350_000, 1_000_000, 999_999])
def test_a_sale_in_other_dollars_is_read_back_as_it_was_told(signed_in, mine, told):
    signed_in.cookies["units"] = "2024.dollars.km"
    address = f"/predictions/{mine.pk}/sale"
    signed_in.post(address, {"price": told, "units": signed_in.get(address).context["form"]["units"].value()})
    assert signed_in.get(address).context["form"]["price"].value() == told
    assert f"<strong>${told:,}</strong>" in text_of(signed_in.get(f"/predictions/{mine.pk}"))
    assert signed_in.get(f"/api/v1/predictions/{mine.pk}/sale").json()["price"] == round(told / 2.4)


@pytest.mark.parametrize(("price", "status"), [(2, 422), (3, 302), (24_000_000, 302), (24_000_001, 422)])
def test_a_sale_in_other_dollars_has_the_same_limits(signed_in, mine, price, status):
    signed_in.cookies["units"] = "2024.dollars.km"
    assert signed_in.post(f"/predictions/{mine.pk}/sale", {"price": price}).status_code == status


def test_a_sale_needs_an_answer_and_an_account(signed_in, ada, visitor_browser):
    waiting, visitors = making.accepted(Caller.of_user(ada)), making.answered(making.visitor())
    for browser, prediction in ((signed_in, waiting), (visitor_browser, visitors)):
        assert browser.post(f"/predictions/{prediction.pk}/sale", {"price": 1}).status_code == 404


# -- pins ------------------------------------------------------------------------------------------------------------
def test_up_to_four_lie_side_by_side(visitor_browser):
    five = [making.answered(making.visitor()) for _ in range(5)]
    for prediction in five:
        page = visitor_browser.post(f"/predictions/{prediction.pk}/pin", follow=True)
    assert page.context["pinned"] == five[:4]
    assert "room for 4" in text_of(page)
    visitor_browser.post(f"/predictions/{five[0].pk}/unpin")
    visitor_browser.post(f"/predictions/{five[4].pk}/pin")
    assert visitor_browser.get("/compare").context["pinned"] == five[1:]


def test_what_differs_is_marked(visitor_browser):
    first, second = (making.answered(making.visitor()) for _ in range(2))
    Prediction.objects.filter(pk=second.pk).update(features={**second.features, "house_age": 7})
    for prediction in (first, second):
        visitor_browser.post(f"/predictions/{prediction.pk}/pin")
    features = visitor_browser.get("/compare").context["features"]
    assert [box.name for box, _, differs in features if differs] == ["house_age"]


# -- its end ---------------------------------------------------------------------------------------------------------
def test_a_prediction_is_deleted_with_all_that_is_kept_with_it(signed_in, mine):
    noted(mine, "x")
    keeping.share(mine)
    keeping.report_sale(prediction=mine, price=1, sold_on=None)
    signed_in.post(f"/predictions/{mine.pk}/pin")
    assert signed_in.post(f"/predictions/{mine.pk}/delete")["Location"] == "/history"
    kept = (Prediction, Note, SharedLink, Sale, Sale.history.model)
    assert [model.objects.count() for model in kept] == [0] * 5
    assert signed_in.get("/history").context["pinned_ids"] == []


def test_one_on_its_way_is_not_deleted(signed_in, ada):
    waiting = making.published(Caller.of_user(ada))
    signed_in.post(f"/predictions/{waiting.pk}/delete")
    assert Prediction.objects.filter(pk=waiting.pk).exists()


def test_what_is_kept_comes_along_with_the_visitors_prediction(visitor_browser, ada):
    prediction = making.answered(making.visitor())
    noted(prediction, "by the sea")
    visitor_browser.post("/accounts/login/", {"username": "ada", "password": "correct horse"})
    assert "by the sea" in of_page(visitor_browser, prediction)


# -- asked again -----------------------------------------------------------------------------------------------------
def test_asking_again_is_a_new_question_that_lies_beside_the_old_answer(signed_in, mine):
    for _ in range(3):
        signed_in.post(f"/predictions/{making.answered(Caller(mine.feed_key, mine.owner)).pk}/pin")
    last = making.answered(Caller(mine.feed_key, mine.owner))
    Prediction.objects.filter(pk=last.pk).update(price=399_999)
    signed_in.post(f"/predictions/{last.pk}/pin")
    page = signed_in.post(f"/predictions/{mine.pk}/again", follow=True)
    again = Prediction.objects.get(status=Prediction.Status.ACCEPTED)
    assert page.redirect_chain == [(f"/predictions/{again.pk}", 302)]
    assert again.features == mine.features
    told = text_of(page)
    assert "There is room for 4: $452,600, " in told
    assert "There is room for 4: $399,999, " in told
    pinned = signed_in.get("/compare").context["pinned"]
    assert (pinned[:2], len(pinned)) == ([mine, again], 4)


def test_asking_again_unpins_nothing_where_there_is_room(signed_in, mine):
    beside = [making.answered(Caller(mine.feed_key, mine.owner)) for _ in range(2)]
    for prediction in beside:
        signed_in.post(f"/predictions/{prediction.pk}/pin")
    assert "no longer pinned" not in text_of(signed_in.post(f"/predictions/{mine.pk}/again", follow=True))
    assert signed_in.get("/compare").context["pinned"][2:] == beside


def test_asking_again_by_a_double_click_asks_once(signed_in, mine):
    key = signed_in.get(f"/predictions/{mine.pk}").context["again_key"]
    first, second = (signed_in.post(f"/predictions/{mine.pk}/again", {"key": key})["Location"] for _ in range(2))
    assert first == second
    assert Prediction.objects.count() == 2


def test_what_can_not_be_asked_any_more_is_told(signed_in, mine):
    signed_in.cookies["units"] = "1990.dollars.mi"
    Prediction.objects.filter(pk=mine.pk).update(features={**mine.features, "latitude": 33.0, "longitude": -124.0})
    page = text_of(signed_in.post(f"/predictions/{mine.pk}/again", follow=True))
    assert "asked again: No block group with a known price lies within 25 miles" in page
    assert Prediction.objects.count() == 1


def test_asking_again_too_often_is_refused(signed_in, mine, settings):
    settings.USER_RATE = "1/h"
    assert [signed_in.post(f"/predictions/{mine.pk}/again").status_code for _ in range(2)] == [302, 429]


def test_asking_again_at_a_closed_door_tells_of_the_line_and_accuses_nobody(signed_in, mine, monkeypatch):
    monkeypatch.setattr(admission, "check", Mock(side_effect=LineFull(expected_seconds=40, retry_after=7)))
    told = "So many questions wait that an answer would take about 40 s; try again in 7 s."
    assert told in text_of(signed_in.post(f"/predictions/{mine.pk}/again"))


def test_the_button_leads_back_to_its_page_and_to_no_other_site(signed_in, mine):
    address = f"/predictions/{mine.pk}/pin"
    assert signed_in.post(address, {"next": "/history?page=2"})["Location"] == "/history?page=2"
    assert signed_in.post(address, {"next": "https://evil.example/"})["Location"] == "/compare"
    assert signed_in.post(address, {"next": "//evil.example/"})["Location"] == "/compare"
