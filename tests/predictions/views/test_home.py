"""The page without JavaScript, and what it hands to its scripts."""

from html import unescape

import pytest
from django.test import Client

from predictions.callers import VISITOR_COOKIE, Caller
from predictions.contract import FIELDS
from predictions.forms import HouseForm
from predictions.inputs import EXAMPLES
from predictions.location import block_group_near
from predictions.models import Prediction
from predictions.services import latest_cursor
from predictions.units import Units
from predictions.wording import flag_words
from tests import making

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def page_house(house) -> dict[str, float]:
    """`house` as the boxes of the page have it."""
    return {**{name: value for name, value in house.items() if name != "med_inc"}, "median_income_usd": 39_000}


def test_the_form_has_the_contracts_fields_with_ranges_and_typical_values():
    form = HouseForm(units=Units())
    assert [box.field for box, _ in form.rows()] == list(FIELDS)
    for box, shown in form.rows():
        attributes = form.fields[box.name].widget.attrs
        assert float(attributes["max"]) == pytest.approx(box.field.hard.max * box.per)
        assert float(attributes["min"]) == pytest.approx(max(box.field.hard.min, box.field.hard.above) * box.per)
        assert shown.initial == pytest.approx(box.field.typical * box.per)
        assert box.unit in shown.help_text


def test_the_page_asks_for_income_in_dollars(client, page_house):
    client.post("/", page_house)
    assert Prediction.objects.get().features["med_inc"] == 3.9


def test_a_slider_shows_the_typical_value_within_the_soft_range():
    for box, _ in HouseForm(units=Units()).sliders():
        begin, width = box.soft_percent
        assert 0 <= begin < box.typical_percent < begin + width <= 100
        assert box.slider is not None
        assert box.slider.percent(box.slider.lowest) == 0
        assert box.slider.percent(box.slider.highest) == 100


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_fills_in_the_numbers_of_its_block_group(client, example):
    page = client.get("/", {"latitude": example.latitude, "longitude": example.longitude})
    known = block_group_near(example.latitude, example.longitude)
    assert known["km"] < 2
    assert page.context["form"]["population"].value() == known["features"]["population"]
    assert page.context["form"]["median_income_usd"].value() == round(known["features"]["med_inc"] * 10_000, 4)


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("latitude=1&longitude=1", {"latitude": "must be between", "longitude": "must be between"}),
        ("latitude=36.1&longitude=-115.1", {"latitude": "within 40 km"}),
        ("latitude=37", {"longitude": "Type the longitude, between -124.35 and -114.31"}),
        ("latitude=nan&longitude=x", {"latitude": "Enter a number", "longitude": "Enter a number"}),
    ],
)
def test_an_address_that_names_no_place_says_so_at_its_fields(client, query, faults):
    page = client.get(f"/?{query}")
    form = page.context["form"]
    assert page.status_code == 200
    assert form["median_income_usd"].value() == 35_348
    assert form.errors.keys() == faults.keys()
    for field, words in faults.items():
        assert words in form.errors[field][0]
        assert form.errors[field][0] in unescape(page.content.decode())


def test_a_question_without_javascript_leads_to_its_page(client, house, page_house):
    response = client.post("/", page_house)
    prediction = Prediction.objects.get()
    assert response["Location"] == f"/predictions/{prediction.pk}"
    assert (prediction.source, prediction.owner, prediction.features) == ("page", None, house)
    assert VISITOR_COOKIE in response.cookies


def test_a_signed_in_question_is_its_users(signed_in, ada, page_house):
    signed_in.post("/", page_house)
    assert Prediction.objects.get().owner == ada


def test_the_form_needs_the_csrf_token(page_house):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/", page_house)
    assert response.status_code == 403
    assert "Please try that again" in response.content.decode()


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"median_income_usd": "990000"}, "median_income_usd", "Household income must be between 4,999 and 150,001"),
        ({"median_income_usd": ""}, "median_income_usd", "Type the household income, between 4,999 and 150,001"),
        ({"median_income_usd": "NaN"}, "median_income_usd", "Enter a number"),
        ({"median_income_usd": "1e999"}, "median_income_usd", "Enter a number"),
        ({"population": "many"}, "population", "Enter a number"),
        ({"longitude": "-124.3"}, "latitude", "within 40 km"),
    ],
)
def test_a_fault_is_said_at_its_field_and_the_numbers_stay(client, page_house, change, field, words):
    response = client.post("/", page_house | change)
    assert response.status_code == 422
    assert words in str(response.context["form"].errors[field])
    assert 'value="41"' in response.content.decode()
    assert not Prediction.objects.exists()


def test_asking_too_often_says_how_long_to_wait(client, page_house, settings):
    settings.VISITOR_RATE = "1/m"
    client.post("/", page_house)
    response = client.post("/", page_house)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Too many questions" in response.content.decode()


def test_a_visitor_is_known_at_the_first_look(client):
    assert VISITOR_COOKIE in client.get("/").cookies


def test_the_page_hands_over_the_cursor_and_the_recent_questions(signed_in, ada):
    mine = making.answered(Caller.of_user(ada))
    making.answered(making.visitor())
    response = signed_in.get("/")
    assert list(response.context["recent"]) == [mine]
    assert f'data-cursor="{latest_cursor(Caller.of_user(ada).feed_key)}"' in response.content.decode()


def test_before_the_first_question_there_is_no_price(client):
    assert '<p class="answer-price" data-fill="price">$–</p>' in client.get("/").content.decode()


def test_every_flag_has_words():
    of_contract = {f"unusual_{field.name}" for field in FIELDS if field.soft} | {
        f"{field.name}_above_{field.part_of}" for field in FIELDS if field.part_of
    }
    assert flag_words(Units()).keys() == of_contract | {"capped", "late", "corrected", "sparse_location"}


def test_scripts_and_styles_run_by_nonce_or_from_this_site_only(client):
    response = client.get("/")
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    page = response.content.decode()
    assert f'<script type="importmap" nonce="{nonce}">' in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert "https://" not in page
