"""Threads that keep their database connection, and let go of a broken one."""

import asyncio
import threading

import pytest
from django.db import OperationalError, connection

from predictions.database_threads import drop_broken_connections, in_database_thread

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_a_working_connection_is_kept():
    connection.ensure_connection()
    before = connection.connection
    drop_broken_connections()
    assert connection.connection is before


def test_a_connection_that_broke_is_opened_anew():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no server that could go away")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    before = connection.connection
    before.close()
    with pytest.raises(Exception, match="closed"), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    drop_broken_connections()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    assert connection.connection is not before


async def test_calls_run_beside_the_event_loop_on_a_few_threads(settings):
    names = await asyncio.gather(*(in_database_thread(lambda: threading.current_thread().name) for _ in range(50)))
    assert threading.current_thread().name not in names
    assert len(set(names)) <= settings.DATABASE_THREADS


async def test_what_is_raised_there_is_raised_here():
    def fail() -> None:
        raise OperationalError("locked")

    with pytest.raises(OperationalError, match="locked"):
        await in_database_thread(fail)
