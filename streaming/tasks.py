"""Celery tasks: the scoring of a batch, and chores by the clock."""

import logging

from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_ready, worker_shutting_down
from confluent_kafka import KafkaException
from django.core.management import call_command

from mlmodel.scoring import LiveModels, NoLiveModel
from streaming import kafka
from streaming.health import mark_gone, mark_ready
from streaming.kafka import NotDelivered
from streaming.scoring import BatchScoring

logger = logging.getLogger(__name__)

# Below the task's time limit: a task that is killed for taking too long is acknowledged, and its batch lost.
PUBLISH_MS = 5000
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
    autoretry_for=(NotDelivered, NoLiveModel, KafkaException),
    retry_backoff=1,
    retry_backoff_max=10,
    max_retries=None,
)
def score_batch(batch: list[dict]) -> None:
    """Score a batch (items of `messages.read_features`); acknowledged once the scores are on the log."""
    if _scoring is None:
        raise RuntimeError("score_batch runs in a worker's pool process only")
    try:
        _scoring.score(batch)
    except KafkaException:
        # A producer that failed for good (its topic was made anew, say) refuses everything from then on.
        _build_scoring()
        raise


@shared_task
def clear_expired_sessions() -> None:
    call_command("clearsessions")
