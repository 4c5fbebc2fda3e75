"""SSE: `GET /stream`, and its cousin for clients without either push, `GET /feed`."""

import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial

from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse

from predictions.callers import BadToken, Caller, identify_request, is_still, remember_visitor
from predictions.database_threads import in_database_thread
from predictions.models import Prediction
from predictions.problems import problem
from predictions.reading import readable_prediction
from streaming.consumers import read_cursor
from streaming.feed import follow, note_pushed, read_events
from streaming.metrics import following

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
RETRY_MS = 2000


async def stream(request: HttpRequest) -> HttpResponseBase:
    """The caller's own feed, from `Last-Event-ID` (or `?after=`) on; with `?prediction=<id>` that prediction alone."""
    try:
        listener, cursor = await in_database_thread(_listener, request)
    except Prediction.DoesNotExist:
        return problem(404, "not_found", "there is no such prediction")
    except ValueError as error:
        return problem(400, "bad_cursor", str(error))
    except BadToken as error:
        return problem(401, "bad_token", str(error), headers={"WWW-Authenticate": "Token"})
    caller, feed_key, prediction = listener
    may_hear = partial(is_still, caller, request.COOKIES, request.headers.get("Authorization", ""))
    response = StreamingHttpResponse(
        _events(feed_key, cursor, may_hear, prediction),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )
    remember_visitor(response, caller)
    return response


async def feed(request: HttpRequest) -> HttpResponseBase:
    """The next page of the caller's own feed after `?after=`: the same events, for polling."""
    try:
        caller, body = await in_database_thread(_page, request)
    except ValueError as error:
        return problem(400, "bad_cursor", str(error))
    except BadToken as error:
        return problem(401, "bad_token", str(error), headers={"WWW-Authenticate": "Token"})
    response = JsonResponse(body, headers={"Cache-Control": "no-store"})
    remember_visitor(response, caller)
    return response


def _listener(request: HttpRequest) -> tuple[tuple[Caller, str, uuid.UUID | None], int | None]:
    caller = identify_request(request)
    cursor = read_cursor(request.headers.get("Last-Event-ID") or request.GET.get("after", ""))
    wanted = request.GET.get("prediction")
    if wanted is None:
        return (caller, caller.feed_key, None), cursor
    prediction = readable_prediction(wanted, caller)
    # One prediction's stream begins with its answer if that came before the listener.
    return (caller, prediction.feed_key, prediction.pk), cursor or 0


def _page(request: HttpRequest) -> tuple[Caller, dict]:
    caller = identify_request(request)
    cursor = read_cursor(request.GET.get("after", "")) or 0
    events = read_events(feed_key=caller.feed_key, cursor=cursor)
    note_pushed("poll", events)
    return caller, {"cursor": events[-1]["cursor"] if events else cursor, "events": events}


async def _events(
    feed_key: str, cursor: int | None, may_hear: Callable[[], bool], prediction: uuid.UUID | None
) -> AsyncIterator[str]:
    """The feed as SSE. Whatever goes wrong ends the stream: an exception would leave daphne's connection open."""
    yield f"retry: {RETRY_MS}\n\n"
    said_at = time.monotonic()
    is_ready = False
    try:
        with following("sse", cursor=cursor):
            async with aclosing(follow(feed_key, cursor=cursor, may_hear=may_hear, prediction=prediction)) as pages:
                async for reached, events in pages:
                    for event in events:
                        yield _sse(event["cursor"], event["type"], event)
                    note_pushed("sse", events)
                    if not is_ready:
                        yield _sse(reached, "ready", {"type": "ready", "cursor": reached})
                        is_ready = True
                    if events:
                        said_at = time.monotonic()
                    elif time.monotonic() - said_at >= HEARTBEAT_SECONDS:
                        yield ": alive\n\n"
                        said_at = time.monotonic()
    except Exception:
        logger.exception("a feed can't be followed; the stream ends and the client comes back")


def _sse(cursor: int, kind: str, body: dict) -> str:
    return f"id: {cursor}\nevent: {kind}\ndata: {json.dumps(body, separators=(',', ':'))}\n\n"
