"""One real run for all tests of this folder: Kafka, Valkey, every process, nothing replaced."""

from collections.abc import Iterator

import pytest

from tests.e2e.clients import Asker, Log
from tests.stack import RunningStack, running_stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e/" in item.nodeid:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    # Every test asks from one address: the visitors' rate is not what is tested here.
    with running_stack(tmp_path_factory.mktemp("stack"), env={"VISITOR_RATE": "0/m"}) as running:
        yield running


@pytest.fixture
def visitor(stack: RunningStack) -> Iterator[Asker]:
    with Asker(stack.base_url) as asker:
        yield asker


@pytest.fixture
def another_visitor(stack: RunningStack) -> Iterator[Asker]:
    with Asker(stack.base_url) as asker:
        yield asker


@pytest.fixture(scope="session")
def token(stack: RunningStack) -> str:
    """The key of an API token of the demo user."""
    made = stack.manage("make_token", "demo", "end-to-end")
    assert made.returncode == 0, made.stderr
    return made.stdout.split()[-1]


@pytest.fixture
def log(stack: RunningStack) -> Iterator[Log]:
    """The topics of the run, to write to as a stranger and to read."""
    with Log(stack.env["KAFKA_BOOTSTRAP_SERVERS"]) as opened:
        yield opened
