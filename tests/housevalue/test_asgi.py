"""The ASGI application: what reaches Django, Channels and the files, as a server hands it over."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as django_settings
from whitenoise import WhiteNoise

from housevalue.asgi import application
from housevalue.static import StaticFiles, _application
from predictions.contract import MAX_BODY_BYTES
from predictions.models import Prediction

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    app, method: str, path: str, *, body: Sequence[bytes] = (b"",), headers: Sequence[tuple[str, str]] = ()
) -> Answer:
    """One HTTP request whose body comes in these pieces."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in headers)],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    communicator = ApplicationCommunicator(app, scope)
    for number, piece in enumerate(body, start=1):
        await communicator.send_input({"type": "http.request", "body": piece, "more_body": number < len(body)})
    start = await communicator.receive_output(10)
    received, more = b"", True
    while more:
        message = await communicator.receive_output(10)
        received += message.get("body", b"")
        more = message.get("more_body", False)
    await communicator.wait(10)
    found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, received)


async def test_a_chunked_question_is_read_whole(house):
    body = json.dumps(house).encode()
    answer = await ask(
        application, "POST", "/predict_api", body=[body[:10], body[10:]], headers=[("content-type", "application/json")]
    )
    assert answer.status == 202


@pytest.mark.parametrize("path", ["/predict_api", "/api/v1/predictions"])
async def test_a_chunked_body_over_64_kib_is_refused_though_it_never_said_its_length(house, path):
    pieces = [json.dumps(house).encode(), *[b" " * 4096] * (MAX_BODY_BYTES // 4096)]
    answer = await ask(application, "POST", path, body=pieces, headers=[("content-type", "application/json")])
    assert answer.status in (401, 413)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await Prediction.objects.acount() == 0


async def test_liveness_needs_no_database_redis_or_broker(django_assert_num_queries, settings):
    settings.DATABASES = {}
    answer = await ask(application, "GET", "/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")


# -- static files --------------------------------------------------------------------------------------------------
@pytest.fixture
def files(tmp_path, settings) -> StaticFiles:
    """A folder as `collectstatic` leaves it."""
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "site.css").write_text("p {}" * 1000)
    (tmp_path / "css" / "site.0123456789ab.css").write_text("p {}" * 1000)
    (tmp_path / "css" / "site.0123456789ab.css.gz").write_bytes(gzip.compress(b"p {}" * 1000))
    (tmp_path.parent / "secret.txt").write_text("not for the world")
    settings.STATIC_ROOT = tmp_path
    return _application()


async def test_a_hashed_file_is_kept_by_browsers_for_good_and_any_other_for_a_minute(files):
    hashed = await ask(files, "GET", "/static/css/site.0123456789ab.css")
    assert (hashed.status, len(hashed.body)) == (200, 4000)
    assert "immutable" in hashed.headers["cache-control"]
    assert hashed.headers["content-type"].startswith("text/css")
    plain = await ask(files, "GET", "/static/css/site.css")
    assert "immutable" not in plain.headers["cache-control"]
    assert "max-age=60" in plain.headers["cache-control"]


async def test_a_compressed_copy_is_given_to_those_who_take_it(files):
    answer = await ask(
        files, "GET", "/static/css/site.0123456789ab.css", headers=[("accept-encoding", "gzip, deflate")]
    )
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body) == b"p {}" * 1000


async def test_head_and_a_known_version_have_no_body(files):
    head = await ask(files, "HEAD", "/static/css/site.css")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "4000")
    again = await ask(
        files, "GET", "/static/css/site.css", headers=[("if-modified-since", head.headers["last-modified"])]
    )
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/static/", "/static/none.css", "/static/../secret.txt", "/static/css/../../secret.txt", "/static/css"]
)
async def test_anything_else_is_not_found(files, path):
    assert (await ask(files, "GET", path)).status == 404


async def test_the_application_hands_static_paths_to_the_files():
    answer = await ask(application, "GET", f"/{django_settings.STATIC_URL.strip('/')}/no-such-file.css")
    assert (answer.status, answer.body) == (404, b"no such file\n")


def test_whitenoise_finds_the_files_once_at_the_start(files):
    assert isinstance(files._files, WhiteNoise)
    assert not files._files.autorefresh
