"""Why a later answer is another than an earlier one, in two steps: another model, then other inputs."""

from dataclasses import dataclass

from mlmodel.artefact import ArtefactError, load_version
from mlmodel.features import matrix
from predictions.models import Prediction

_DOLLARS = 100_000  # What a unit of the models' prices is.


@dataclass(frozen=True)
class Change:
    """Whole dollars of 1990 from the earlier answer to the later one; both parts, where they can be told, add up to it.

    `by_model` is what the later model says of the earlier inputs, less the earlier answer; `by_inputs` is the rest.
    """

    total: int
    by_model: int | None
    by_inputs: int | None


def change_between(earlier: Prediction, later: Prediction) -> Change | None:
    """The account of the change, without parts when the later model is gone; None while one has no answer."""
    if earlier.price is None or later.price is None:
        return None
    total = later.price - earlier.price
    try:
        between = _price_by_model_of(later, earlier)
    except ArtefactError:
        return Change(total, None, None)
    return Change(total, by_model=between - earlier.price, by_inputs=later.price - between)


def _price_by_model_of(later: Prediction, earlier: Prediction) -> int:
    """What the model of `later` says of the inputs of `earlier`."""
    if later.features == earlier.features and later.price is not None:
        return later.price
    if later.model_sha256 == earlier.model_sha256 and earlier.price is not None:
        return earlier.price
    found = load_version(later.model_id, later.model_sha256)
    return round(float(found.model.estimate(matrix([earlier.features])).price[0]) * _DOLLARS)
