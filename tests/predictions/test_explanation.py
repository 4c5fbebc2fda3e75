"""Why an answer is what it is, as pages and programs read it."""

import pytest

from mlmodel.reasons import PLAYERS
from predictions.callers import Caller
from predictions.explanation import alike, bars, explanation_of
from predictions.units import Units
from tests import making

pytestmark = pytest.mark.django_db


def test_the_contributions_in_whole_dollars_add_up_to_the_price(champions_answer):
    told = explanation_of(champions_answer)
    assert told.reference_price + sum(part.dollars for part in told.contributions) == told.price
    assert {part.player for part in told.contributions} == set(PLAYERS)
    sizes = [abs(part.dollars) for part in told.contributions]
    assert sizes[0] == max(sizes)


def test_the_plot_goes_from_the_median_block_group_to_the_estimate(champions_answer):
    plot = bars(explanation_of(champions_answer), champions_answer.features, Units())
    assert (plot[0].label, plot[-1].label) == ("The median block group", "This estimate")
    assert all(0 <= bar.begin_percent <= 100 for bar in plot)
    income = next(bar for bar in plot if bar.label == "Household income")
    assert income.values == "35,348 against 35,348"


def test_in_other_dollars_the_parts_still_add_up_and_the_plot_is_the_same(champions_answer):
    told, of_2024 = explanation_of(champions_answer), Units(money="2024")
    first, *parts, last = bars(told, champions_answer.features, of_2024)
    assert first.dollars + sum(part.dollars for part in parts) == last.dollars == of_2024.dollars(told.price)
    assert [bar.begin_percent for bar in parts] == [
        bar.begin_percent for bar in bars(told, champions_answer.features, Units())[1:-1]
    ]


def test_the_page_of_an_answer_tells_reasons_and_what_is_alike(signed_in, champions_answer):
    page = signed_in.get(f"/predictions/{champions_answer.pk}").content.decode()
    assert "Why this price" in page
    assert "Rooms per home" in page
    assert page.count("data-latitude") == 5


def test_programs_read_the_reasons(program, champions_answer):
    told = program.get(f"/api/v1/predictions/{champions_answer.pk}/reasons").json()
    assert told["reference_price"] + sum(told["contributions"].values()) == told["price"]
    assert "median" in told["reference"]


def test_programs_read_the_most_similar_block_groups(program, champions_answer):
    told = program.get(f"/api/v1/predictions/{champions_answer.pk}/comparables").json()
    assert len(told["comparables"]) == 5
    assert told["comparables"] == sorted(told["comparables"], key=lambda group: -group["similarity"])
    assert told["comparables"][0].keys() == {"price", "km", "similarity", "features"}


def test_a_question_copied_from_the_page_is_not_compared_with_itself(client, champions_answer):
    here = client.get("/api/v1/block-groups/nearest", {"latitude": 37.77, "longitude": -122.42}).json()
    champions_answer.features = {name: round(value, 4) for name, value in here["features"].items()}
    assert max(group["similarity"] for group in alike(champions_answer)) < 0.999


def test_without_an_answer_there_are_no_reasons(program, ada):
    waiting = making.accepted(Caller.of_user(ada))
    response = program.get(f"/api/v1/predictions/{waiting.pk}/reasons")
    assert response.status_code == 404
    assert "no answer" in response.json()["detail"]


def test_when_the_model_is_gone_the_page_says_so_and_shows_the_rest(signed_in, ada):
    answered = making.answered(Caller.of_user(ada))
    page = signed_in.get(f"/predictions/{answered.pk}").content.decode()
    assert "no longer here" in page
    assert page.count("data-latitude") == 5


@pytest.mark.parametrize("address", ["/predictions/{}/explanation", "/api/v1/predictions/{}/reasons"])
def test_a_strangers_explanation_is_nobody_elses(client, champions_answer, address):
    assert client.get(address.format(champions_answer.pk)).status_code == 404
