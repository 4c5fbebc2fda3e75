"""Celery tasks: the scoring of a batch, and chores by the clock."""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from billiard.process import current_process
from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_ready, worker_shutting_down
from confluent_kafka import KafkaException
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from kombu.exceptions import OperationalError

from mlmodel.scoring import LiveModels, NoLiveModel
from predictions import idempotency
from predictions.forgetting import forget
from streaming import dead_letters, kafka
from streaming.health import mark_gone, mark_ready
from streaming.kafka import NotDelivered
from streaming.lost_batches import MOST_LOST
from streaming.monitoring import serve_metrics
from streaming.scoring import BatchScoring

logger = logging.getLogger(__name__)

# Below the task's time limit: a task that is killed for taking too long is acknowledged, and its batch lost.
PUBLISH_MS = 5000
# Many times what a full batch takes on a busy machine. A worker whose models take longer is ended as if they had
# killed it, three times in a row well before the deadline of an answer.
MODEL_SECONDS = 3.0
# A try that failed lasts so long at least: meanwhile another batch waits on the queue, where the scorer sees it.
TRY_SECONDS = 1.0
# Nothing is scored by a process meanwhile, and at its time limit a chore's work would be undone; the next run goes on.
CHORE_SECONDS = 2.0
# A part is away, and nothing is certain: the batch is tried again.
_AWAY = (NotDelivered, NoLiveModel, KafkaException, OperationalError)
# Built in each pool process after the fork: a producer made before it never delivers, silently.
_scoring: BatchScoring | None = None


@worker_process_init.connect
def _serve_metrics(**_) -> None:
    """Of the pool process, which is the one that scores: on the port of its place in the pool."""
    serve_metrics(place=current_process().index)


@worker_process_init.connect
def _build_scoring(**_) -> None:
    global _scoring
    publisher = kafka.publisher(**{"message.timeout.ms": PUBLISH_MS})
    _scoring = BatchScoring(
        models=LiveModels.load(), publisher=publisher, watch=lambda: _models_may_take(MODEL_SECONDS)
    )
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
    Request="streaming.lost_batches:BatchRequest",
    autoretry_for=_AWAY,
    # At once, at the end of the queue. What is to be tried later a worker takes into its memory, and others meanwhile.
    retry_kwargs={"countdown": 0},
    max_retries=None,
)
def score_batch(batch: list[dict], lost: int = 0) -> None:
    """Score a batch (items of `messages.read_features`); acknowledged once the scores are on the log.

    `lost`: how many pool processes died while they had it; `BatchRequest` counts them.
    """
    if _scoring is None:
        raise RuntimeError("score_batch runs in a worker's pool process only")
    with _failing_slowly():
        try:
            if lost >= MOST_LOST:
                _give_up(_scoring, batch)
            else:
                _scoring.score(batch)
        except KafkaException:
            # A producer that failed for good (its topic was made anew, say) refuses everything from then on.
            _build_scoring()
            raise


def _give_up(scoring: BatchScoring, batch: list[dict]) -> None:
    """These items were each alone when their last worker died."""
    for item in batch:
        logger.error("prediction %s is given up: %d workers died of it", item["id"], MOST_LOST)
        scoring.give_up(item)


@contextmanager
def _failing_slowly() -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    except _AWAY:
        time.sleep(max(0.0, TRY_SECONDS - (time.monotonic() - started)))
        raise


@contextmanager
def _models_may_take(seconds: float) -> Iterator[None]:
    """The kernel ends this process when the block takes longer: no Python runs while a model hangs in its library."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@shared_task
def clear_expired_sessions() -> None:
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    if count := forget(expired, seconds=CHORE_SECONDS):
        logger.info("%d expired sessions are cleared", count)


@shared_task
def forget_old_idempotency_keys() -> None:
    if count := idempotency.forget_old_keys(seconds=CHORE_SECONDS):
        logger.info("%d idempotency keys are forgotten", count)


@shared_task
def prune_dead_letters() -> None:
    before = timezone.now() - timedelta(days=settings.DEAD_LETTER_KEEP_DAYS)
    if count := dead_letters.prune(settled_before=before):
        logger.info("%d settled dead letters were pruned", count)
