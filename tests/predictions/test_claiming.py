"""Signing in: what a visitor asked becomes the user's, and the user's other pages hear of it."""

import pytest

from predictions import services
from predictions.callers import Caller
from predictions.models import FeedEvent
from tests import making
from tests.making import user, visitor

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def heard_after(feed_key: str, cursor: int) -> list[tuple]:
    events = services.events_after(feed_key=feed_key, cursor=cursor, limit=100)
    return [(event.prediction_id, event.kind) for event in events]


def test_a_page_of_the_user_that_is_open_elsewhere_hears_once_what_the_visitor_was_told():
    ada, ann = user(), visitor("ann")
    own = Caller.of_user(ada)
    told = [making.answered(ann).pk for _ in range(2)]
    making.answered(own)
    cursor = services.latest_cursor(own.feed_key)
    assert services.claim_visitor_predictions(visitor_feed_key=ann.feed_key, user=ada) == 2
    assert heard_after(own.feed_key, cursor) == [(prediction, "answered") for prediction in told]
    assert FeedEvent.objects.filter(prediction__in=told).count() == 2
    assert heard_after(ann.feed_key, 0) == []


def test_the_page_after_the_sign_in_stands_behind_what_was_claimed_and_hears_nothing_twice():
    ada, ann = user(), visitor("ann")
    making.answered(ann)
    services.claim_visitor_predictions(visitor_feed_key=ann.feed_key, user=ada)
    feed_key = Caller.of_user(ada).feed_key
    assert heard_after(feed_key, services.latest_cursor(feed_key)) == []


def test_what_was_on_its_way_at_the_sign_in_is_told_to_the_user():
    ada, ann = user(), visitor("ann")
    prediction = making.published(ann)
    services.claim_visitor_predictions(visitor_feed_key=ann.feed_key, user=ada)
    services.record_answers([making.answer(prediction.pk)])
    assert heard_after(Caller.of_user(ada).feed_key, 0) == [(prediction.pk, "answered")]


def test_another_visitors_events_stay_where_they_are():
    ada, ann, bob = user(), visitor("ann"), visitor("bob")
    making.answered(ann)
    of_bob = making.answered(bob)
    services.claim_visitor_predictions(visitor_feed_key=ann.feed_key, user=ada)
    assert heard_after(bob.feed_key, 0) == [(of_bob.pk, "answered")]
