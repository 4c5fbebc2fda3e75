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
