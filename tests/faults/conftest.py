"""Fault tests play cases on real runs; all that share a scene share its run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.faults.stage import Case, Scene, Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/faults/" in item.nodeid and "test_verdict" not in item.nodeid:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Scene, Case], None]]:
    """Plays a case on its scene's run and fails the test with all promises that were broken."""
    stages: dict[str, Stage] = {}
    with ExitStack() as open_stages:

        def played(scene: Scene, case: Case) -> None:
            if scene.name not in stages:
                stages[scene.name] = Stage(scene, tmp_path_factory.mktemp("faults"))
                open_stages.callback(stages[scene.name].close)
            stages[scene.name].play(case).check()

        yield played
