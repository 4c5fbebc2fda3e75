"""System checks: mistakes of a deployment that Django can't see, with what to do."""

from django.conf import settings
from django.core.checks import Error, Tags, register


@register(Tags.security, deploy=True)
def check_secret_key(app_configs, **kwargs) -> list[Error]:
    """The key of a run on one machine stands in the source: with it anybody can sign in as anybody."""
    if settings.SECRET_KEY != settings.INSECURE_KEY:
        return []
    return [
        Error(
            "SECRET_KEY is the one that stands in the source code.",
            hint="Set SECRET_KEY (or SECRET_KEY_FILE) to 50 random characters, the same for every process.",
            id="housevalue.E001",
        )
    ]


@register()
def check_seconds_to_answer(app_configs, **kwargs) -> list[Error]:
    """A door that closes only when the deadline is missed already closes too late."""
    if settings.MOST_SECONDS_TO_ANSWER < settings.ANSWER_DEADLINE_SECONDS:
        return []
    return [
        Error(
            "MOST_SECONDS_TO_ANSWER is not below ANSWER_DEADLINE_SECONDS.",
            hint="Let the door close early enough, at a third of the deadline, say.",
            id="housevalue.E002",
        )
    ]
