from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from housevalue.supervision import static_files


class Command(BaseCommand):
    help = (
        "All that a run on one machine needs before its programs start, in one process: tables, static files, "
        "models, demo users, topics. Each step does nothing where there is nothing to do."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1)
        static_files.collect_if_changed()
        call_command("register_models")
        call_command("create_demo_users")
        call_command("create_topics")
