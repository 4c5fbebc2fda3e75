"""What an operator does with a dead letter: find it, mend it, try it, replay it; and the ledger holds all the while."""

import json
import re
import uuid

import httpx
import pytest

from tests.e2e.clients import HOUSE, Log, until
from tests.stack import RunningStack

INBOX = "/admin/streaming/deadletter/"


@pytest.fixture
def operator(stack: RunningStack):
    with httpx.Client(base_url=stack.base_url, follow_redirects=True, timeout=20) as client:
        form = {"username": "operator", "password": stack.logins["operator"], "next": "/admin/"}
        client.get("/admin/login/")
        logged_in = client.post("/admin/login/", data=with_token(client, form))
        assert "Ledger" in logged_in.text
        yield client


def with_token(client: httpx.Client, form: dict[str, str]) -> dict[str, str]:
    return {**form, "csrfmiddlewaretoken": client.cookies["csrftoken"]}


def test_a_refused_record_is_mended_and_replayed_in_admin_and_then_answered(
    stack: RunningStack, log: Log, operator: httpx.Client
) -> None:
    asked = str(uuid.uuid4())
    question = {"id": asked, "features": {**HOUSE, "med_inc": 99}, "requested_at": "2026-01-01T00:00:00Z"}
    source = [("source", b"csv-drop")]
    log.write("prediction_topic", json.dumps(question).encode(), key=asked.encode(), headers=source)
    letter = until(
        lambda: re.search(rf"{INBOX}\d+/change/", operator.get(INBOX, params={"q": asked}).text),
        seconds=20,
        what="the letter in the inbox",
    )[0]
    assert "out_of_range" in operator.get(letter).text

    mended = {"body": json.dumps(question | {"features": HOUSE})}
    tried = operator.post(letter, data=with_token(operator, mended | {"_dry_run": "1"})).text
    assert "it goes on to prediction_features_topic" in tried
    told = operator.post(letter, data=with_token(operator, mended | {"_replay": "1"})).text
    assert "1 will be replayed" in told
    page = f"/admin/predictions/prediction/{asked}/change/"
    until(lambda: "answered" in operator.get(page).text, seconds=20, what="the answer to the replayed record")

    ledger = json.loads(stack.manage("show_ledger", "--json").stdout)
    assert ledger["difference"] == 0
    assert [reader["lag"] is not None for reader in ledger["topics"]] == [True] * 5
    assert "Accepted ever" in operator.get("/admin/ledger/").text
