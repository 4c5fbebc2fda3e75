from django.core.management.base import BaseCommand

from housevalue.settings_table import README, readme_with_table


class Command(BaseCommand):
    help = "Write the README's table of settings from .env.example."

    def handle(self, **options):
        README.write_text(readme_with_table())
