"""What one model says of a house while one of its inputs moves and the others stay."""

import numpy as np

from mlmodel.artefact import load_version
from mlmodel.features import FEATURES
from mlmodel.pipeline.ranges import Estimate


def curve(*, model: str, sha256: str, x: np.ndarray, feature: str, values: np.ndarray) -> Estimate:
    """Price and range, $100,000, at each of `values` (n,) of `feature`; `x` is (8,) float64 features.

    Raises ArtefactError when the files of the model with this name and sha256 are no longer there.
    """
    houses = np.tile(x, (len(values), 1))
    houses[:, FEATURES.index(feature)] = values
    return load_version(model, sha256).model.estimate(houses)
