from confluent_kafka import KafkaException
from django.core.management.base import BaseCommand, CommandError

from streaming import kafka


class Command(BaseCommand):
    help = "Create the topics that are missing on the broker. Safe to repeat."

    def add_arguments(self, parser):
        parser.add_argument("--seconds", type=float, default=30, help="how long to wait for the broker (default 30)")

    def handle(self, *, seconds, **options):
        try:
            created = kafka.create_topics(kafka.admin_client(), seconds=seconds)
        except KafkaException as error:
            raise CommandError(f"Kafka: {error.args[0].str()}; is KAFKA_BOOTSTRAP_SERVERS right?") from error
        self.stdout.write(f"created {', '.join(created)}" if created else "all topics are there")
