"""The command that runs the Wasm transforms where the broker doesn't."""

import logging
from threading import Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from streaming import kafka
from streaming.health import mark_gone, mark_ready
from streaming.loop import BackOff, StopFlag
from streaming.metrics import AWAY
from streaming.monitoring import serve_metrics
from streaming.redpanda_admin import AdminError, admin_of_settings
from streaming.transform_host.deployments import BadDeployment, Deployment, read_deployments, read_module
from streaming.transform_host.host import TransformHost
from streaming.transform_host.modules import BadModule, compile_module
from streaming.transform_releases import run_by_the_broker

logger = logging.getLogger("streaming.transforms")

READY_LOOK_SECONDS = 0.1


class Command(BaseCommand):
    help = (
        "Run the data transforms of redpanda/transforms on any Kafka-API broker, as Redpanda would run them. "
        "Not needed on Redpanda, where `rpk transform deploy` puts the same modules into the broker. "
        "Ends with 0 on SIGTERM, with 1 when a transform can't go on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", metavar="NAME", action="append", help="run this transform only (repeatable)")

    def handle(self, *args: Any, only: list[str] | None, **options: Any) -> None:
        stop = StopFlag().listen()
        serve_metrics()
        try:
            hosts = make_hosts(only)
        except (AdminError, BadDeployment, BadModule) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"running {', '.join(host.name for host in hosts)}")
        try:
            failed = run_hosts(hosts, stop)
        finally:
            mark_gone("transforms")
        if failed:
            raise CommandError(f"stopped by a failure of {', '.join(failed)}")


def make_hosts(only: list[str] | None) -> list[TransformHost]:
    """A host for each transform, or for those named.

    Raises:
        BadDeployment, BadModule: one isn't there, isn't what Redpanda would take, or is run by the broker itself.
        AdminError: the broker can't be asked whether it runs them.
    """
    deployments = read_deployments()
    names = only or list(deployments)
    if unknown := set(names) - set(deployments):
        raise BadDeployment(f"no such transform: {', '.join(sorted(unknown))} (there are {', '.join(deployments)})")
    refuse_a_second_run([deployments[name] for name in names])
    modules = {name: compile_module(read_module(name)) for name in names}
    return [TransformHost(deployments[name], modules[name], kafka.publisher()) for name in names]


def refuse_a_second_run(deployments: list[Deployment]) -> None:
    """Every record would be transformed twice where the broker runs the transforms itself.

    Only REDPANDA_ADMIN_URL tells that it may: the Kafka API shows no transforms.

    Raises:
        BadDeployment: the broker runs one of them.
        AdminError: it can't be asked.
    """
    admin = admin_of_settings()
    if admin is None:
        return
    if names := run_by_the_broker(admin, deployments):
        raise BadDeployment(
            f"the broker at REDPANDA_ADMIN_URL already runs {', '.join(names)}: run_transforms has no work"
        )


def run_hosts(hosts: list[TransformHost], stop: StopFlag) -> list[str]:
    """Run each host on a thread of its own until `stop` is set or one of them fails; the names of those that failed."""
    failed: list[str] = []

    def run(host: TransformHost) -> None:
        try:
            repeat(host, stop)
            host.close()
        except BaseException:
            failed.append(host.name)
            stop.set()
            raise

    threads = [Thread(target=run, args=[host], name=host.name) for host in hosts]
    for thread in threads:
        thread.start()
    while not stop.is_set() and not all(host.ready.is_set() for host in hosts):
        stop.wait(READY_LOOK_SECONDS)
    if not stop.is_set():
        mark_ready("transforms")
    for thread in threads:
        thread.join()
    return failed


def repeat(host: TransformHost, stop: StopFlag) -> None:
    """Run a host until `stop` is set; says once that the broker is away, and that it is back."""
    back_off = BackOff(stop)
    is_away = False
    told_away = AWAY.labels(host.name)
    while not stop.is_set():
        try:
            through = host.run_once()
        except kafka.NotDelivered as error:
            if not is_away:
                logger.warning("%s waits for the broker: %s", host.name, error)
            is_away = True
            told_away.set(1)
            back_off.wait()
            continue
        if is_away and through:
            logger.info("%s goes on", host.name)
            is_away = False
            told_away.set(0)
            back_off.reset()
