"""What a model says while one input moves."""

import numpy as np
import pytest

from mlmodel import artefact
from mlmodel.catalogue import CHAMPION
from mlmodel.curves import curve
from mlmodel.dataset import load_housing
from mlmodel.features import MED_INC


def test_a_curve_goes_through_the_models_own_estimate():
    champion = artefact.load(CHAMPION)
    house = load_housing().X[4_000]
    values = np.array([1.0, house[MED_INC], 9.0])
    along = curve(model=CHAMPION, sha256=champion.sha256, x=house, feature="med_inc", values=values)
    here = champion.model.estimate(house[None, :])
    assert (along.price[1], along.low[1], along.high[1]) == pytest.approx((here.price[0], here.low[0], here.high[0]))
    assert along.price[0] < along.price[1] < along.price[2]


def test_the_curve_of_a_model_whose_files_are_others_by_now_is_refused():
    with pytest.raises(artefact.MissingArtefact, match="no longer here"):
        curve(model=CHAMPION, sha256="0" * 64, x=load_housing().X[0], feature="med_inc", values=np.ones(1))
