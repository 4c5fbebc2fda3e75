"""What this project deploys into a Redpanda cluster, and what has to change there.

A release is a transform of `redpanda/transforms` that passed every check Redpanda makes, and ran. The cluster lists a
transform's environment but not its module, so a release carries the module's sha256 in a variable: equal hash, topics
and variables mean that there is nothing to do.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from streaming.redpanda_admin import DeployedTransform, RedpandaAdmin, TransformsDisabled
from streaming.transform_host.deployments import BadDeployment, Deployment, read_deployments, read_module
from streaming.transform_host.guest import Guest, Trapped
from streaming.transform_host.modules import BadModule, compile_module

HASH_VARIABLE = "HOUSEVALUE_MODULE_SHA256"
LOOK_SECONDS = 0.5
NEW, CHANGED, UNCHANGED = "deployed", "replaced", "unchanged"


class NotRunning(Exception):
    """A transform is deployed and does not run on every partition; the text names it and the partitions."""


@dataclass(frozen=True)
class Release:
    """A transform and the module that is to run it."""

    name: str
    binary: bytes
    plain: Deployment

    @cached_property
    def deployment(self) -> Deployment:
        """As it is deployed: with the module's hash among the variables."""
        digest = hashlib.sha256(self.binary).hexdigest()
        return replace(self.plain, variables={**self.plain.variables, HASH_VARIABLE: digest})

    def change(self, deployed: DeployedTransform | None) -> str:
        """What `deployed` lacks: NEW, CHANGED or UNCHANGED.

        Raises:
            BadDeployment: its topics differ, which a cluster does not change.
        """
        if deployed is None:
            return NEW
        wanted = self.deployment
        if (deployed.input_topic, deployed.output_topics) != (wanted.input_topic, wanted.output_topics):
            there = f"{deployed.input_topic} -> {', '.join(deployed.output_topics)}"
            raise BadDeployment(
                f"{self.name} is deployed on other topics ({there}); delete it first: --delete {self.name}"
            )
        return UNCHANGED if deployed.variables == wanted.variables else CHANGED


def read_releases(only: Sequence[str] | None = None) -> list[Release]:
    """Every transform of this project, or those named, each checked and started once in Redpanda's limits.

    Raises:
        BadDeployment, BadModule: Redpanda would refuse it, or it would not start.
    """
    deployments = read_deployments()
    if unknown := set(only or ()) - set(deployments):
        raise BadDeployment(f"no such transform: {', '.join(sorted(unknown))} (there are {', '.join(deployments)})")
    releases = [Release(name, read_module(name), deployments[name]) for name in only or deployments]
    for release in releases:
        try_start(release)
    return releases


def try_start(release: Release) -> None:
    """Start the module as the broker would, up to its wish for a first batch.

    Raises:
        BadModule: it can't be loaded, wants a host function that Redpanda lacks, or dies.
    """
    try:
        Guest(release.deployment, compile_module(release.binary)).stop()
    except (BadModule, Trapped) as error:
        raise BadModule(f"{release.name}: {error}") from error


def deploy(admin: RedpandaAdmin, releases: Sequence[Release], *, start: str) -> dict[str, str]:
    """Bring the cluster to `releases`; what was done, by name.

    Nothing is deployed when one of them can't be. `start`: where a new transform begins, "from_start" or "from_end".

    Raises:
        AdminError: no answer, or a refusal.
        BadDeployment: one is deployed on other topics.
    """
    there = admin.transforms()
    changes = {release.name: release.change(there.get(release.name)) for release in releases}
    for release in releases:
        if changes[release.name] != UNCHANGED:
            is_new = changes[release.name] == NEW
            admin.deploy(release.deployment, release.binary, start=start if is_new else None)
    return changes


def wait_running(
    admin: RedpandaAdmin, names: Sequence[str], *, seconds: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Block until each transform runs on every partition of its input topic.

    Raises:
        NotRunning: `seconds` passed.
        AdminError: no answer.
    """
    end = time.monotonic() + seconds
    while stalled := _stalled(admin.transforms(), names):
        if time.monotonic() > end:
            raise NotRunning(f"not running after {seconds:.0f} s: {'; '.join(stalled)}")
        sleep(LOOK_SECONDS)


def run_by_the_broker(admin: RedpandaAdmin, deployments: Sequence[Deployment]) -> list[str]:
    """Names of the cluster's transforms that read what one of `deployments` reads.

    Raises:
        AdminError: no answer.
    """
    topics = {deployment.input_topic for deployment in deployments}
    try:
        there = admin.transforms().values()
    except TransformsDisabled:
        return []
    return sorted(transform.name for transform in there if transform.input_topic in topics)


def _stalled(there: dict[str, DeployedTransform], names: Sequence[str]) -> list[str]:
    return [f"{name} ({_ailing(there.get(name))})" for name in names if not (name in there and there[name].is_running)]


def _ailing(transform: DeployedTransform | None) -> str:
    if transform is None:
        return "not deployed"
    ailing = [f"{status.partition} {status.status}" for status in transform.partitions if status.status != "running"]
    return f"partition {', '.join(ailing)}" if ailing else "no partition yet"
