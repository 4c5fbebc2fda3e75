"""The operator's inbox of dead letters, the stopped consumers, and the ledger."""

import json
import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client

from predictions import services
from predictions.models import Prediction
from streaming import readiness
from streaming.models import DeadLetter, StoppedLine
from streaming.stopped_lines import WINDOW, LineStopped, StoppableLine
from streaming.topics import Topic
from tests import making
from tests.streaming import letters
from tests.streaming.mock_kafka import MockKafka

pytestmark = [pytest.mark.database, pytest.mark.django_db]
LETTERS, LINES, LEDGER = "/admin/streaming/deadletter/", "/admin/streaming/stoppedline/", "/admin/ledger/"


@pytest.fixture
def operator() -> Client:
    client = Client()
    user = get_user_model().objects.create_superuser("root", password="correct horse")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture(autouse=True)
def no_client_of_another_broker() -> None:
    readiness.kafka_client.cache_clear()


def page(client: Client, address: str, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def address_of(letter: DeadLetter) -> str:
    return f"{LETTERS}{letter.pk}/change/"


# -- reading ---------------------------------------------------------------------------------------------------------
def test_a_letter_shows_why_where_and_what(operator):
    letter = letters.stored(value=b'{"x": 1}', with_headers=letters.headers(source_offset=b"17"))
    shown = page(operator, address_of(letter))
    for words in (
        "med_inc must be less",
        "prediction_topic",
        "17",
        "attempt: 1",
        "{\n  &quot;x&quot;: 1\n}",
        "7b 22 78",
    ):
        assert words in shown


@pytest.mark.parametrize("value", [None, b"", b"\xff\0", b"[" * 100_000], ids=["none", "empty", "no text", "deep"])
def test_whatever_the_body_is_it_is_shown(operator, value):
    page(operator, address_of(letters.stored(key=None, value=value, with_headers=[])))


@pytest.mark.parametrize(
    "query",
    [
        {"stage": "prepare-request"},
        {"error__exact": "out_of_range"},
        {"status__exact": "received"},
        {"source_topic__exact": "prediction_topic"},
        {"q": "must be"},
        {"q": "00000000-0000-0000-0000-000000000001"},
    ],
)
def test_the_inbox_is_filtered_and_searched(operator, query):
    key = b"00000000-0000-0000-0000-000000000001"
    wanted = letters.stored(key=key, offset=1)
    other = letters.stored(offset=2, with_headers=[("error", b"other"), ("stage", b"scorer")])
    DeadLetter.objects.filter(pk=other.pk).update(status="discarded")
    found = page(operator, LETTERS, **query)
    assert address_of(wanted) in found
    assert address_of(other) not in found


# -- handling --------------------------------------------------------------------------------------------------------
def test_an_edited_body_is_kept_and_audited_and_tried_on_the_real_transform(operator):
    letter = letters.stored(value=b"{")
    refused = operator.post(address_of(letter), {"body": "{", "_dry_run": "1"}, follow=True).content.decode()
    assert "would refuse it again" in refused
    assert "bad_json" in refused
    assert not letter.history.exists()
    body = letters.request().decode()
    taken = operator.post(address_of(letter), {"body": body, "_dry_run": "1"}, follow=True).content.decode()
    assert "it goes on to prediction_features_topic" in taken
    letter.refresh_from_db()
    assert (letter.body, letter.status) == (body, "received")
    (change,) = letter.history.all()
    assert (change.history_user.username, change.body) == ("root", body)
    assert "root" in page(operator, f"{LETTERS}{letter.pk}/history/")


@pytest.mark.parametrize(
    ("topic", "value", "words"),
    [
        (Topic.SCORES, b"{", "format-result would refuse it again"),
        (Topic.FEATURES, b"{", "scorer would refuse it again"),
        (Topic.FEATURES, letters.request(), "scorer would take it"),
        (Topic.RESULTS, b"{", "deliverer would refuse it again"),
        ("feed", b"{", "It can't be tried: nothing reads"),
    ],
)
def test_a_dry_run_asks_the_reader_of_the_topic_it_came_from(operator, topic, value, words):
    letter = letters.stored(value=value, with_headers=letters.headers(topic=topic))
    assert words in page(operator, address_of(letter), dry_run="1")
    assert not DeadLetter.objects.exclude(status="received").exists()


def test_lines_that_a_browser_ends_its_own_way_are_no_edit(operator):
    letter = letters.stored(value=b"{\n}")
    operator.post(address_of(letter), {"body": "{\r\n}", "_continue": "1"})
    letter.refresh_from_db()
    assert letter.body is None


@pytest.mark.parametrize(("button", "status"), [("_replay", "marked"), ("_discard", "discarded")])
def test_a_button_of_a_letter_does_what_it_says(operator, button, status):
    letter = letters.stored()
    assert operator.post(address_of(letter), {"body": "{}", button: "1"}).status_code == 302
    letter.refresh_from_db()
    assert letter.status == status
    assert letter.history.get().history_user.username == "root"


def test_a_marked_letter_is_edited_no_more(operator):
    letter = letters.stored()
    operator.post(address_of(letter), {"body": "{}", "_replay": "1"})
    assert operator.post(address_of(letter), {"body": "[]", "_continue": "1"}).status_code == 403


def test_a_long_body_is_shown_and_replayed_but_not_edited(operator):
    letter = letters.stored(value=b'"' + b"x" * 60_000 + b'"')
    assert 'name="body"' not in page(operator, address_of(letter))
    operator.post(address_of(letter), {"_replay": "1"})
    letter.refresh_from_db()
    assert (letter.status, letter.body) == ("marked", None)


def test_a_letter_that_no_topic_takes_is_not_replayed_and_why_is_told(operator):
    letter = letters.stored(value=b"x" * 262_144)
    told = operator.post(address_of(letter), {"_replay": "1"}, follow=True).content.decode()
    assert "1 passed over" in told
    assert "longer than a topic takes" in told
    letter.refresh_from_db()
    assert letter.status == "received"


def test_a_whole_filter_is_replayed_at_once_and_what_has_no_way_back_is_told(operator):
    mine = [letters.stored(offset=offset) for offset in range(3)]
    letters.stored(offset=3, with_headers=letters.headers(topic="feed"))
    other = letters.stored(offset=4, with_headers=letters.headers(stage="scorer"))
    form = {"action": "replay", "_selected_action": [mine[0].pk], "select_across": "1"}
    told = operator.post(f"{LETTERS}?stage=prepare-request", form, follow=True).content.decode()
    assert "3 will be replayed" in told
    assert "1 passed over" in told
    assert DeadLetter.objects.filter(status="marked").count() == 3
    other.refresh_from_db()
    assert other.status == "received"


def test_who_may_only_look_can_change_nothing():
    staff = making.user("looker")
    staff.is_staff = True
    staff.save()
    staff.user_permissions.add(*Permission.objects.filter(codename__in=["view_deadletter", "view_stoppedline"]))
    client = Client()
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
    letter = letters.stored()
    assert 'name="_replay"' not in page(client, address_of(letter))
    assert client.post(address_of(letter), {"body": "{}", "_replay": "1"}).status_code == 403
    client.post(LETTERS, {"action": "replay", "_selected_action": [letter.pk]})
    letter.refresh_from_db()
    assert letter.status == "received"
    assert client.get(LEDGER).status_code == 403


# -- stopped lines ---------------------------------------------------------------------------------------------------
def test_a_stopped_consumer_is_named_and_let_go_on(operator, broker: MockKafka):
    with pytest.raises(LineStopped):
        StoppableLine("scorer").judge([True] * WINDOW)
    assert "The scorer stands still" in page(operator, LEDGER)
    assert "could not be used" in page(operator, LINES)
    operator.post(LINES, {"action": "resume", "_selected_action": [StoppedLine.objects.get().pk]})
    assert StoppedLine.objects.get().resumed_by.username == "root"
    StoppableLine("scorer").check_open()


# -- the ledger ------------------------------------------------------------------------------------------------------
def make_one_of_each() -> None:
    making.answered()
    rejected, failed = making.published(), making.published()
    making.long_ago(failed, requested_at=31)
    services.record_refusals([making.refusal(rejected.pk)])
    services.fail_expired(limit=10)
    making.long_ago(making.published(), requested_at=7)
    making.accepted()


def shown_ledger(capsys) -> dict:
    call_command("show_ledger", "--json")
    return json.loads(capsys.readouterr().out)


def test_the_ledger_counts_every_prediction_once(broker: MockKafka, capsys):
    make_one_of_each()
    broker.put(Topic.RESULTS, (b"k", b"v", []))
    letters.stored()
    shown = shown_ledger(capsys)
    accounts = ("accepted", "answered", "rejected", "failed", "in_flight", "in_outbox", "difference")
    assert [shown[name] for name in accounts] == [5, 1, 1, 1, 2, 1, 0]
    assert (shown["scored"], shown["open_dead_letters"]) == (1, 1)
    assert 7 <= shown["oldest_seconds"] < 20
    assert {"topic": "prediction_result_topic", "group": "deliver-results", "lag": 1} in shown["topics"]


def test_who_missed_the_deadline_before_being_published_is_in_the_outbox_still(broker: MockKafka, capsys):
    making.long_ago(making.accepted(), requested_at=31)
    services.fail_expired(limit=10)
    shown = shown_ledger(capsys)
    assert (shown["failed"], shown["in_flight"], shown["in_outbox"]) == (1, 0, 1)


def test_the_ledger_of_nothing_is_all_zero(broker: MockKafka, capsys):
    shown = shown_ledger(capsys)
    assert (shown["accepted"], shown["in_flight"], shown["oldest_seconds"]) == (0, 0, 0)


def test_a_sum_that_does_not_hold_is_told_and_ends_with_an_error(broker: MockKafka, operator, capsys):
    prediction = making.accepted()
    Prediction.objects.filter(pk=prediction.pk).update(settled_at=prediction.requested_at)
    with pytest.raises(CommandError, match="off by 1"):
        call_command("show_ledger")
    assert "The sum does not hold" in page(operator, LEDGER)


def test_a_broker_that_is_away_takes_nothing_but_the_lags(settings, operator, capsys):
    settings.KAFKA_BOOTSTRAP_SERVERS = "127.0.0.1:1"
    making.accepted()
    call_command("show_ledger")
    shown = capsys.readouterr().out
    assert re.search(r"accepted ever +1\n", shown)
    assert "what waits on the topics is not known" in shown
    assert "is not known" in page(operator, LEDGER)


def test_the_page_shows_accounts_and_lags_and_is_found_from_the_first_one(broker: MockKafka, operator):
    make_one_of_each()
    shown = page(operator, LEDGER)
    for words in ("deliver-results", "Accepted ever", "<td>5</td>"):
        assert words in shown
    assert f'href="{LEDGER}"' in page(operator, "/admin/")
