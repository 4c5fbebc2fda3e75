from django.core.management.base import BaseCommand, CommandError

from mlmodel import registry


class Command(BaseCommand):
    help = "Make a registered model the champion, or roll back to the champion before. Running workers follow in 5 s."

    def add_arguments(self, parser):
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("name", nargs="?", help="the model to promote")
        what.add_argument("--roll-back", action="store_true", help="make the champion before this one champion again")
        parser.add_argument("--reason", default="", help="kept in the audit history")
        parser.add_argument("--despite-bars", action="store_true", help="although it misses a bar")

    def handle(self, *, name, roll_back, reason, despite_bars, **options):
        try:
            if roll_back:
                version = registry.roll_back(reason=reason, despite_bars=despite_bars)
            else:
                version = registry.promote(name=name, reason=reason, despite_bars=despite_bars)
        except registry.RegistryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{version.name} is the champion"))
