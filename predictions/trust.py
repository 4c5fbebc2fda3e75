"""What the champion's own manifest says of how far to trust it, in dollars and per cent."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mlmodel.dataset import load_housing
from mlmodel.models import ModelVersion
from mlmodel.prices import TOP_DOLLARS, in_dollars


@dataclass(frozen=True)
class Band:
    """Block groups of the test part whose true value lies from `begin` to `end` dollars; `coverage` in 0..1."""

    begin: int
    end: int
    rows: int
    coverage: float


@dataclass(frozen=True)
class Trust:
    """Learned from `learned_rows` block groups and measured on `rows` others, which together are the whole census.

    Money in whole dollars of 1990, shares in 0..1. The `unseen_` figures are of whole areas without a known block
    group, None where they were not measured.
    """

    model: str
    sha256: str
    about: str
    learned_rows: int
    rows: int
    typical_error: int
    explained: float
    promised: float
    coverage: float
    width: int
    bands: list[Band]
    unseen_error: int | None
    unseen_coverage: float | None

    @property
    def all_rows(self) -> int:
        return self.learned_rows + self.rows

    @property
    def weakest(self) -> Band:
        """The band whose ranges hold least often."""
        return min(self.bands, key=lambda band: band.coverage)


def trust_in_champion() -> Trust | None:
    """The figures of the model that answers now; None while there is none."""
    champion = ModelVersion.objects.filter(role=ModelVersion.Role.CHAMPION).first()
    return _trust(champion) if champion else None


def _trust(champion: ModelVersion) -> Trust:
    manifest = champion.manifest
    tested = manifest["metrics"]["rtdl"]
    unseen = manifest["metrics"].get("spatial", {})
    return Trust(
        model=champion.name,
        sha256=champion.sha256,
        about=manifest["about"],
        learned_rows=len(load_housing()) - tested["rows"],
        rows=tested["rows"],
        typical_error=in_dollars(tested["mae"]),
        explained=tested["r2"],
        promised=manifest["range"]["level"],
        coverage=tested["coverage"],
        width=in_dollars(tested["mean_width"]),
        bands=_bands(tested["coverage_by_price"]),
        unseen_error=in_dollars(unseen["mae"]) if "mae" in unseen else None,
        unseen_coverage=unseen.get("coverage"),
    )


def _bands(measured: list[Mapping[str, Any]]) -> list[Band]:
    begins = [in_dollars(band["from"]) for band in measured]
    return [
        Band(begin, end, band["rows"], band["coverage"])
        for (begin, end), band in zip(pairwise([*begins, TOP_DOLLARS]), measured, strict=True)
    ]
