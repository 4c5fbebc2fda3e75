"""The live models of one worker process: all of them over a batch, swapped when the registry changes."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from django.db import DatabaseError

from mlmodel import artefact
from mlmodel.artefact import ARTEFACTS, Artefact, ArtefactError
from mlmodel.models import ModelVersion
from mlmodel.registry import live_versions

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 2.0


class NoLiveModel(Exception):
    """No champion can be served at the moment: keep the batch and try again."""


@dataclass(frozen=True)
class Estimates:
    """What one model says of a batch: (n,) float64 arrays, $100,000 of 1990, finite, low <= price <= high."""

    model: str
    sha256: str
    role: str
    price: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class _Live:
    artefact: Artefact
    role: str


class LiveModels:
    """Not for several threads: one per worker process."""

    def __init__(
        self,
        versions: Callable[[], Sequence[ModelVersion]] = live_versions,
        root: Path = ARTEFACTS,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._versions = versions
        self._root = root
        self._clock = clock
        self._live: tuple[_Live, ...] = ()
        self._seen: list[tuple[str, str, str]] = []
        self._complaints: dict[str, str] = {}
        self._looked_at = -np.inf

    @classmethod
    def load(cls, versions: Sequence[ModelVersion] | None = None, root: Path = ARTEFACTS) -> Self:
        """The models of `versions`, or of the registry. One that can't be loaded is logged and left out."""
        models = cls(live_versions if versions is None else lambda: versions, root)
        models.refresh()
        return models

    @property
    def names(self) -> list[str]:
        """The models that would answer now, the champion first."""
        return [live.artefact.name for live in self._live]

    def refresh(self) -> None:
        """Follow the registry; cheap, for every batch: it asks at most every 2 s and loads only what is new.

        A champion that can't be loaded leaves the models that are served now in place; such a shadow is left out.
        """
        if self._clock() - self._looked_at < REFRESH_SECONDS:
            return
        self._looked_at = self._clock()
        try:
            versions = self._versions()
        except DatabaseError:
            logger.warning("the registry can't be read; the live models stay as they are", exc_info=True)
            return
        wanted = [(version.name, version.sha256, version.role) for version in versions]
        if wanted != self._seen:
            self._follow(wanted)

    def estimate(self, X: np.ndarray) -> list[Estimates]:
        """Every live model over (n, 8) float64 features, the champion first. Raises NoLiveModel."""
        if not self._live:
            raise NoLiveModel("no champion model is live: run manage.py register_models, or promote another one")
        return [_estimate(live, X) for live in self._live]

    def _follow(self, wanted: list[tuple[str, str, str]]) -> None:
        live, complaints = [], {}
        for name, sha256, role in wanted:
            try:
                live.append(_Live(self._loaded(name, sha256), role))
            except ArtefactError as error:
                complaints[name] = str(error)
        # Tried again at every look, so that repaired files go live by themselves, but said only once.
        self._seen = [] if complaints else wanted
        for name, reason in complaints.items():
            if self._complaints.get(name) != reason:
                logger.error("a live model can't be loaded", extra={"model": name, "reason": reason})
        self._complaints = complaints
        if live and live[0].role == ModelVersion.Role.CHAMPION:
            self._swap(tuple(live))

    def _swap(self, live: tuple[_Live, ...]) -> None:
        if live != self._live:
            self._live = live
            logger.info("live models: %s", ", ".join(self.names))

    def _loaded(self, name: str, sha256: str) -> Artefact:
        for live in self._live:
            if (live.artefact.name, live.artefact.sha256) == (name, sha256):
                return live.artefact
        found = artefact.load(name, self._root)
        if found.sha256 != sha256:
            raise artefact.DamagedArtefact(
                f"model {name}: its files have sha256 {found.sha256}, registered is {sha256}"
            )
        return found


def _estimate(live: _Live, X: np.ndarray) -> Estimates:
    estimate = live.artefact.model.estimate(X)
    return Estimates(live.artefact.name, live.artefact.sha256, live.role, estimate.price, estimate.low, estimate.high)
