import shutil
from pathlib import Path

import pytest

from mlmodel import artefact, registry
from mlmodel.artefact import ARTEFACTS
from mlmodel.catalogue import RECIPES


@pytest.fixture(scope="session")
def artefacts():
    """The committed models by name, verified and loaded once."""
    return {name: artefact.load(name) for name in RECIPES}


@pytest.fixture
def copied(tmp_path) -> Path:
    """A folder with copies of the committed artefacts, to be damaged."""
    for name in RECIPES:
        shutil.copytree(ARTEFACTS / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def registered(db, artefacts):
    """Every committed model in the registry, `monotone-hgb-1` as champion."""
    for one in artefacts.values():
        registry.register(artefact=one)
    registry.promote(name="monotone-hgb-1", reason="the champion of this test", despite_bars=True)
    return artefacts
