"""`POST /predict_api`: what is taken, what is refused, and by whom it may be asked."""

import asyncio
import json
import os
import signal
import time
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import AsyncClient

from housevalue.cache import ForgivingRedisCache
from predictions import asking, callers, services
from predictions.contract import FIELDS, MAX_BODY_BYTES
from predictions.models import Prediction
from tests.making import user

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


async def post(client: AsyncClient, body: bytes | dict, content_type: str = "application/json", **headers: str):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/predict_api", data=body, content_type=content_type, headers=headers)


def assert_problem(response, status: int, code: str, fields: list[str] | None = None) -> None:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"]
    assert body["detail"]
    assert [error["field"] for error in body.get("errors", [])] == (fields or [])


@sync_to_async
def stored() -> list[Prediction]:
    return list(Prediction.objects.select_related("owner"))


# -- what is taken -------------------------------------------------------------------------------------------------
async def test_a_question_is_accepted_with_its_id_and_where_to_hear_of_it(async_client, house):
    response = await post(async_client, house)
    assert response.status_code == 202
    body = response.json()
    prediction = (await stored())[0]
    assert body["id"] == str(prediction.pk)
    assert body["status"] == "accepted"
    assert body["status_url"] == response["Location"] == f"/api/v1/predictions/{prediction.pk}"
    assert body["stream_url"] == f"/stream?prediction={prediction.pk}"
    assert prediction.features == house
    assert prediction.owner is None


async def test_what_the_sites_own_page_asks_is_told_from_what_a_program_asks(async_client, house):
    await post(async_client, house, **{"Sec-Fetch-Site": "same-origin"})
    await post(async_client, house)
    assert sorted(prediction.source for prediction in await stored()) == ["api", "page"]


async def test_the_page_says_of_which_movement_a_question_is_a_step(async_client, house):
    gesture = uuid.uuid4()
    for said in (gesture.hex, "no uuid"):
        response = await post(async_client, house, **{"X-Gesture": said})
        assert response.status_code == 202
    assert [prediction.gesture for prediction in await stored()] == [None, gesture]


async def test_a_charset_in_the_content_type_is_fine(async_client, house):
    assert (await post(async_client, house, "application/json; charset=utf-8")).status_code == 202


async def test_a_house_far_from_known_ones_is_accepted_with_a_flag(async_client, house):
    assert (await post(async_client, house | {"latitude": 36.4, "longitude": -117.2})).status_code == 202
    assert "sparse_location" in (await stored())[0].flags


async def test_the_doorbell_rings_after_the_row_is_stored(async_client, house, monkeypatch):
    seen: list[int] = []
    monkeypatch.setattr(asking.doorbell, "ring", lambda: seen.append(Prediction.objects.count()))
    await post(async_client, house)
    assert seen == [1]


# -- what is refused, and leaves nothing behind --------------------------------------------------------------------
@pytest.mark.parametrize("value", ["five", True, None, [1], {"a": 1}, 1e300, -1e300])
async def test_a_bad_value_is_refused_and_its_field_named(async_client, house, value):
    for field in FIELDS:
        response = await post(async_client, house | {field.name: value})
        assert_problem(response, 422, "invalid_features", [field.name])
    assert await stored() == []


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5000])
async def test_a_number_that_is_none_is_refused_and_its_field_named(async_client, house, text):
    body = json.dumps(house).replace("37.77", text).encode()
    assert_problem(await post(async_client, body), 422, "invalid_features", ["latitude"])
    assert await stored() == []


async def test_all_faults_are_told_at_once(async_client, house):
    del house["latitude"]
    response = await post(async_client, house | {"med_inc": 99, "zip": 94110})
    assert_problem(response, 422, "invalid_features", ["zip", "med_inc", "latitude"])
    assert [error["code"] for error in response.json()["errors"]] == [
        "unknown_field",
        "out_of_range",
        "missing_field",
    ]
    assert await stored() == []


@pytest.mark.parametrize(("latitude", "longitude"), [(36.17, -115.14), (39.53, -119.0), (33.0, -124.0)])
async def test_a_place_outside_california_is_refused(async_client, house, latitude, longitude):
    response = await post(async_client, house | {"latitude": latitude, "longitude": longitude})
    assert_problem(response, 422, "invalid_features", ["latitude"])
    assert response.json()["errors"][0]["code"] == "unsupported_location"
    assert "km" in response.json()["detail"]
    assert await stored() == []


@pytest.mark.parametrize(
    "body",
    [b" ", b"{", b"null garbage", b"\xff\xfe\x00", b'{"med_inc": \xff}', b"[" * 60_000, b'{"a":' * 12_000, b"\0"],
    ids=lambda body: repr(body[:12]),
)
async def test_a_body_that_is_no_json_is_refused(async_client, body):
    assert_problem(await post(async_client, body), 400, "bad_json")
    assert await stored() == []


@pytest.mark.parametrize("body", [b"[]", b"3", b'"house"', b"null", b"true"])
async def test_json_that_is_no_object_is_refused(async_client, body):
    assert_problem(await post(async_client, body), 422, "invalid_features", ["features"])


async def test_a_body_over_64_kib_is_refused(async_client, house):
    huge = json.dumps(house).encode() + b" " * MAX_BODY_BYTES
    assert_problem(await post(async_client, huge), 413, "too_large")
    assert await stored() == []


async def test_two_content_lengths_are_refused(async_client, house):
    assert_problem(await post(async_client, house, **{"Content-Length": "0"}), 400, "bad_request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
async def test_another_content_type_is_refused(async_client, house, content_type):
    assert_problem(await post(async_client, house, content_type), 415, "unsupported_media_type")
    assert await stored() == []


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
async def test_another_method_is_refused_with_the_right_one(async_client, method):
    response = await getattr(async_client, method)("/predict_api")
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"


async def test_a_thousand_unknown_fields_are_refused(async_client):
    body = {f"field{number}": number for number in range(1000)}
    response = await post(async_client, body)
    assert response.status_code == 422
    assert await stored() == []


# -- who asks ------------------------------------------------------------------------------------------------------
async def test_a_visitor_is_known_again_by_a_signed_cookie(async_client, house):
    first = await post(async_client, house)
    cookie = first.cookies[callers.VISITOR_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    await post(async_client, house)
    await post(AsyncClient(), house)
    feeds = [prediction.feed_key for prediction in await stored()]
    assert len(set(feeds)) == 2
    assert all(feed.startswith("v") for feed in feeds)


async def test_a_forged_visitor_cookie_makes_a_new_visitor(async_client, house):
    first = await post(async_client, house)
    victim = (await stored())[0].feed_key
    forger = AsyncClient()
    for forged in (victim, f"{victim}:forged", first.cookies[callers.VISITOR_COOKIE].value[:-2] + "xx", "é"):
        forger.cookies[callers.VISITOR_COOKIE] = forged
        await post(forger, house)
    assert [prediction.feed_key for prediction in await stored()].count(victim) == 1


async def test_a_token_asks_for_its_user(async_client, house):
    token, key = await sync_to_async(lambda: callers.make_token(user=user(), name="script"))()
    response = await post(async_client, house, Authorization=f"Token {key}")
    assert response.status_code == 202
    assert callers.VISITOR_COOKIE not in response.cookies
    assert (await stored())[0].owner_id == token.user_id
    await sync_to_async(token.refresh_from_db)()
    assert token.last_used_at is not None


@pytest.mark.parametrize("authorization", ["Token", "Token wrong", "Bearer x", "Basic YTpi", "token ", "Token é"])
async def test_a_bad_token_is_refused_and_not_taken_for_a_visitor(async_client, house, authorization):
    response = await post(async_client, house, Authorization=authorization)
    assert_problem(response, 401, "bad_token")
    assert response["WWW-Authenticate"] == "Token"
    assert await stored() == []


async def test_a_revoked_token_and_that_of_an_inactive_user_are_refused(async_client, house):
    def make() -> list[str]:
        revoked, revoked_key = callers.make_token(user=user("ada"), name="old")
        revoked.revoked_at = revoked.created_at
        revoked.save()
        inactive, inactive_key = callers.make_token(user=user("bob"), name="old")
        inactive.user.is_active = False
        inactive.user.save()
        return [revoked_key, inactive_key]

    for key in await sync_to_async(make)():
        assert_problem(await post(async_client, house, Authorization=f"Token {key}"), 401, "bad_token")


async def test_a_session_asks_for_its_user_with_the_csrf_token_and_not_without(house):
    owner = await sync_to_async(user)()
    browser = AsyncClient(enforce_csrf_checks=True)
    await browser.aforce_login(owner, backend=MODEL_BACKEND)
    assert_problem(await post(browser, house), 403, "csrf_failed")
    assert await stored() == []
    token = (await browser.get("/")).cookies["csrftoken"].value
    response = await post(browser, house, **{"X-CSRFToken": token})
    assert response.status_code == 202
    assert (await stored())[0].owner_id == owner.pk


async def test_a_visitor_needs_no_csrf_token(house):
    assert (await post(AsyncClient(enforce_csrf_checks=True), house)).status_code == 202


async def test_a_session_that_ended_is_a_visitor(async_client, house):
    async_client.cookies["sessionid"] = "x" * 32
    assert (await post(async_client, house)).status_code == 202
    assert (await stored())[0].owner is None


# -- how often -----------------------------------------------------------------------------------------------------
async def test_a_visitor_who_asks_too_often_is_told_when_to_come_back(house, settings):
    settings.VISITOR_RATE = "2/m"
    for _ in range(2):
        assert (await post(AsyncClient(), house)).status_code == 202
    response = await post(AsyncClient(), house)
    assert_problem(response, 429, "too_many_requests")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert len(await stored()) == 2


async def test_a_users_rate_is_another_than_a_visitors(async_client, house, settings):
    settings.VISITOR_RATE, settings.USER_RATE = "0/m", "1/m"
    keys = await sync_to_async(lambda: [callers.make_token(user=user(name), name="x")[1] for name in "ab"])()
    for key in keys:
        assert (await post(async_client, house, Authorization=f"Token {key}")).status_code == 202
    assert (await post(async_client, house, Authorization=f"Token {keys[0]}")).status_code == 429
    assert (await post(async_client, house)).status_code == 202


# -- parts that are away -------------------------------------------------------------------------------------------
async def test_a_question_is_accepted_within_a_second_while_redis_is_down(async_client, house, redis_away):
    for _ in range(3):
        started = time.perf_counter()
        assert (await post(async_client, house)).status_code == 202
        assert time.perf_counter() - started < 1
    assert len(await stored()) == 3


async def test_a_question_is_accepted_while_redis_takes_no_writes(async_client, house, redis_refuses):
    assert (await post(async_client, house)).status_code == 202
    owner = await sync_to_async(user)()
    await async_client.aforce_login(owner, backend=MODEL_BACKEND)
    ForgivingRedisCache.silent_until = 0.0
    assert (await post(async_client, house)).status_code == 202
    assert {prediction.owner for prediction in await stored()} == {None, owner}


async def test_a_question_is_accepted_within_a_second_while_redis_hangs(async_client, house, valkey):
    os.kill(valkey.process.pid, signal.SIGSTOP)
    try:
        started = time.perf_counter()
        assert (await post(async_client, house)).status_code == 202
        assert time.perf_counter() - started < 1
        started = time.perf_counter()
        assert (await post(async_client, house)).status_code == 202
        assert time.perf_counter() - started < 0.4, "the next one does not wait for it again"
    finally:
        os.kill(valkey.process.pid, signal.SIGCONT)


async def test_a_database_that_is_away_is_told_as_such(async_client, house, monkeypatch):
    def fail(**kwargs) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(services, "accept", fail)
    response = await post(async_client, house)
    assert_problem(response, 503, "not_available")
    assert response["Retry-After"]


async def test_many_at_once_are_all_stored(async_client, house, visitors_unlimited):
    responses = await asyncio.gather(*(post(async_client, house) for _ in range(40)))
    assert {response.status_code for response in responses} == {202}
    assert len({uuid.UUID(response.json()["id"]) for response in responses}) == len(await stored()) == 40
