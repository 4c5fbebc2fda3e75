"""The door of Connect: what it takes is on the broker, what it refuses leaves nothing, and it never loses a request."""

import json
import threading
import uuid

import httpx
import pytest

from housevalue.embedded.ports import spare_port
from streaming.ingress import IngressPublisher
from streaming.kafka import NotDelivered
from streaming.topics import Topic
from tests.redpanda.connect.doors import (
    PARTNER_TOKEN,
    TOKEN,
    ids_on,
    publish,
    publish_until_delivered,
    request,
)
from tests.redpanda.connect.log import Log
from tests.stack import wait_until


# -- what is taken -------------------------------------------------------------------------------------------------
def test_a_request_is_on_the_broker_when_it_is_accepted_and_carries_nothing_of_the_caller(log: Log, open_door):
    door = open_door()
    headers = {"Cookie": "sessionid=secret", "X-Secret": "1", "Source": "forged"}
    answer = door.post(request(7, headers={"source": "page", "attempt": "2", "x-secret": "1"}), **headers)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    [record] = log.records(Topic.REQUESTS)
    assert json.loads(record.value()) == request(7)
    assert record.key() == request(7)["id"].encode()
    sent = {name: value.decode() for name, value in record.headers()}
    assert sent.pop("at-published").isdigit()
    assert sent == {"source": "page", "attempt": "2"}


def test_a_key_has_the_partition_that_the_publisher_would_choose(log: Log, open_door):
    keys = [str(uuid.UUID(int=number)) for number in range(40)]
    open_door().post([request(number) for number in range(40)])
    by_connect = {record.key().decode(): record.partition() for record in log.records(Topic.REQUESTS)}
    log.clear()
    for key in keys:
        log.put(Topic.REQUESTS, b"{}", key=key)
    log.flush()
    assert {record.key().decode(): record.partition() for record in log.records(Topic.REQUESTS)} == by_connect


def test_an_array_and_lines_of_requests_are_taken_as_a_whole(log: Log, open_door):
    door = open_door()
    assert door.post([request(number) for number in range(1000)]).json() == {"accepted": 1000}
    lines = "\n".join(json.dumps(request(number)) for number in range(1000, 1003)) + "\n"
    assert door.post(lines.encode()).json() == {"accepted": 3}
    assert len(set(ids_on(log))) == 1003


def test_a_partner_is_the_source_that_its_token_names(log: Log, open_door):
    open_door().post(request(1, headers={"source": "page"}), token=PARTNER_TOKEN)
    [record] = log.records(Topic.REQUESTS)
    assert dict(record.headers())["source"] == b"bank"


# -- what is refused -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def refusals() -> dict[str, tuple[object, int]]:
    return {
        "no JSON": (b"{nope", 400),
        "nothing": (b"", 400),
        "no object": ([1], 400),
        "no UUID": (request(id="7"), 400),
        "no features": (request(features=[1]), 400),
        "one of many": ([request(1), request(id="7")], 400),
        "two on one line": (json.dumps(request(1)).encode() + json.dumps(request(2)).encode(), 400),
        "not UTF-8": (b'{"id": "\xff"}', 400),
        "infinite": (json.dumps(request(1, features={"med_inc": 7})).replace("7}", "1e400}").encode(), 400),
        "too many": ([request(number) for number in range(1001)], 413),
        "too large": (request(1, features={"note": "x" * 70_000}), 413),
    }


def test_what_is_refused_has_its_status_a_reason_and_leaves_nothing(log: Log, open_door, refusals):
    door = open_door()
    answers = {name: door.post(body) for name, (body, _) in refusals.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        name: status for name, (_, status) in refusals.items()
    }
    assert all(answer.json()["error"] and answer.json()["detail"] for answer in answers.values())
    assert answers["one of many"].json()["errors"] == [
        {"index": 1, "code": "bad_id", "field": "id", "detail": "id must be a UUID with hyphens"}
    ]
    assert door.post(request(1), token="x" * 20).status_code == 401
    assert httpx.post(door.url, content=b"{}").status_code == 401
    assert httpx.get(door.url).status_code == 405
    form = httpx.post(door.url, files={"a": b"{}", "b": b"{}"}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert form.status_code == 400
    assert ids_on(log) == []
    assert door.post(request(1)).status_code == 202


def test_too_many_requests_are_told_when_to_come_again(log: Log, open_door):
    door = open_door(INGRESS_RATE="3")
    answers = [door.post(request(number)) for number in range(6)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert "Retry-After" in refused[0].headers
    assert len(ids_on(log)) == len(answers) - len(refused)


# -- operators -----------------------------------------------------------------------------------------------------
def test_readiness_and_metrics_are_there_for_operators_and_no_debugging_is(log: Log, open_door):
    door = open_door()
    door.post(request(1))
    assert door.pipeline.ask("/ready")[0] == 200
    status, metrics = door.pipeline.ask("/metrics")
    assert status == 200
    assert 'input_received{label="ingress",path="root.input"} 1' in metrics
    assert door.pipeline.ask("/debug/pprof/heap")[0] == 404
    assert TOKEN not in door.pipeline.log()


# -- the publisher's way through it --------------------------------------------------------------------------------
def test_one_request_that_is_refused_keeps_no_other_waiting(log: Log, open_door, caplog):
    requests = [request(number) for number in range(50)]
    requests[17]["features"] = {"note": "x" * 70_000}
    publish(open_door().publisher(), requests)
    assert set(ids_on(log)) == {one["id"] for one in requests} - {requests[17]["id"]}
    [line] = [entry.getMessage() for entry in caplog.records if entry.levelname == "ERROR"]
    assert requests[17]["id"] in line


def test_a_wrong_token_marks_nothing_as_published(log: Log, open_door):
    with pytest.raises(NotDelivered, match="401"):
        publish(open_door().publisher("another-token-than-that"), [request(1)])


def test_a_door_that_is_closed_marks_nothing_as_published():
    publisher = IngressPublisher(url=f"http://127.0.0.1:{spare_port()}/v1/predictions", token=TOKEN)
    with pytest.raises(NotDelivered, match="can't be reached"):
        publish(publisher, [request(1)])


def test_a_door_that_was_opened_again_is_used_at_once(log: Log, open_door):
    door = open_door()
    publisher = door.publisher()
    publish(publisher, [request(1)])
    door.pipeline.kill()
    door.pipeline.start()
    door.pipeline.wait_ready()
    publish(publisher, [request(2)])
    assert len(ids_on(log)) == 2


def test_killed_three_times_while_it_moves_5000_requests_it_loses_none(log: Log, open_door):
    door = open_door()
    moved = threading.Event()
    progress: list[int] = []

    def move() -> None:
        publisher = door.publisher()
        for start in range(0, 5000, 50):
            publish_until_delivered(publisher, [request(number) for number in range(start, start + 50)])
            progress.append(start)
        moved.set()

    mover = threading.Thread(target=move, daemon=True)
    mover.start()
    for batches in (20, 45, 70):
        wait_until(lambda goal=batches: len(progress) >= goal, 60, f"{batches} batches")
        door.pipeline.kill()
        door.pipeline.start()
        door.pipeline.wait_ready()
    assert moved.wait(60)
    assert set(ids_on(log)) == {request(number)["id"] for number in range(5000)}
