"""The static files of a deployment, as collected by `collectstatic`."""

import re

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from whitenoise import WhiteNoise

# The manifest storage puts a hash of the content before the suffix: such a file never changes.
_HASHED_NAME = re.compile(r"\.[0-9a-f]{12}\.")


def _not_found(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"There is no such file.\n"]


def _is_immutable(path: str, url: str) -> bool:
    return bool(_HASHED_NAME.search(url))


def _wsgi_application():
    if settings.DEBUG:
        return StaticFilesHandler(get_wsgi_application())
    return WhiteNoise(
        _not_found,
        root=settings.STATIC_ROOT,
        prefix=settings.STATIC_URL,
        immutable_file_test=_is_immutable,
        max_age=60,
    )


static_files = _wsgi_application()
