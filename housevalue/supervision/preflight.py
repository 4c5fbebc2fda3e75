"""What must hold before anything is started. Each check raises `CannotRun` with one line."""

import errno
import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from confluent_kafka import KafkaException
from django.conf import settings
from django.db import DatabaseError, connection

from housevalue.supervision.errors import CannotRun
from streaming import kafka

FREE_MEGABYTES = 300


@contextmanager
def sole_run(var_dir: Path) -> Iterator[None]:
    """Hold the state folder: made where it is missing, and refused while another run holds it."""
    if "," in str(var_dir):
        raise CannotRun(f"The state folder {var_dir} has a comma in its name; Kafka takes that for two folders.")
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
        lock = (var_dir / "run.lock").open("a+")
    except OSError as error:
        raise CannotRun(f"The state folder {var_dir} can't be written: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(f"It already runs with {var_dir}{_where(var_dir)}. Stop that run first.") from None
        yield


def check_disk(var_dir: Path) -> None:
    free = free_megabytes(var_dir)
    if free < FREE_MEGABYTES:
        raise CannotRun(f"The disk of {var_dir} has {free} MB free; {FREE_MEGABYTES} MB are needed.")


def free_megabytes(var_dir: Path) -> int:
    return shutil.disk_usage(var_dir).free // 1_000_000


def parse_port(text: str) -> int:
    """The port that `PORT` names."""
    with suppress(ValueError):
        if 0 < (port := int(text)) < 65536:
            return port
    raise CannotRun(f"PORT={text} is not a port: a number from 1 to 65535.")


def check_web_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                message = f"Port {port} is taken. Another one: PORT={port + 1 if port < 65535 else 8000} make run"
            else:
                message = f"Port {port} can't be used: {error.strerror}."
            raise CannotRun(message) from error


def check_given_services() -> None:
    """Ask each service that the environment names; those that are embedded are not asked."""
    if is_given("KAFKA_BOOTSTRAP_SERVERS"):
        _check_kafka()
    if is_given("REDIS_URL"):
        _check_redis()
    if is_given("DATABASE_URL"):
        _check_database()


def is_given(variable: str) -> bool:
    """Whether the environment sets it, by value or by file."""
    return bool(os.environ.get(variable) or os.environ.get(f"{variable}_FILE"))


def _check_kafka() -> None:
    try:
        kafka.admin_client().list_topics(timeout=8)
    except KafkaException as error:
        servers = settings.KAFKA_BOOTSTRAP_SERVERS
        raise CannotRun(
            f"Kafka at KAFKA_BOOTSTRAP_SERVERS={servers} does not answer: {error.args[0].str()}."
        ) from error


def _check_redis() -> None:
    try:
        with redis.from_url(settings.REDIS_URL, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotRun(f"Redis at REDIS_URL does not answer: {_first_line(error)}") from error


def _check_database() -> None:
    os.environ.setdefault("PGCONNECT_TIMEOUT", "8")
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        raise CannotRun(f"The database at DATABASE_URL does not answer: {_first_line(error)}") from error
    finally:
        connection.close()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _where(var_dir: Path) -> str:
    """The address of the run that holds the state folder, as far as it has said it."""
    with suppress(OSError, ValueError, KeyError):
        stack = json.loads((var_dir / "run" / "stack.json").read_text())
        return f" (process {stack['pid']}, {stack['url']})"
    return ""
