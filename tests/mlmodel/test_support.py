import numpy as np
import pytest

from mlmodel.dataset import load_housing
from mlmodel.support import BLOCK_GROUPS_FILE, HARD_KM, SOFT_KM, distinct_places, nearest_km


def at(latitude, longitude):
    return np.array([[4.0, 30.0, 5.0, 1.0, 1000.0, 3.0, latitude, longitude]])


def test_the_committed_places_are_those_of_the_data():
    np.testing.assert_array_equal(np.load(BLOCK_GROUPS_FILE), distinct_places(load_housing().X))


def test_every_row_of_the_data_is_supported():
    assert nearest_km(load_housing().X).max() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("place", "latitude", "longitude"),
    [("Las Vegas", 36.17, -115.14), ("the Pacific", 35.0, -123.0), ("central Nevada", 39.0, -117.0)],
)
def test_places_outside_california_are_beyond_the_hard_distance(place, latitude, longitude):
    assert nearest_km(at(latitude, longitude))[0] > HARD_KM


def test_reno_is_near_enough_to_answer_but_unusual():
    assert SOFT_KM < nearest_km(at(39.53, -119.81))[0] <= HARD_KM


def test_the_distance_is_that_of_a_search_through_all_rows():
    X = load_housing().X
    query = at(38.11, -119.37)
    shrink = np.cos(np.radians(36.5))
    slow = 111.32 * np.hypot((X[:, 7] + 119.37) * shrink, X[:, 6] - 38.11).min()
    assert nearest_km(query)[0] == pytest.approx(slow)
