"""The static files of a deployment, as collected by `collectstatic`.

WhiteNoise is WSGI, and asgiref's WsgiToAsgi answers 500 now and then when a browser asks for several files over one
connection: a request inherits the context, and with it the finished executor, of the one before it.
"""

import asyncio
import re
from http import HTTPStatus

from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from whitenoise import WhiteNoise
from whitenoise.responders import Response

# The manifest storage puts a hash of the content before the suffix: such a file never changes.
_HASHED_NAME = re.compile(r"\.[0-9a-f]{12}\.")


class StaticFiles:
    """An ASGI application that answers with the files WhiteNoise found at the start."""

    def __init__(self, files: WhiteNoise):
        self._files = files

    async def __call__(self, scope, receive, send) -> None:
        found = self._files.files.get(scope["path"])
        if found is None:
            response, body = Response(HTTPStatus.NOT_FOUND, [("Content-Type", "text/plain")], None), b"no such file\n"
        else:
            response = found.get_response(scope["method"], _environ(scope))
            body = b""
        if response.file is not None:
            body = await asyncio.get_running_loop().run_in_executor(None, _read, response.file)
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _environ(scope) -> dict[str, str]:
    """The request's headers, by the names WhiteNoise looks for."""
    return {
        "HTTP_" + name.decode("latin-1").upper().replace("-", "_"): value.decode("latin-1")
        for name, value in scope["headers"]
    }


def _read(file) -> bytes:
    with file:
        return file.read()


def _not_wsgi(environ, start_response):
    raise NotImplementedError("WhiteNoise only keeps the files here")


def _is_immutable(path: str, url: str) -> bool:
    return bool(_HASHED_NAME.search(url))


def _application():
    if settings.DEBUG:
        return ASGIStaticFilesHandler(get_asgi_application())
    return StaticFiles(
        WhiteNoise(
            _not_wsgi,
            root=settings.STATIC_ROOT,
            prefix=settings.STATIC_URL,
            immutable_file_test=_is_immutable,
            max_age=60,
        )
    )


static_files = _application()
