"""What every test stands on: a database file, a state folder and a Valkey of its own, and known callers."""

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from asgiref.sync import SyncToAsync
from django.conf import settings as django_settings
from django.db import connections

from housevalue.embedded import ValkeyServer
from housevalue.embedded.ports import spare_port

_state = tempfile.TemporaryDirectory(prefix="housevalue-tests-")


def pytest_configure() -> None:
    """Settings name this run's own parts before anything reads them: nobody's running Redis is ever touched."""
    port = spare_port()
    django_settings.VAR_DIR = Path(_state.name)
    django_settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
    django_settings.CACHES["default"]["LOCATION"] = django_settings.REDIS_URL
    django_settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] = [django_settings.REDIS_URL]
    django_settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{port}/1"
    django_settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_unconfigure() -> None:
    _state.cleanup()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright leaves its event loop running, and no other starts on the same thread."""
    items.sort(key=lambda item: "e2e" in item.path.parts)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Two runs at once in one working tree do not share a database file."""
    test = django_settings.DATABASES["default"]["TEST"]
    if connections["default"].vendor == "sqlite":
        test["NAME"] = str(Path(_state.name) / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """PostgreSQL can't drop the test database while the kept threads are connected to it."""
    yield
    from predictions import database_threads

    count = django_settings.DATABASE_THREADS
    together = threading.Barrier(count)
    for done in [database_threads._threads.submit(_close_connections, together) for _ in range(count)]:
        done.result(10)
    SyncToAsync.single_thread_executor.submit(connections.close_all).result(10)


def _close_connections(together: threading.Barrier) -> None:
    together.wait(10)
    connections.close_all()


# -- Redis ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    server = ValkeyServer(directory=Path(_state.name) / "valkey", port=redis_port())
    server.start()
    server.wait_ready(20)
    yield server
    server.stop()


def redis_port() -> int:
    return int(django_settings.REDIS_URL.rpartition(":")[2].partition("/")[0])


@pytest.fixture(autouse=True)
def valkey(request: pytest.FixtureRequest) -> ValkeyServer | None:
    """The real Valkey, empty. Tests of the models alone need none."""
    if "mlmodel" in request.path.parts or "e2e" in request.path.parts:
        return None
    server: ValkeyServer = request.getfixturevalue("valkey_server")
    with redis.Redis(port=server.port) as client:
        client.flushall()
    return server


@pytest.fixture
def redis_away(valkey: ValkeyServer) -> Iterator[ValkeyServer]:
    """Redis is down; `start()` and `wait_ready()` of the value bring it back."""
    valkey.kill()
    yield valkey
    if valkey.process is None:
        valkey.start()
        valkey.wait_ready(20)


@pytest.fixture(params=["is full", "is a replica", "has no replicas"])
def redis_refuses(request: pytest.FixtureRequest, valkey: ValkeyServer) -> Iterator[None]:
    """Redis answers and takes no writes: what it says of a disk that is full is of the kind of the last one."""
    with redis.Redis(port=valkey.port) as client:
        match request.param:
            case "is full":
                client.config_set("maxmemory", 1)
            case "is a replica":
                client.replicaof("127.0.0.1", spare_port())
            case _:
                client.config_set("min-replicas-to-write", 1)
        try:
            yield
        finally:
            client.replicaof("NO", "ONE")
            client.config_set("maxmemory", 0)
            client.config_set("min-replicas-to-write", 0)


@pytest.fixture(autouse=True)
def redis_is_asked() -> None:
    """No test inherits the pause after a call that failed."""
    from housevalue.cache import ForgivingRedisCache
    from predictions import doorbell

    ForgivingRedisCache.silent_until = 0.0
    doorbell._silent_until = 0.0
    doorbell._client.cache_clear()


@pytest.fixture(autouse=True)
def the_door_is_open() -> None:
    """No test inherits what an earlier one made the door measure."""
    from predictions.admission import admission

    admission._line, admission._opens_at = None, 0.0


# -- callers and questions -----------------------------------------------------------------------------------------
@pytest.fixture
def house() -> dict[str, float]:
    """A question that can be answered: a block group in San Francisco."""
    return {
        "med_inc": 3.9,
        "house_age": 41,
        "ave_rooms": 5.3,
        "ave_bedrms": 1.05,
        "population": 1200,
        "ave_occup": 2.6,
        "latitude": 37.77,
        "longitude": -122.42,
    }


@pytest.fixture
def visitors_unlimited(settings) -> None:
    settings.VISITOR_RATE = "0/m"
