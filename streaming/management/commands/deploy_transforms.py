"""The command that puts the Wasm transforms into a Redpanda cluster."""

from contextlib import closing
from typing import Any

from confluent_kafka import KafkaException
from django.core.management.base import BaseCommand, CommandError, CommandParser

from streaming import kafka
from streaming.redpanda_admin import AdminError, DeployedTransform, RedpandaAdmin, admin_of_settings
from streaming.transform_host.deployments import BadDeployment
from streaming.transform_host.modules import BadModule
from streaming.transform_logs import NoLogs, read_logs
from streaming.transform_releases import NotRunning, deploy, read_releases, wait_running


class Command(BaseCommand):
    help = (
        "Deploy the data transforms of redpanda/transforms into the Redpanda cluster at REDPANDA_ADMIN_URL, and wait "
        "until they run. Safe to repeat: what is there already stays. The topics must exist (create_topics). "
        "`rpk transform deploy` deploys the same files. Ends with 1 when the cluster refuses, or a transform does not "
        "run in time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", metavar="NAME", action="append", help="this transform only (repeatable)")
        parser.add_argument(
            "--from-end",
            action="store_true",
            help="a new transform skips what its topic holds already (default: from the start, so nothing is lost)",
        )
        parser.add_argument("--seconds", type=float, default=60, help="how long to wait until they run (default 60)")
        others = parser.add_mutually_exclusive_group()
        others.add_argument("--check", action="store_true", help="only check them against Redpanda's limits")
        others.add_argument("--status", action="store_true", help="only list what the cluster runs, by partition")
        others.add_argument("--logs", metavar="NAME", help="only show what a transform has logged")
        others.add_argument("--delete", metavar="NAME", help="delete a transform; its topics keep their records")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except (AdminError, BadDeployment, BadModule, NotRunning, NoLogs) as error:
            raise CommandError(str(error)) from error
        except KafkaException as error:
            raise CommandError(f"Kafka: {error.args[0].str()}; is KAFKA_BOOTSTRAP_SERVERS right?") from error

    def _handle(self, options: dict[str, Any]) -> None:
        if options["check"]:
            self._check(options["only"])
        elif options["logs"]:
            with closing(kafka.reader()) as reader:
                for line in read_logs(reader, options["logs"]):
                    self.stdout.write(line)
        elif options["status"]:
            self._show(_admin().transforms())
        elif options["delete"]:
            _admin().delete(options["delete"])
            self.stdout.write(f"deleted {options['delete']}")
        else:
            start = "from_end" if options["from_end"] else "from_start"
            self._deploy(_admin(), options["only"], start=start, seconds=options["seconds"])

    def _check(self, only: list[str] | None) -> None:
        for release in read_releases(only):
            self.stdout.write(f"{release.name}: {len(release.binary):,} bytes, starts within Redpanda's limits")

    def _deploy(self, admin: RedpandaAdmin, only: list[str] | None, *, start: str, seconds: float) -> None:
        changes = deploy(admin, read_releases(only), start=start)
        for name, change in changes.items():
            self.stdout.write(f"{name}: {change}")
        wait_running(admin, list(changes), seconds=seconds)
        self.stdout.write("all run")

    def _show(self, transforms: dict[str, DeployedTransform]) -> None:
        for transform in transforms.values():
            self.stdout.write(
                f"{transform.name}: {'running' if transform.is_running else 'NOT RUNNING'}, lag {transform.lag}, "
                f"{transform.input_topic} -> {', '.join(transform.output_topics)}"
            )
            for part in transform.partitions:
                self.stdout.write(f"  partition {part.partition} on node {part.node}: {part.status}, lag {part.lag}")
        if not transforms:
            self.stdout.write("the cluster runs no transform")


def _admin() -> RedpandaAdmin:
    admin = admin_of_settings()
    if admin is None:
        raise CommandError(
            "REDPANDA_ADMIN_URL is not set: the Admin API of your Redpanda, such as http://localhost:9644"
        )
    return admin
