"""Celery tasks: the scoring of a batch, and chores by the clock."""

import logging

from celery import Task, shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_ready, worker_shutting_down
from confluent_kafka import KafkaException
from django.core.management import call_command
from kombu.exceptions import OperationalError

from mlmodel.scoring import LiveModels, NoLiveModel
from streaming import kafka
from streaming.health import mark_gone, mark_ready
from streaming.kafka import NotDelivered
from streaming.scoring import BatchScoring

logger = logging.getLogger(__name__)

# Below the task's time limit: a task that is killed for taking too long is acknowledged, and its batch lost.
PUBLISH_MS = 5000
# So many workers may die of one prediction.
MOST_LOST = 3
# Built in each pool process after the fork: a producer made before it never delivers, silently.
_scoring: BatchScoring | None = None


@worker_process_init.connect
def _build_scoring(**_) -> None:
    global _scoring
    publisher = kafka.publisher(**{"message.timeout.ms": PUBLISH_MS})
    _scoring = BatchScoring(models=LiveModels.load(), publisher=publisher)
    logger.info("the worker is ready")


@worker_process_shutdown.connect
def _drop_scoring(**_) -> None:
    global _scoring
    _scoring = None


@worker_ready.connect
def _say_ready(**_) -> None:
    mark_ready("worker")


@worker_shutting_down.connect
def _say_gone(**_) -> None:
    mark_gone("worker")


@shared_task(
    bind=True,
    autoretry_for=(NotDelivered, NoLiveModel, KafkaException, OperationalError),
    retry_backoff=1,
    retry_backoff_max=10,
    max_retries=None,
)
def score_batch(self: Task, batch: list[dict], lost: int = 0) -> None:
    """Score a batch (items of `messages.read_features`); acknowledged once the scores are on the log.

    `lost`: how many workers died while they had it. After the first it is tried again, for most die of something else;
    after the second each of its items alone, so that the one to blame is found; that one is given up after the third.
    """
    if _scoring is None:
        raise RuntimeError("score_batch runs in a worker's pool process only")
    try:
        if _is_redelivered(self):
            _try_again(_scoring, batch, lost + 1)
        else:
            _scoring.score(batch)
    except KafkaException:
        # A producer that failed for good (its topic was made anew, say) refuses everything from then on.
        _build_scoring()
        raise


def _is_redelivered(task: Task) -> bool:
    """Whether a worker took this very message before and did not acknowledge it."""
    return bool((task.request.delivery_info or {}).get("redelivered"))


def _try_again(scoring: BatchScoring, batch: list[dict], lost: int) -> None:
    """By new messages: one that is redelivered once more does not tell how often it was."""
    if lost >= MOST_LOST and len(batch) == 1:
        logger.error("prediction %s is given up: %d workers died of it", batch[0]["id"], lost)
        scoring.give_up(batch[0])
        return
    logger.warning("a batch of %d was lost with its worker %d times", len(batch), lost)
    for part in [[item] for item in batch] if lost >= MOST_LOST - 1 else [batch]:
        score_batch.apply_async(args=[part], kwargs={"lost": lost}, retry=False)


@shared_task
def clear_expired_sessions() -> None:
    call_command("clearsessions")
