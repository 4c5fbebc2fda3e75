"""More questions than can be answered: all that are accepted are answered in time, the others told when to come.

With FAULTS=whole also whether what they were told was true.
"""

import os
from pathlib import Path

import pytest

from tests.faults.overload import LONG, SHORT, play

OVERLOAD = LONG if os.environ.get("FAULTS") == "whole" else SHORT


@pytest.mark.timeout(600)
def test_more_than_can_be_answered_costs_those_who_were_accepted_nothing(tmp_path: Path) -> None:
    report = play(OVERLOAD, tmp_path / "var")
    assert not report["complaints"], report
