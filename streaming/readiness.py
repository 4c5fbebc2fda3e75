"""`/healthz`: the process answers. `/readyz`: so do the parts it needs; one JSON line each, 503 when one is missing."""

import asyncio
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import redis
from confluent_kafka.admin import AdminClient
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from mlmodel.registry import live_versions
from streaming.kafka import admin_client, partitions_of_topics
from streaming.stopped_lines import stopped_lines

CHECK_SECONDS = 2.0
# What was found is told again to those who ask within this time.
FRESH_SECONDS = 1.0
# A check may wait for a broker that is away: not on the threads of the door, and one at a time.
_checks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")
_checked_at = -math.inf
_found: list[dict] = []


async def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


async def readyz(request: HttpRequest) -> HttpResponse:
    """Ready when every part is; those named by `?without=` are left out."""
    found = await asyncio.get_running_loop().run_in_executor(_checks, _check_now_and_then)
    lines = [line for line in found if line["part"] not in request.GET.getlist("without")]
    return HttpResponse(
        "".join(json.dumps(line) + "\n" for line in lines),
        status=200 if all(line["ready"] for line in lines) else 503,
        content_type="application/x-ndjson",
        headers={"Cache-Control": "no-store"},
    )


def _check_now_and_then() -> list[dict]:
    global _checked_at, _found
    if time.monotonic() - _checked_at > FRESH_SECONDS:
        try:
            _found = check_all()
        finally:
            connection.close()
        _checked_at = time.monotonic()
    return _found


def check_all() -> list[dict]:
    """What is ready: `part`, `ready`, `ms`, and for what is not, `detail` with what to do."""
    return [_check(part, check) for part, check in _CHECKS.items()]


def _check(part: str, check: Callable[[], None]) -> dict:
    started = time.perf_counter()
    try:
        check()
        outcome: dict = {"ready": True}
    except Exception as error:
        # Whatever a driver raises means the same here: this part can't be used.
        outcome = {"ready": False, "detail": f"{type(error).__name__}: {error}"[:300]}
    return {"part": part, **outcome, "ms": round((time.perf_counter() - started) * 1000, 1)}


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
        client.ping()


@cache
def kafka_client() -> AdminClient:
    """The one client with which this process asks the broker how it is."""
    return admin_client()


def _kafka() -> None:
    partitions_of_topics(kafka_client(), seconds=CHECK_SECONDS)


def _model() -> None:
    if not any(version.role == "champion" for version in live_versions()):
        raise LookupError("no champion model: run manage.py register_models")


def _lines() -> None:
    if stopped := stopped_lines():
        raise RuntimeError("; ".join(f"the {line.consumer} is stopped: {line.detail}" for line in stopped))


_CHECKS: dict[str, Callable[[], None]] = {
    "database": _database,
    "redis": _redis,
    "kafka": _kafka,
    "model": _model,
    "lines": _lines,
}
