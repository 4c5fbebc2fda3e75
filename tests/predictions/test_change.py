"""Why a later answer is another: two steps that add up, by the real models."""

import numpy as np
import pytest

from mlmodel.artefact import load
from mlmodel.features import matrix
from predictions.change import Change, change_between
from predictions.models import Prediction
from predictions.units import Units


@pytest.fixture
def answered(house):
    """An unsaved answer of a real model to the house with these changes."""

    def by(model: str, **changes: float) -> Prediction:
        features = house | changes
        found = load(model)
        price = float(found.model.estimate(matrix([features])).price[0])
        return Prediction(features=features, price=round(price * 100_000), model_id=model, model_sha256=found.sha256)

    return by


def test_another_model_and_other_inputs_add_up_to_the_change(answered):
    earlier, later = answered("baseline"), answered("gated-1", med_inc=8.0)
    same_inputs = answered("gated-1")
    change = change_between(earlier, later)
    assert change == Change(earlier.price, same_inputs.price, later.price)
    assert change.by_model + change.by_inputs == change.total
    assert np.all([change.by_model, change.by_inputs])


def test_the_parts_add_up_in_other_dollars_too(answered):
    change = change_between(answered("baseline"), answered("gated-1", med_inc=8.0))
    shown = change.in_units(Units(money="2024"))
    assert shown.by_model + shown.by_inputs == shown.total == pytest.approx(2.4 * change.total, abs=1)


def test_with_the_same_inputs_it_was_the_model_and_with_the_same_model_the_inputs(answered):
    assert change_between(answered("baseline"), answered("gated-1")).by_inputs == 0
    assert change_between(answered("gated-1"), answered("gated-1", house_age=5)).by_model == 0


def test_without_the_later_model_the_parts_can_not_be_told(answered):
    earlier, later = answered("baseline"), answered("gated-1", med_inc=8.0)
    later.model_sha256 = "0" * 64
    assert change_between(earlier, later) == Change(earlier.price, None, later.price)


def test_without_an_answer_there_is_no_change(answered):
    earlier, later = answered("baseline"), answered("gated-1")
    later.price = None
    assert change_between(earlier, later) is None
