"""System checks name a deployment's mistakes and what to do."""

from django.conf import settings as django_settings

from housevalue.checks import check_seconds_to_answer, check_secret_key


def test_the_key_that_stands_in_the_source_is_an_error_of_a_deployment(settings):
    settings.SECRET_KEY = django_settings.INSECURE_KEY
    (error,) = check_secret_key(None)
    assert error.id == "housevalue.E001"
    assert "SECRET_KEY_FILE" in error.hint
    settings.SECRET_KEY = "one of our own"
    assert check_secret_key(None) == []


def test_a_door_that_would_close_after_the_deadline_is_an_error(settings):
    settings.MOST_SECONDS_TO_ANSWER = settings.ANSWER_DEADLINE_SECONDS = 20
    (error,) = check_seconds_to_answer(None)
    assert error.id == "housevalue.E002"
    settings.MOST_SECONDS_TO_ANSWER = 19
    assert check_seconds_to_answer(None) == []
