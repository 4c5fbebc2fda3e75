"""Blocking work of async views on a few threads that keep their database connection.

Django gives each request a thread of its own and that thread a new connection: on SQLite opening it costs more than
the insert. `CONN_MAX_AGE` can't help, the thread is gone.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connections

P = ParamSpec("P")
T = TypeVar("T")

_threads = ThreadPoolExecutor(max_workers=settings.DATABASE_THREADS, thread_name_prefix="database")


async def in_database_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` on a kept thread and await what it returns or raises."""
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(_call, function, *args, **kwargs))


def _call(function: Callable[..., T], /, *args, **kwargs) -> T:
    drop_broken_connections()
    return function(*args, **kwargs)


def drop_broken_connections() -> None:
    """Close this thread's connections that failed (the server restarted), so that the next query opens new ones.

    Django's `close_old_connections` would close the working ones too: `CONN_MAX_AGE` is 0, which is right only for
    threads that end with their request.
    """
    for connection in connections.all(initialized_only=True):
        connection.close_at = None
        connection.close_if_unusable_or_obsolete()
