from django.core.management.base import BaseCommand
from django.db import OperationalError

from streaming import kafka
from streaming.bells import Bells
from streaming.delivery import Deliverer
from streaming.kafka import NotDelivered
from streaming.loop import StopFlag, run_until_stopped
from streaming.monitoring import serve_metrics
from streaming.stopped_lines import LineStopped, StoppableLine
from streaming.topics import Group, Topic


class Command(BaseCommand):
    help = "Store the answers of prediction_result_topic and push them to their owners, until stopped."

    def handle(self, **options):
        serve_metrics()
        consumer = kafka.consumer(Group.DELIVER, [Topic.RESULTS, Topic.DEAD_LETTERS])
        deliverer = Deliverer(
            consumer=consumer, dead_letters=kafka.publisher(), bells=Bells(), line=StoppableLine("deliverer")
        )
        try:
            run_until_stopped(
                deliverer.run_once,
                name="deliverer",
                stop=StopFlag().listen(),
                away=(NotDelivered, OperationalError, LineStopped),
            )
        finally:
            consumer.close()
