from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from housevalue.supervision import demo


class Command(BaseCommand):
    help = "Make the demo users of a run on one machine and print their passwords. Not for a deployment."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, password in demo.create_logins(settings.VAR_DIR).items():
            self.stdout.write(f"{name} / {password}")
