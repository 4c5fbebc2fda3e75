"""OpenAPI: it says what the contract says, and the application keeps to it."""

import re
from html import escape

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from predictions.api.serializers import AcceptedSerializer, PredictionSerializer
from predictions.callers import make_token
from predictions.contract import FIELDS
from predictions.representation import accepted, represent
from streaming.back_pressure import TOO_SLOW
from streaming.consumers import BAD_REQUEST, TRY_AGAIN, UNAUTHORIZED
from tests import making

document = SchemaGenerator().get_schema(public=True)


def test_the_document_is_valid_openapi():
    validate_schema(document)


def test_every_way_in_is_documented():
    assert {"/api/v1/predictions", "/api/v1/predictions/{id}", "/predict_api", "/stream", "/feed"} <= document[
        "paths"
    ].keys()


@pytest.mark.parametrize("path", ["/api/v1/predictions", "/predict_api"])
def test_who_asks_is_told_that_the_database_may_be_away(path):
    assert "503" in document["paths"][path]["post"]["responses"]


def test_the_features_are_those_of_the_contract():
    features = document["components"]["schemas"]["Features"]
    assert features["required"] == [field.name for field in FIELDS]
    for field in FIELDS:
        described = features["properties"][field.name]
        assert described["maximum"] == field.hard.max
        assert field.unit in described["description"]
        assert field.hard.hold(described["minimum"]) != described.get("exclusiveMinimum", False)


@pytest.mark.parametrize("name", ["Features", "Note", "Sale"])
def test_what_is_sent_has_no_members_but_the_declared(name):
    assert document["components"]["schemas"][name]["additionalProperties"] is False


@pytest.mark.django_db
def test_the_declared_members_are_those_that_are_shown():
    prediction = making.answered()
    assert set(PredictionSerializer().fields) == represent(prediction).keys()
    assert set(AcceptedSerializer().fields) == accepted(prediction).keys()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/schema/", "/api/docs/"])
def test_the_document_is_served_to_everybody(client: Client, address):
    assert client.get(address).status_code == 200


@pytest.mark.django_db
def test_the_page_tells_every_operation_and_every_object_and_its_links_lead_there(client: Client):
    page = client.get("/api/docs/").content.decode()
    for path, methods in document["paths"].items():
        for told in methods.values():
            assert path in page
            assert escape(told["summary"]) in page
    there = set(re.findall(r'id="([^"]+)"', page))
    assert document["components"]["schemas"].keys() <= there
    assert set(re.findall(r'href="#([^"]+)"', page)) <= there


@pytest.mark.django_db
def test_the_page_tells_where_a_socket_is_opened_and_why_it_is_closed(client: Client):
    page = client.get("/api/docs/").content.decode()
    assert "ws://testserver/ws/predictions/?after=" in page
    sent = {BAD_REQUEST, UNAUTHORIZED, TRY_AGAIN, TOO_SLOW}
    assert {int(code) for code in re.findall(r'<th scope="row">(4\d\d\d)</th>', page)} == sent
    assert all(str(code) in document["paths"]["/stream"]["get"]["description"] for code in sent)


def test_the_values_of_flags_and_source_are_told():
    members = document["components"]["schemas"]["Prediction"]["properties"]
    told = [members["flags"]["description"], members["source"]["description"]]
    words = (["unusual_med_inc", "ave_bedrms_above_ave_rooms", "sparse_location", "capped", "late"], ["page", "api"])
    assert [name for text, names in zip(told, words, strict=True) for name in names if name not in text] == []


# `/stream` never ends; it is left to the tests of streaming.
OPERATIONS = [
    ("GET", "/api/v1/predictions"),
    ("POST", "/api/v1/predictions"),
    ("GET", "/api/v1/predictions/{id}"),
    ("POST", "/predict_api"),
    ("GET", "/feed"),
    ("GET", "/api/v1/block-groups/nearest"),
    ("GET", "/api/v1/predictions/{id}/reasons"),
    ("GET", "/api/v1/predictions/{id}/comparables"),
    *(
        (method, f"/api/v1/predictions/{{id}}/{part}")
        for part in ("note", "sale")
        for method in ("GET", "PUT", "DELETE")
    ),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_application_keeps_to_its_description(method, path, ada, visitors_unlimited):
    authorization = f"Token {make_token(user=ada, name='schemathesis')[1]}"
    described = schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application())

    @given(case=described[path][method].as_strategy())
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def keeps_to_it(case):
        # What is well-formed may still be refused: a place far from every known one, a time before there was a service.
        case.call_and_validate(headers={"Authorization": authorization}, excluded_checks=[positive_data_acceptance])

    keeps_to_it()


def test_every_operation_but_the_stream_is_tried():
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described - {("GET", "/stream")} == set(OPERATIONS)
