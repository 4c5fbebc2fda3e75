import math

import numpy as np
import pytest

from mlmodel.dataset import load_housing
from mlmodel.features import FEATURES, GEOGRAPHY_COLUMNS, geography, matrix, places

HOUSE = {
    "med_inc": 8.3252,
    "house_age": 41.0,
    "ave_rooms": 6.98,
    "ave_bedrms": 1.02,
    "population": 322.0,
    "ave_occup": 2.56,
    "latitude": 37.88,
    "longitude": -122.23,
}


def test_key_order_never_matters():
    shuffled = dict(reversed(HOUSE.items()))
    np.testing.assert_array_equal(matrix([HOUSE]), matrix([shuffled]))
    assert matrix([HOUSE])[0].tolist() == [HOUSE[name] for name in FEATURES]


def test_no_rows_make_an_empty_matrix():
    assert matrix([]).shape == (0, 8)
    assert geography(matrix([])).shape == (0, 24)


def test_a_missing_feature_is_named():
    with pytest.raises(KeyError, match="longitude"):
        matrix([dict.fromkeys(FEATURES[:-1], 1.0)])


def test_the_24_columns_are_what_their_names_say():
    columns = dict(zip(GEOGRAPHY_COLUMNS, geography(matrix([HOUSE]))[0].tolist(), strict=True))
    assert columns["bedrooms_per_room"] == pytest.approx(1.02 / 6.98, rel=1e-6)
    assert columns["rooms_per_person"] == pytest.approx(6.98 / 2.56, rel=1e-6)
    assert columns["log_households"] == pytest.approx(math.log(322 / 2.56), rel=1e-6)
    assert columns["san_francisco_km"] == pytest.approx(111.32 * math.hypot(0.11, 0.19 * math.cos(math.radians(36.5))))
    assert 0 < columns["shore_km"] < 30
    east, north = places(matrix([HOUSE]))[0]
    assert columns["axis_45"] == pytest.approx((east + north) * math.sqrt(0.5), rel=1e-6)


def test_columns_of_a_row_do_not_depend_on_its_batch():
    X = load_housing().X[:500]
    np.testing.assert_array_equal(geography(X)[123], geography(X[123:124])[0])


def test_only_the_first_column_moves_with_income():
    X = load_housing().X[:200].copy()
    before = geography(X)
    X[:, 0] += 1
    moved = (geography(X) != before).any(axis=0)
    assert moved.tolist() == [True] + [False] * 23
