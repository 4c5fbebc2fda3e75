from django.core.management.base import BaseCommand, CommandError

from mlmodel import registry


class Command(BaseCommand):
    help = "Stop scoring with a shadow model. Running workers follow in 5 s; promote_model brings it back."

    def add_arguments(self, parser):
        parser.add_argument("name")
        parser.add_argument("--reason", default="", help="kept in the audit history")

    def handle(self, *, name, reason, **options):
        try:
            registry.retire(name=name, reason=reason)
        except registry.RegistryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{name} is retired"))
