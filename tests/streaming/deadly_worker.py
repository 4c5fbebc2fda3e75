"""A Celery worker as in production with a model that goes wrong at a mark: a fault put in from outside.

For `celery --app tests.streaming.deadly_worker worker`; the mark is a house age, DEADLY_AGE in the environment, and
DEADLY_WAY says what happens then: the model kills its process, or hangs in a library.
"""

import ctypes
import os
import signal

import numpy as np
from celery.signals import worker_init

from housevalue.celery import app as app
from mlmodel.features import FEATURES

DEADLY_AGE = float(os.environ["DEADLY_AGE"])
MODEL_SECONDS = 1.0


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    """For ever, and where no signal handler of Python runs: in C, on a lock that is held already."""
    mutex = ctypes.create_string_buffer(256)
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(mutex)


WAYS = {"kill": kill, "hang": hang}


class DeadlyModels:
    @classmethod
    def load(cls) -> "DeadlyModels":
        return cls()

    def refresh(self) -> None:
        pass

    def estimate(self, x: np.ndarray) -> list:
        # Models of Django can be imported only when the worker has set it up.
        from mlmodel.scoring import Estimates

        if (x[:, FEATURES.index("house_age")] == DEADLY_AGE).any():
            WAYS[os.environ["DEADLY_WAY"]]()
        price = np.full(len(x), 2.0)
        return [Estimates("sample", "a" * 64, "champion", price, price - 1, price + 1)]


@worker_init.connect
def _make_deadly(**_) -> None:
    from streaming import tasks

    tasks.LiveModels = DeadlyModels
    tasks.MODEL_SECONDS = MODEL_SECONDS
