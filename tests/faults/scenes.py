"""Every scene that `make faults` plays and docs/faults.md tells of."""

from tests.faults import matrix
from tests.faults.stage import Scene

SCENES: list[Scene] = [matrix.SCENE]
