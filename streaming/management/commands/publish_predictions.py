from django.core.management.base import BaseCommand
from django.db import OperationalError

from streaming import kafka
from streaming.bells import Bells
from streaming.kafka import NotDelivered
from streaming.loop import StopFlag, run_until_stopped
from streaming.outbox import DoorbellListener, OutboxPublisher


class Command(BaseCommand):
    help = "Publish accepted predictions to prediction_topic, until stopped. Any number may run on PostgreSQL."

    def handle(self, **options):
        outbox = OutboxPublisher(publisher=kafka.publisher(), bell=DoorbellListener(), owners=Bells())
        run_until_stopped(
            outbox.run_once, name="publisher", stop=StopFlag().listen(), away=(NotDelivered, OperationalError)
        )
