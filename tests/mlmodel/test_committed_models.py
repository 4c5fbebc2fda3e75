"""The files in `mlmodel/artefacts` do what their manifests say, recomputed from the ONNX files alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlmodel.catalogue import RECIPES
from mlmodel.dataset import DATA_SHA256, load_housing
from mlmodel.figures import income_violations, price_figures, range_figures
from mlmodel.splits import rtdl
from mlmodel.support import nearest_km

NAMES = sorted(RECIPES)
BOUNDS = [
    (0.4999, 15.0001),
    (1, 52),
    (0.01, 142),
    (0.01, 35),
    (3, 35_682),
    (0.01, 1_244),
    (32.54, 41.95),
    (-124.35, -114.31),
]
any_house = st.tuples(*(st.floats(low, high) for low, high in BOUNDS))


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_of_the_manifest_are_those_of_the_files(artefacts, name):
    housing, test = load_housing(), rtdl().test
    estimate = artefacts[name].model.estimate(housing.X[test])
    stated = artefacts[name].manifest["metrics"]["rtdl"]
    assert stated["rows"] == 4_128
    for figure, value in price_figures(housing.y[test], estimate.price).items():
        assert stated[figure] == pytest.approx(value, abs=1e-6)
    found = range_figures(housing.y[test], estimate)
    assert stated["coverage"] == pytest.approx(found["coverage"], abs=5e-4)
    assert stated["mean_width"] == pytest.approx(found["mean_width"], abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_income_never_lowers_the_price(artefacts, name):
    assert income_violations(artefacts[name].model, load_housing().X[rtdl().test]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_names_the_data_and_the_libraries(artefacts, name):
    manifest = artefacts[name].manifest
    assert manifest["data"]["sha256"] == DATA_SHA256
    assert {"scikit-learn", "onnxruntime", "numpy"} <= set(manifest["libraries"])


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_does_not_depend_on_the_batch_it_is_in(artefacts, name):
    X = load_housing().X[rtdl().test][:300]
    model = artefacts[name].model
    whole, alone = model.estimate(X), model.estimate(X[77:78])
    for part in ("price", "low", "high"):
        assert getattr(whole, part)[77] == pytest.approx(getattr(alone, part)[0], abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_is_answered_with_nothing(artefacts, name):
    assert artefacts[name].model.estimate(np.empty((0, 8))).price.shape == (0,)


@given(houses=st.lists(any_house, min_size=1, max_size=20))
def test_every_price_lies_in_its_finite_range(artefacts, houses):
    for one in artefacts.values():
        estimate = one.model.estimate(np.array(houses))
        assert np.isfinite([estimate.price, estimate.low, estimate.high]).all()
        assert (estimate.low <= estimate.price).all()
        assert (estimate.price <= estimate.high).all()


def test_ranges_are_wider_where_known_block_groups_are_far(artefacts):
    """The same homes, where they are and 32 km from the nearest known block group."""
    X = load_housing().X[rtdl().test][:500]
    far = X.copy()
    far[:, 6:] = 36.8, -117.6
    assert 16 < nearest_km(far)[0] < 40
    model = artefacts["gated-1"].model
    there, here = model.estimate(far), model.estimate(X)
    assert (there.high - there.low).mean() > 1.3 * (here.high - here.low).mean()


def test_a_price_is_the_mix_the_gate_asks_for(artefacts):
    """By the formula, every head asked about every row, for homes among neighbours, at the edge and far away."""
    point = artefacts["gated-1"].model.point
    X = load_housing().X[rtdl().test][:600].copy()
    X[200:400, 6:] += 0.12
    X[400:, 6:] = 36.8, -117.6
    columns = point.columns(X)
    weight = columns[:, -1].astype(float)
    assert (weight == 0).any()
    assert (weight == 1).any()
    assert ((weight > 0) & (weight < 1)).any()
    price, root = (point.heads[head](columns[:, :56]) for head in ("prices", "roots"))
    elsewhere = point.heads["geography"](columns[:, :24])
    mixed = weight * (price + root**2) / 2 + (1 - weight) * (0.2 * root**2 + 0.8 * elsewhere)
    np.testing.assert_allclose(point.combine(columns), np.clip(mixed, 0.14999, 5.00001), atol=1e-5)
