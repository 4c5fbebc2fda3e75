"""The life of predictions in the logs: a line for each step, by which one finds an id through all processes.

Predictions travel in batches, and so do these lines: one names every prediction that took the step together.
"""

import logging
from collections.abc import Collection

import structlog

NAME = "life"
_log = structlog.get_logger(NAME)


def is_told() -> bool:
    """Whether the logs take these lines; else their ids need not be gathered."""
    return logging.getLogger(NAME).isEnabledFor(logging.INFO)


def tell(step: str, ids: Collection[object], **more: object) -> None:
    """Say that these predictions took `step` (a past participle), with what else there is to know."""
    if ids and is_told():
        _log.info(step, count=len(ids), ids=[str(one) for one in ids], **more)
