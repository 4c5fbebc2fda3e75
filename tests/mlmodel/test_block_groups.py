"""The block groups of the data by place."""

import pytest

from mlmodel.block_groups import nearest_block_group
from mlmodel.dataset import load_housing


def test_a_block_group_is_found_at_its_own_place():
    housing = load_housing()
    row = 8_000
    latitude, longitude = housing.X[row, 6:8].tolist()
    found = nearest_block_group(latitude=latitude, longitude=longitude)
    assert found.km == pytest.approx(0, abs=1e-6)
    assert (found.features["latitude"], found.features["longitude"]) == (latitude, longitude)
    assert found.price == housing.y[found.row]


def test_the_distance_is_in_kilometres():
    north_of_the_border = nearest_block_group(latitude=43.0, longitude=-122.0)
    assert 100 < north_of_the_border.km < 140
