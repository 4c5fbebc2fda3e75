"""A Celery worker as in production whose model kills the process that is to score a mark: a fault put in from outside.

For `celery --app tests.streaming.deadly_worker worker`; the mark is a house age, DEADLY_AGE in the environment.
"""

import os
import signal

import numpy as np
from celery.signals import worker_init

from housevalue.celery import app as app
from mlmodel.features import FEATURES

DEADLY_AGE = float(os.environ["DEADLY_AGE"])


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
            os.kill(os.getpid(), signal.SIGKILL)
        price = np.full(len(x), 2.0)
        return [Estimates("sample", "a" * 64, "champion", price, price - 1, price + 1)]


@worker_init.connect
def _make_deadly(**_) -> None:
    from streaming import tasks

    tasks.LiveModels = DeadlyModels
