import numpy as np
import pytest

from mlmodel.comparables import comparables
from mlmodel.dataset import load_housing


def test_five_block_groups_come_back_the_most_alike_first():
    found = comparables(load_housing().X[1000] + 0.001)
    assert len(found) == 5
    similarity = [one.similarity for one in found]
    assert similarity == sorted(similarity, reverse=True)
    assert all(0 < value <= 1 for value in similarity)


def test_a_row_of_the_data_is_never_its_own_comparable():
    housing = load_housing()
    for row in range(0, 20_640, 997):
        assert row not in [one.row for one in comparables(housing.X[row])]


@pytest.mark.parametrize("decimals", [2, 3, 4])
def test_nor_is_one_whose_averages_were_typed_with_fewer_decimals(decimals):
    housing = load_housing()
    for row in range(0, 20_640, 997):
        assert row not in [one.row for one in comparables(housing.X[row].round(decimals))]


def test_the_same_house_with_another_income_finds_the_row_itself():
    x = load_housing().X[1000].copy()
    x[0] *= 1.01
    assert comparables(x)[0].row == 1000


def test_prices_and_distances_are_those_of_the_data():
    housing = load_housing()
    x = housing.X[5]
    for one in comparables(x):
        assert one.price == housing.y[one.row]
        assert list(one.features.values()) == housing.X[one.row].tolist()
        shrink = np.cos(np.radians(36.5))
        apart = 111.32 * np.hypot(housing.X[one.row, 6] - x[6], (housing.X[one.row, 7] - x[7]) * shrink)
        assert np.isclose(one.km, apart)
