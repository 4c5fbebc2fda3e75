"""Why a later answer is another than an earlier one, in two steps: another model, then other inputs."""

from dataclasses import dataclass

from mlmodel.artefact import ArtefactError, load_version
from mlmodel.features import matrix
from mlmodel.prices import in_dollars
from predictions.models import Prediction
from predictions.units import Units


@dataclass(frozen=True)
class Change:
    """From the earlier price to the later one, in whole dollars of 1990 or as `in_units` shows them.

    `between` is what the later model says of the earlier inputs; None where that model is gone, and then the parts are.
    """

    earlier: int
    between: int | None
    later: int

    @property
    def total(self) -> int:
        return self.later - self.earlier

    @property
    def by_model(self) -> int | None:
        """The part of another model, on the earlier inputs."""
        return None if self.between is None else self.between - self.earlier

    @property
    def by_inputs(self) -> int | None:
        """The part of other inputs, with the later model; with the other part it adds up to the total."""
        return None if self.between is None else self.later - self.between

    def in_units(self, units: Units) -> "Change":
        between = None if self.between is None else units.dollars(self.between)
        return Change(units.dollars(self.earlier), between, units.dollars(self.later))


def change_between(earlier: Prediction, later: Prediction) -> Change | None:
    """The account of the change, without parts when the later model is gone; None while one has no answer."""
    if earlier.price is None or later.price is None:
        return None
    try:
        between = _price_by_model_of(later, earlier)
    except ArtefactError:
        return Change(earlier.price, None, later.price)
    return Change(earlier.price, between, later.price)


def _price_by_model_of(later: Prediction, earlier: Prediction) -> int:
    """What the model of `later` says of the inputs of `earlier`."""
    if later.features == earlier.features and later.price is not None:
        return later.price
    if later.model_sha256 == earlier.model_sha256 and earlier.price is not None:
        return earlier.price
    found = load_version(later.model_id, later.model_sha256)
    return in_dollars(float(found.model.estimate(matrix([earlier.features])).price[0]))
