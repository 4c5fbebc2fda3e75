from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from streaming import kafka
from streaming.bells import Bells
from streaming.ingress import IngressPublisher
from streaming.kafka import NotDelivered
from streaming.loop import StopFlag, run_until_stopped
from streaming.monitoring import serve_metrics
from streaming.outbox import DoorbellListener, OutboxPublisher


class Command(BaseCommand):
    help = "Publish accepted predictions to prediction_topic, until stopped. Any number may run on PostgreSQL."

    def handle(self, **options):
        serve_metrics()
        publisher = kafka.publisher()
        outbox = OutboxPublisher(
            publisher=_ingress() or publisher, replays=publisher, bell=DoorbellListener(), owners=Bells()
        )
        run_until_stopped(
            outbox.run_once, name="publisher", stop=StopFlag().listen(), away=(NotDelivered, OperationalError)
        )


def _ingress() -> IngressPublisher | None:
    """Connect, where the settings name its door."""
    url, token = settings.CONNECT_INGRESS_URL, settings.CONNECT_INGRESS_TOKEN
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise CommandError("CONNECT_INGRESS_URL must begin with http:// or https://")
    if len(token) < 16:
        raise CommandError("CONNECT_INGRESS_URL needs CONNECT_INGRESS_TOKEN, of at least 16 characters")
    return IngressPublisher(url=url, token=token)
