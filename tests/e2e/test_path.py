"""One prediction travels the whole way, and what it brings along is right."""

import httpx
import pytest

from tests.e2e.clients import HOUSE, Asker

STAGES = ["accepted", "published", "prepared", "enqueued", "scored", "formatted", "stored"]


def test_a_question_is_answered_over_the_websocket_of_the_one_who_asked(visitor: Asker) -> None:
    with visitor.socket() as socket:
        socket.ready()
        asked = visitor.ask()
        event = socket.next()
    assert event["type"] == "answered"
    assert event["prediction"]["id"] == asked["id"]
    assert 0 < event["prediction"]["low"] <= event["prediction"]["price"] <= event["prediction"]["high"]


def test_websocket_sse_polling_and_rest_show_one_and_the_same_prediction(visitor: Asker) -> None:
    asked = visitor.ask()
    settled = visitor.wait_settled(asked["id"])
    with visitor.socket(after=0) as socket:
        by_socket = socket.next()
    by_sse = visitor.stream(events=1, after=0)[0]
    by_polling = visitor.http.get("/feed", params={"after": 0}).json()["events"][0]
    assert by_socket == by_sse == by_polling
    assert by_socket["prediction"] == settled


def test_a_prediction_passes_every_hop_in_order(visitor: Asker) -> None:
    stages = visitor.wait_settled(visitor.ask()["id"])["stages"]
    assert sorted(stages, key=lambda stage: (stages[stage], STAGES.index(stage))) == STAGES


def test_an_answer_carries_the_id_and_hash_of_the_champion_that_is_registered(visitor: Asker, log) -> None:
    asked = visitor.ask()
    model = visitor.wait_settled(asked["id"])["model"]
    record = log.find("prediction_score_topic", lambda record: record.key() == asked["id"].encode())
    assert model["id"].encode() in record.value()
    assert model["sha256"].encode() in record.value()
    assert len(model["sha256"]) == 64


def test_every_live_model_scores_every_question_and_only_the_champion_is_shown(visitor: Asker, log) -> None:
    asked = visitor.ask()
    settled = visitor.wait_settled(asked["id"])
    value = log.find("prediction_result_topic", lambda record: record.key() == asked["id"].encode()).value()
    assert b'"baseline"' in value
    assert settled["model"]["id"] != "baseline"
    assert "shadows" not in settled


def test_the_result_stream_of_one_prediction_begins_with_its_answer_even_when_that_came_before(
    visitor: Asker, another_visitor: Asker
) -> None:
    asked = visitor.ask()
    visitor.wait_settled(asked["id"])
    events = another_visitor.stream(events=1, query=f"?prediction={asked['id']}")
    assert events[0]["prediction"]["id"] == asked["id"]


def test_a_listener_that_comes_back_with_its_cursor_gets_what_it_missed_once_and_in_order(visitor: Asker) -> None:
    with visitor.socket() as socket:
        socket.ready()
        visitor.ask()
        cursor = socket.next()["cursor"]
    missed = [visitor.ask(house_age=age)["id"] for age in (5, 10, 15)]
    for prediction in missed:
        visitor.wait_settled(prediction)
    with visitor.socket(after=cursor) as socket:
        events = [socket.next() for _ in missed]
    assert sorted(event["prediction"]["id"] for event in events) == sorted(missed)
    assert [event["cursor"] for event in events] == sorted(event["cursor"] for event in events)


def test_a_signed_in_programs_predictions_are_its_own_alone(stack, token: str, visitor: Asker) -> None:
    with Asker(stack.base_url, token=token) as program:
        asked = program.ask()
        settled = program.wait_settled(asked["id"])
        listed = program.http.get("/api/v1/predictions", params={"status": "answered"}).json()
    assert settled["id"] in [prediction["id"] for prediction in listed["results"]]
    assert visitor.http.get(f"/api/v1/predictions/{asked['id']}").status_code == 404
    assert visitor.http.get("/stream", params={"prediction": asked["id"]}).status_code == 404


def test_the_posts_answer_says_where_to_look_and_where_to_listen(visitor: Asker) -> None:
    response = visitor.http.post("/predict_api", json=HOUSE)
    asked = response.json()
    assert response.status_code == 202
    assert asked["status"] == "accepted"
    assert response.headers["Location"] == asked["status_url"]
    assert visitor.http.get(asked["status_url"]).json()["id"] == asked["id"]
    assert asked["stream_url"].startswith("/stream?prediction=")


def test_features_mean_the_same_in_any_order_and_spelling(visitor: Asker) -> None:
    spelled = {"Longitude": -122.23, "Latitude": 37.88, "AveOccup": 2.5555, "Population": 322}
    spelled |= {"AveBedrms": 1.0238, "AveRooms": 6.984, "HouseAge": 41, "median_income_usd": 83252}
    first = visitor.wait_settled(visitor.ask()["id"])
    response = visitor.http.post("/predict_api", json=spelled)
    second = visitor.wait_settled(response.json()["id"])
    assert second["features"] == first["features"]
    assert second["price"] == first["price"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/api/schema/", "/api/docs/", "/accounts/login/"])
def test_a_stranger_is_shown(visitor: Asker, path: str) -> None:
    response = visitor.http.get(path, follow_redirects=True)
    assert response.status_code == httpx.codes.OK
