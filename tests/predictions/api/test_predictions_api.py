"""REST: asking, listing and reading predictions, and how errors are told."""

import base64
import json
import uuid

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from housevalue.asgi import django_application
from predictions.callers import Caller, make_token, revoke_token
from predictions.contract import MAX_BODY_BYTES
from predictions.models import Prediction
from predictions.representation import represent
from tests import making
from tests.predictions.conftest import browser_of

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PREDICTIONS = "/api/v1/predictions"
EARLIER_THAN_TIME = base64.b64encode(b"p=0001-01-01+00%3A00%3A00%2B14%3A00").decode()


def ask(client: Client, body, content_type: str = "application/json", **extra):
    body = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(PREDICTIONS, body, content_type=content_type, **extra)


def assert_problem(response, status: int, code: str, fields: list[str] | None = None) -> None:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    assert [error["field"] for error in body.get("errors", [])] == (fields or [])


# -- asking ----------------------------------------------------------------------------------------------------------
def test_a_question_of_a_program_is_stored_for_its_user(program, ada, house):
    response = ask(program, house)
    assert response.status_code == 202
    prediction = Prediction.objects.get()
    assert (prediction.owner, prediction.source, prediction.features) == (ada, "api", house)
    assert response["Location"] == response.json()["status_url"] == f"{PREDICTIONS}/{prediction.pk}"


@pytest.mark.django_db(transaction=True)
def test_both_doors_answer_with_the_same_members(program, house):
    rest = ask(program, house).json()
    flat = program.post("/predict_api", json.dumps(house), content_type="application/json").json()
    assert rest.keys() == flat.keys()


@pytest.mark.django_db(transaction=True)
async def test_a_chunked_question_is_read(program, house):
    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "authorization": program.defaults["HTTP_AUTHORIZATION"],
    }
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": PREDICTIONS,
        "query_string": b"",
        # No Content-Length, as in a request that is sent in chunks.
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    conversation = ApplicationCommunicator(django_application, scope)
    await conversation.send_input({"type": "http.request", "body": json.dumps(house).encode()})
    assert (await conversation.receive_output(5))["status"] == 202


def test_a_signed_in_browser_needs_the_csrf_token(ada, house):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    assert_problem(ask(strict, house), 403, "permission_denied")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code", "fields"),
    [
        (b" ", 400, "bad_json", []),
        (b"{", 400, "bad_json", []),
        (b"\xff\xfe", 400, "bad_json", []),
        (b"[" * 50_000, 400, "bad_json", []),
        (b'{"med_inc": 1' + b"0" * 5_000 + b"}", 422, "invalid_features", None),
        (b"[]", 422, "invalid_features", ["features"]),
        (b"null", 422, "invalid_features", ["features"]),
        (b"1e999", 422, "invalid_features", ["features"]),
        (b" " * (MAX_BODY_BYTES + 1), 413, "too_large", []),
    ],
)
def test_a_body_that_is_no_question_is_refused(program, body, status, code, fields):
    response = ask(program, body)
    if fields is None:
        assert response.status_code == status
    else:
        assert_problem(response, status, code, fields)
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "true", '"3"', "null", "[]", "99"])
def test_a_value_that_is_no_income_is_refused_at_its_field(program, house, value):
    body = json.dumps(house).replace(str(house["med_inc"]), value, 1)
    assert_problem(ask(program, body), 422, "invalid_features", ["med_inc"])


def test_a_repeated_field_is_refused(program, house):
    body = json.dumps(house)[:-1] + ', "MedInc": 3}'
    assert_problem(ask(program, body), 422, "invalid_features", ["med_inc"])


def test_a_place_far_from_every_known_one_is_refused(program, house):
    assert_problem(ask(program, house | {"longitude": -124.3}), 422, "invalid_features", ["latitude"])


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_another_content_type_is_refused(program, house, content_type):
    assert_problem(ask(program, json.dumps(house), content_type), 415, "unsupported_media_type")


def test_asking_too_often_is_refused_with_the_wait(program, house, settings):
    settings.USER_RATE = "1/m"
    assert ask(program, house).status_code == 202
    response = ask(program, house)
    assert_problem(response, 429, "too_many_requests")
    assert 1 <= int(response["Retry-After"]) <= 61


def test_a_database_that_is_away_is_told_as_such(program, signed_in, house):
    def away(*_):
        raise OperationalError("the database went away")

    with connection.execute_wrapper(away):
        responses = [ask(program, house), program.get(PREDICTIONS), signed_in.get(PREDICTIONS)]
    for response in responses:
        assert_problem(response, 503, "not_available")
        assert int(response["Retry-After"]) > 0


# -- who asks --------------------------------------------------------------------------------------------------------
def test_a_stranger_is_told_to_identify(client):
    response = client.get(PREDICTIONS)
    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize("authorization", ["Token nonsense", "Token", "Token ", "Basic YTpi", "Bearer x", "\x00", "é"])
def test_a_header_without_a_valid_token_is_refused(client, authorization):
    response = client.get(PREDICTIONS, headers={"Authorization": authorization})
    assert_problem(response, 401, "bad_token")


def test_a_revoked_token_is_refused(ada, client):
    token, key = make_token(user=ada, name="old")
    revoke_token(token)
    assert_problem(client.get(PREDICTIONS, headers={"Authorization": f"Token {key}"}), 401, "bad_token")


# -- listing ---------------------------------------------------------------------------------------------------------
def test_only_ones_own_predictions_are_listed_newest_first(program, ada):
    mine = [making.accepted(Caller.of_user(ada)) for _ in range(3)]
    making.accepted(Caller.of_user(making.user("eve")))
    making.accepted(making.visitor())
    results = program.get(PREDICTIONS).json()["results"]
    assert [row["id"] for row in results] == [str(prediction.pk) for prediction in reversed(mine)]


def test_a_listed_prediction_is_its_one_representation(program, ada):
    prediction = making.answered(Caller.of_user(ada))
    assert program.get(PREDICTIONS).json()["results"] == [json.loads(json.dumps(represent(prediction)))]


def test_a_list_of_those_that_wait_takes_no_more_queries_than_one(program, ada, django_assert_max_num_queries):
    making.accepted(Caller.of_user(ada))
    with CaptureQueriesContext(connection) as of_one:
        program.get(PREDICTIONS)
    for _ in range(5):
        making.accepted(Caller.of_user(ada))
    with django_assert_max_num_queries(len(of_one)):
        program.get(PREDICTIONS)


def test_pages_are_walked_to_the_end_while_new_predictions_arrive(program, ada):
    expected = {str(making.accepted(Caller.of_user(ada)).pk) for _ in range(5)}
    address, seen = f"{PREDICTIONS}?page_size=2", []
    while address:
        page = program.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
        making.accepted(Caller.of_user(ada))
    assert sorted(seen) == sorted(expected)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=answered", 1),
        ("status=accepted", 1),
        ("status=answered&status=accepted", 2),
        ("price_min=452600&price_max=452600", 1),
        ("price_min=452601", 0),
        ("model_id=monotone-hgb-1", 1),
        ("model_id=other", 0),
        ("source=api", 2),
        ("requested_after=2000-01-01T00:00:00Z", 2),
        ("requested_before=2000-01-01T00:00:00Z", 0),
    ],
)
def test_the_list_is_narrowed_by_the_query(program, ada, query, count):
    making.answered(Caller.of_user(ada))
    making.accepted(Caller.of_user(ada))
    assert len(program.get(f"{PREDICTIONS}?{query}").json()["results"]) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=lost", "status"),
        ("price_min=cheap", "price_min"),
        ("price_min=1e9", "price_min"),
        ("price_max=99999999999999999999", "price_max"),
        ("requested_after=yesterday", "requested_after"),
        ("requested_before=0001-01-01T00:00:00%2B14:00", "requested_before"),
        ("model_id=%00", "model_id"),
    ],
)
def test_a_query_that_cant_be_read_is_refused_at_its_parameter(program, query, field):
    assert_problem(program.get(f"{PREDICTIONS}?{query}"), 400, "invalid_query", [field])


def test_a_misspelt_parameter_is_refused_and_the_known_ones_are_named(program):
    response = program.get(f"{PREDICTIONS}?pricemin=900000&page_size=1")
    assert_problem(response, 422, "unknown_names", ["pricemin"])
    detail = response.json()["errors"][0]["detail"]
    assert all(name in detail for name in ("price_min", "status", "cursor", "page_size"))


@pytest.mark.parametrize("cursor", ["x", "cD1ub25zZW5zZQ==", "cD0yMDI2LTk5LTk5", EARLIER_THAN_TIME])
def test_a_cursor_of_ones_own_making_is_refused(program, ada, cursor):
    making.accepted(Caller.of_user(ada))
    assert_problem(program.get(f"{PREDICTIONS}?cursor={cursor}"), 400, "invalid_query", ["cursor"])


# -- reading ---------------------------------------------------------------------------------------------------------
def test_the_owner_reads_a_prediction(program, ada):
    prediction = making.answered(Caller.of_user(ada))
    assert program.get(f"{PREDICTIONS}/{prediction.pk}").json() == json.loads(json.dumps(represent(prediction)))


def test_somebody_elses_prediction_is_not_found(client, ada):
    prediction = making.answered(Caller.of_user(ada))
    eve = browser_of(Caller.of_user(making.user("eve")))
    for stranger in (client, eve):
        assert_problem(stranger.get(f"{PREDICTIONS}/{prediction.pk}"), 404, "not_found")


def test_a_visitors_prediction_is_read_by_whoever_holds_the_id(client, program):
    prediction = making.answered(making.visitor())
    for anybody in (client, program):
        assert anybody.get(f"{PREDICTIONS}/{prediction.pk}").status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/api/", "/api/x", "/api/v1/predictions/", "/api/v2/predictions", "/api/v1/predictions/7", "/api/v1/%00"],
)
@pytest.mark.parametrize("debug", [False, True])
def test_what_is_not_routed_is_a_problem_document(program, settings, address, debug):
    settings.DEBUG = debug
    assert_problem(program.get(address), 404, "not_found")


def test_a_prediction_that_is_not_there_is_a_problem_document(program):
    assert_problem(program.get(f"{PREDICTIONS}/{uuid.uuid4()}"), 404, "not_found")


def test_another_method_is_refused_with_those_allowed(program):
    response = program.delete(PREDICTIONS)
    assert_problem(response, 405, "method_not_allowed")
    assert "POST" in response["Allow"]


def test_an_answer_in_another_type_than_json_is_refused(program):
    assert_problem(program.get(PREDICTIONS, headers={"Accept": "text/html"}), 406, "not_acceptable")


def test_a_fault_of_ours_is_a_problem_document_without_its_reason(program, monkeypatch):
    monkeypatch.setattr("predictions.api.views.own_predictions", lambda caller: 1 / 0)
    program.raise_request_exception = False
    response = program.get(PREDICTIONS)
    assert_problem(response, 500, "server_error")
    assert "division" not in response.content.decode()
