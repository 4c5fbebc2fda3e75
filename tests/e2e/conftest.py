"""One real run for all tests of this folder: Kafka, Valkey, every process, nothing replaced."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.e2e.clients import Asker, Log
from tests.requisites import chromium_path
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


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is missing: install it to test the page")
    browser = playwright.chromium.launch(
        executable_path=path,
        args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
    )
    yield browser
    browser.close()


@pytest.fixture
def open_page(stack: RunningStack, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page as a new person with an own browser profile; fails the test when the page logs an error."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str = "/", **options) -> Page:
        context = chromium.new_context(**{"base_url": stack.base_url, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if "Content Security" in message.text else None,
        )
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
