"""Every scene that `make faults` plays and docs/faults.md tells of."""

from tests.faults import cluster_cases, matrix, rolling, weather
from tests.faults.stage import Scene

SCENES: list[Scene] = [
    matrix.SCENE,
    cluster_cases.SCENE,
    rolling.SCENE,
    *(scene for scene in weather.SCENES if not weather.missing_for(scene)),
]
