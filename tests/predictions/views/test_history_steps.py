"""The history of who moves things: of the questions of one movement the last is listed, the others told."""

import csv
import io
import uuid

import pytest
from django.test import Client

from predictions import keeping, services
from predictions.callers import Caller
from predictions.contract import normalise_features
from predictions.models import Door, Prediction
from tests import making
from tests.predictions.conftest import streamed

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def ask(caller: Caller, gesture: uuid.UUID | None) -> Prediction:
    """A question of the page, answered."""
    question = normalise_features(making.FEATURES)
    asked = services.accept(caller=caller, question=question, source=Door.PAGE, gesture=gesture)
    services.record_answers([making.answer(asked.pk, source=Door.PAGE)])
    asked.refresh_from_db()
    return asked


def listed(browser: Client, **query: str) -> list[Prediction]:
    return list(browser.get("/history", query).context["page"])


@pytest.fixture
def moved(ada) -> list[Prediction]:
    """A question by hand, three of one movement, and one of the next."""
    first, second = uuid.uuid4(), uuid.uuid4()
    return [ask(Caller.of_user(ada), gesture) for gesture in (None, first, first, first, second)]


def test_the_steps_of_a_movement_are_told_not_listed(signed_in, moved):
    by_hand, _, _, last, next_one = moved
    assert listed(signed_in) == [next_one, last, by_hand]
    assert "and 2 steps on the way" in signed_in.get("/history").content.decode()


def test_the_recent_questions_of_the_first_page_are_without_them_too(signed_in, moved):
    assert list(signed_in.get("/").context["recent"]) == [moved[4], moved[3], moved[0]]


def test_the_steps_are_shown_to_who_wants_them_or_searches(signed_in, moved):
    assert listed(signed_in, steps="shown") == moved[::-1]
    assert "with 2 steps on the way" in signed_in.get("/history?steps=shown").content.decode()
    assert listed(signed_in, status="answered") == moved[::-1]
    assert listed(signed_in, order="oldest") == [moved[0], *moved[3:]]


def test_an_answer_is_no_step_on_the_way_to_a_question_without_one(signed_in, ada):
    movement = uuid.uuid4()
    answered = ask(Caller.of_user(ada), movement)
    failed = services.accept(
        caller=Caller.of_user(ada), question=normalise_features(making.FEATURES), source=Door.PAGE, gesture=movement
    )
    making.long_ago(failed, requested_at=31)
    making.long_ago(answered, requested_at=33)
    services.fail_expired(limit=10)
    assert [one.pk for one in listed(signed_in)] == [failed.pk, answered.pk]


def test_a_file_of_the_history_has_the_steps_too(signed_in, moved):
    rows = csv.DictReader(io.StringIO(streamed(signed_in.get("/history.csv"))))
    assert [row["id"] for row in rows] == [str(one.pk) for one in moved[::-1]]


def test_a_step_with_a_note_is_listed(signed_in, moved):
    keeping.write_note(prediction=moved[1], text="here it turned", tags=[])
    assert listed(signed_in) == [*moved[:2:-1], moved[1], moved[0]]


def test_when_what_a_movement_came_to_is_deleted_the_step_before_is_listed(signed_in, moved):
    keeping.delete_prediction(moved[3])
    assert listed(signed_in) == [moved[4], moved[2], moved[0]]
