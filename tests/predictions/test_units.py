"""The units in which people read and fill in: chosen once, on every page, and never in what is stored."""

import pytest
from django.test import Client

from mlmodel.dataset import load_housing
from predictions.callers import Caller
from predictions.contract import FIELDS
from predictions.forms import HouseForm
from predictions.inputs import filled_in, inputs
from predictions.models import Prediction, Profile
from predictions.units import Units
from tests import making
from tests.predictions.accounts.test_own_account import UNITS

pytestmark = pytest.mark.django_db
EVERY = [Units(money, income) for money in Profile.Money.values for income in Profile.Income.values]
OF_2024 = Units(**UNITS)


@pytest.fixture
def chooser(client) -> Client:
    """A visitor's browser in which dollars of 2024 and miles were chosen."""
    client.post("/units", UNITS)
    return client


def text_of(response) -> str:
    return response.content.decode()


# -- what people read ------------------------------------------------------------------------------------------------
def test_a_visitors_choice_counts_on_every_page(chooser):
    for address in ("/", "/about", "/history", "/compare", "/units", "/accounts/login/", "/nowhere"):
        assert "Shown in dollars of 2024 and miles" in text_of(chooser.get(address))


def test_an_account_shows_its_own_units_in_any_browser(signed_in, ada):
    signed_in.cookies["units"] = str(OF_2024)
    assert "dollars of 2024" in text_of(signed_in.get("/")), "nothing was saved in the profile yet"
    signed_in.post("/accounts/", {**UNITS, "theme": "", "money": "1990"})
    assert "Shown in dollars of 1990 and miles" in text_of(signed_in.get("/history"))
    assert signed_in.get("/units")["Location"] == "/accounts/"


@pytest.mark.parametrize("text", ["", "nonsense", "2025.dollars.km", "..", "1990.dollars.km.more", "é"])
def test_a_cookie_that_names_no_units_is_as_if_there_were_none(client, text):
    client.cookies["units"] = text
    assert "Shown in dollars of 1990 and km" in text_of(client.get("/"))


def test_an_answer_is_shown_in_the_dollars_that_were_chosen(signed_in, champions_answer):
    signed_in.cookies["units"] = str(OF_2024)
    page = text_of(signed_in.get(f"/predictions/{champions_answer.pk}"))
    for words in ("$1,086,240", "in dollars of 2024", "$936,000 to $1,200,002", "counting at $1.2 million", "miles"):
        assert words in page
    assert "$452,600" not in page


@pytest.mark.parametrize("address", ["/", "/about"])
def test_where_the_census_stopped_counting_is_said_as_people_say_it(client, address):
    assert "$500,001" in text_of(client.get(address))
    client.cookies["units"] = str(OF_2024)
    page = text_of(client.get(address))
    assert "$1.2 million" in page
    assert "$1,200,002" not in page


def test_incomes_of_similar_block_groups_are_in_the_unit_of_their_box(signed_in, champions_answer):
    address = f"/predictions/{champions_answer.pk}"
    [first, *_] = signed_in.get(address).context["alike"]
    income = first["features"]["med_inc"]
    for units in (Units(), OF_2024, Units(income="data-set")):
        signed_in.cookies["units"] = str(units)
        assert f'<td class="number">{units.income_in_words(income)}</td>' in text_of(signed_in.get(address))
    assert Units(income="data-set").income_in_words(3.5348) == "3.53"
    assert OF_2024.income_in_words(3.5348) == "$84,835"


def test_files_of_the_history_say_whose_dollars_they_hold(signed_in, ada):
    making.answered(Caller.of_user(ada))
    assert "prices in dollars of 1990" not in text_of(signed_in.get("/history"))
    signed_in.cookies["units"] = str(OF_2024)
    assert "prices in dollars of 1990" in text_of(signed_in.get("/history"))


def test_the_cookie_of_the_units_is_as_safe_as_that_of_the_session(client, settings):
    settings.SESSION_COOKIE_SECURE = True
    assert client.post("/units", UNITS).cookies["units"]["secure"]


def test_the_history_is_searched_in_the_dollars_that_are_shown(signed_in, ada):
    making.answered(Caller.of_user(ada))
    signed_in.cookies["units"] = str(OF_2024)
    for query, count in {
        "price_min=1086240&price_max=1086240": 1,
        "price_min=1086250": 0,
        "price_max=452600": 0,
    }.items():
        assert len(signed_in.get(f"/history?{query}").context["page"]) == count


def test_programs_read_dollars_of_1990_whatever_the_account_has_chosen(program, signed_in, ada):
    prediction = making.answered(Caller.of_user(ada))
    signed_in.post("/accounts/", {**UNITS, "theme": ""})
    assert program.get(f"/api/v1/predictions/{prediction.pk}").json()["price"] == 452_600


# -- what people fill in ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("units", EVERY, ids=str)
def test_what_is_filled_in_is_asked_in_the_units_of_the_contract(client, house, units):
    client.cookies["units"] = str(units)
    client.post("/", filled_in(house, units))
    assert Prediction.objects.get().features == pytest.approx(house)


@pytest.mark.parametrize("units", EVERY, ids=str)
def test_every_block_group_can_be_filled_in(units):
    incomes = load_housing().X[:, 0]
    [income] = [box for box in inputs(units) if box.field.name == "med_inc"]
    assert all(income.field.hard.hold(income.asked(income.shown(value))) for value in {incomes.min(), incomes.max()})


def test_a_form_is_read_in_the_units_in_which_it_was_shown(client, house):
    shown = client.get("/").context["form"]["units"].value()
    client.post("/units", UNITS)  # In another tab, meanwhile.
    client.post("/", filled_in(house, Units()) | {"units": shown})
    assert Prediction.objects.get().features == pytest.approx(house)


@pytest.mark.parametrize("units", EVERY, ids=str)
def test_a_slider_reaches_from_end_to_end_in_any_units(units):
    for box, shown in HouseForm(units=units).sliders():
        assert box.slider.percent(box.slider.highest) == 100
        assert shown.initial == pytest.approx(box.field.typical * box.per)
    assert [box.field for box in inputs(units)] == list(FIELDS)
