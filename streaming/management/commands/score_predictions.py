import redis
from celery import current_app
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError
from kombu.exceptions import OperationalError

from streaming import kafka
from streaming.kafka import NotDelivered
from streaming.loop import StopFlag, run_until_stopped
from streaming.monitoring import serve_metrics
from streaming.queue_room import CeleryQueue
from streaming.scoring import BatchScorer
from streaming.stopped_lines import LineStopped, StoppableLine
from streaming.tasks import score_batch
from streaming.topics import Group, Topic


class Command(BaseCommand):
    help = "Consume prediction_features_topic and hand batches to the Celery workers, until stopped."

    def handle(self, **options):
        serve_metrics()
        stop = StopFlag().listen()
        queue = CeleryQueue(current_app, waiting=1)
        consumer = kafka.consumer(Group.SCORE, [Topic.FEATURES])
        scorer = BatchScorer(
            consumer=consumer,
            dead_letters=kafka.publisher(),
            enqueue=lambda batch: score_batch.apply_async(args=[batch], retry=False),
            wait_for_room=lambda: queue.wait_for_room(stop),
            batch_size=settings.SCORING_BATCH_SIZE,
            line=StoppableLine("scorer"),
        )
        try:
            run_until_stopped(
                scorer.run_once,
                name="scorer",
                stop=stop,
                away=(NotDelivered, OperationalError, DatabaseError, redis.RedisError, LineStopped),
            )
        finally:
            consumer.close()
