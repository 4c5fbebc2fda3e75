"""The page without JavaScript, and what it hands to its scripts."""

import pytest
from django.test import Client

from predictions.callers import VISITOR_COOKIE, Caller
from predictions.contract import FIELDS
from predictions.forms import HouseForm
from predictions.models import Prediction
from predictions.services import latest_cursor
from predictions.wording import FLAG_WORDS
from tests import making

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_the_form_has_the_contracts_fields_with_ranges_and_typical_values():
    form = HouseForm()
    assert list(form.fields) == [field.name for field in FIELDS]
    for field in FIELDS:
        attributes = form.fields[field.name].widget.attrs
        assert float(attributes["max"]) == field.hard.max
        assert float(attributes["min"]) == max(field.hard.min, field.hard.above)
        assert form.fields[field.name].initial == field.typical
        assert field.unit in form.fields[field.name].help_text


def test_a_question_without_javascript_leads_to_its_page(client, house):
    response = client.post("/", house)
    prediction = Prediction.objects.get()
    assert response["Location"] == f"/predictions/{prediction.pk}"
    assert (prediction.source, prediction.owner, prediction.features) == ("page", None, house)
    assert VISITOR_COOKIE in response.cookies


def test_a_signed_in_question_is_its_users(signed_in, ada, house):
    signed_in.post("/", house)
    assert Prediction.objects.get().owner == ada


def test_the_form_needs_the_csrf_token(house):
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/", house)
    assert response.status_code == 403
    assert "Please try that again" in response.content.decode()


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"med_inc": "99"}, "med_inc", "Median income must be between"),
        ({"med_inc": ""}, "med_inc", "Median income is missing"),
        ({"med_inc": "NaN"}, "med_inc", "Enter a number"),
        ({"med_inc": "1e999"}, "med_inc", "Enter a number"),
        ({"population": "many"}, "population", "Enter a number"),
        ({"longitude": "-124.3"}, "latitude", "nearest block group"),
    ],
)
def test_a_fault_is_said_at_its_field_and_the_numbers_stay(client, house, change, field, words):
    response = client.post("/", house | change)
    assert response.status_code == 422
    assert words in str(response.context["form"].errors[field])
    assert 'value="41"' in response.content.decode()
    assert not Prediction.objects.exists()


def test_asking_too_often_says_how_long_to_wait(client, house, settings):
    settings.VISITOR_RATE = "1/m"
    client.post("/", house)
    response = client.post("/", house)
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
    assert {f"unusual_{field.name}" for field in FIELDS if field.soft} | {"capped", "late", "sparse_location"} == set(
        FLAG_WORDS
    )


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
