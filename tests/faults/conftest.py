"""Fault tests play cases on real runs: those that start a run the same way share it, and one run is up at a time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.faults.stage import Case, Scene, Stage

# Those that share a run stand beside each other.
_ORDER = ("test_verdict", "test_report", "test_matrix", "test_weather", "test_resume", "test_rolling")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if "tests/faults/" in item.nodeid]
    for item in here:
        if "test_verdict" not in item.nodeid:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(300))
    in_order = iter(sorted(here, key=_place))
    items[:] = [next(in_order) if item in here else item for item in items]


def _place(item: pytest.Item) -> int:
    return _ORDER.index(item.path.stem) if item.path.stem in _ORDER else len(_ORDER)


@pytest.fixture(scope="session")
def stage_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Scene], Stage]]:
    """The stage for a scene: the one that is up if its run was started the same way, or another in its place."""
    stages: list[Stage] = []
    with ExitStack() as last:

        def stage_of(scene: Scene) -> Stage:
            if not stages or stages[-1].scene.start is not scene.start:
                last.close()
                stages.append(Stage(scene, tmp_path_factory.mktemp("faults")))
                last.callback(stages[-1].close)
            return stages[-1]

        yield stage_of


@pytest.fixture
def play(stage_of: Callable[[Scene], Stage]) -> Callable[[Scene, Case], None]:
    """Plays a case on its scene's run and fails the test with all promises that were broken."""
    return lambda scene, case: stage_of(scene).play(case).check()
