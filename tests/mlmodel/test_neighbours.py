import numpy as np
import pytest

from mlmodel.dataset import load_housing
from mlmodel.features import places
from mlmodel.pipeline.neighbours import (
    COMPARABLES_COLUMNS,
    NEIGHBOURS,
    PricedGroups,
    trust,
    widest_gap,
)

HOUSING = load_housing()
X, Y = HOUSING.X[:800], HOUSING.y[:800]
PREMIUM = Y - Y.mean()
OWN = np.arange(len(X))


def own_columns(prices):
    groups = PricedGroups(X, prices, prices - Y.mean())
    return groups.comparables(X, groups.nearest(places(X), own=OWN))


def test_a_rows_columns_never_use_its_own_price():
    before = own_columns(Y)
    for row in (3, 250, 799):
        prices = Y.copy()
        prices[row] += 100
        after = own_columns(prices)
        np.testing.assert_array_equal(after[row], before[row])
        assert (after != before).any(), "the price must matter to the neighbours"


def test_a_row_is_not_among_its_own_neighbours_even_where_places_repeat():
    nearest = PricedGroups(X, Y, PREMIUM).nearest(places(X), own=OWN)
    assert nearest.rows.shape == (800, NEIGHBOURS)
    assert not (nearest.rows == OWN[:, None]).any()
    assert (np.diff(nearest.km, axis=1) >= -1e-6).all()


def test_neighbours_are_those_of_a_search_through_all_rows():
    at = places(HOUSING.X[5000:5020])
    nearest = PricedGroups(X, Y, PREMIUM).nearest(at)
    slow = np.sort(np.linalg.norm(places(X)[None] - at[:, None], axis=2), axis=1)[:, :NEIGHBOURS]
    np.testing.assert_allclose(nearest.km, slow, atol=1e-9)


def test_nothing_moves_with_the_rows_own_income():
    groups = PricedGroups(X, Y, PREMIUM)
    raised = X.copy()
    raised[:, 0] += 3
    nearest = groups.nearest(places(X))
    np.testing.assert_array_equal(groups.comparables(X, nearest), groups.comparables(raised, nearest))


def test_columns_are_what_their_names_say():
    groups = PricedGroups(X, Y, PREMIUM)
    house = HOUSING.X[9000:9001]
    nearest = groups.nearest(places(house))
    columns = dict(zip(COMPARABLES_COLUMNS, groups.comparables(house, nearest)[0].tolist(), strict=True))
    rows, km = nearest.rows[0], nearest.km[0]
    assert columns["price_nearest_1"] == pytest.approx(Y[rows[0]], rel=1e-6)
    assert columns["premium_nearest_3"] == pytest.approx(
        np.average(PREMIUM[rows[:3]], weights=1 / (km[:3] + 0.2)), rel=1e-5
    )
    assert columns["premium_within_4.0"] == pytest.approx(
        np.average(PREMIUM[rows], weights=np.exp(-(km - km[0]) / 4)), rel=1e-5
    )
    alike = X[rows][:, [1, 2, 5]] * [0.1, 1, 1]
    own = house[0, [1, 2, 5]] * [0.1, 1, 1]
    unlike = (alike[:, 0] - own[0]) ** 2 + 16 * (np.log(alike[:, 1:] / own[1:]) ** 2).sum(axis=1)
    weights = np.exp(-(km - km[0]) / 1.5 - unlike / 2)
    assert columns["price_similar_1.5"] == pytest.approx(np.average(Y[rows], weights=weights), rel=1e-4)
    assert columns["premium_similar_1.5"] == pytest.approx(np.average(PREMIUM[rows], weights=weights), rel=1e-3)
    assert columns["similarity_1.5"] == pytest.approx(np.log(weights.max()), rel=1e-3)
    assert columns["price_max"] == pytest.approx(Y[rows[:8]].max(), rel=1e-6)
    assert columns["premium_std"] == pytest.approx(PREMIUM[rows[:8]].std(), rel=1e-5)
    assert columns["around_age"] == pytest.approx(
        np.average(X[rows, 1] / 10, weights=np.exp(-(km - km[0]) / 1.5)), rel=1e-5
    )
    assert columns["log_km_to_32"] == pytest.approx(np.log1p(km[31]), rel=1e-6)


def groups_at(*offsets_km):
    """32 groups at the given km east and north of a place, the last repeated."""
    house = X[:1]
    shrink = 111.32 * np.cos(np.radians(36.5))
    rows = np.repeat(house, NEIGHBOURS, axis=0)
    for number in range(NEIGHBOURS):
        east, north = offsets_km[min(number, len(offsets_km) - 1)]
        rows[number, 6] += north / 111.32
        rows[number, 7] += east / shrink
    return PricedGroups(rows, np.ones(NEIGHBOURS), np.zeros(NEIGHBOURS)), places(house)


@pytest.mark.parametrize(
    ("offsets", "degrees"),
    [
        ([(1, 0), (0, 1), (-1, 0), (0, -1)], 90),
        ([(1, 0), (0, 1)], 270),
        ([(1, 0), (-1, 0.0)], 180),
        ([(3, 3)], 360),
        ([(0, 0)], 360),
        ([(0, 0), (-1, 0), (0, 1)], 270),
    ],
)
def test_the_gap_is_the_widest_angle_without_a_neighbour(offsets, degrees):
    groups, at = groups_at(*offsets)
    assert widest_gap(at, groups, groups.nearest(at))[0] == pytest.approx(degrees, abs=1e-4)


def test_trust_falls_from_one_at_10_km_to_none_at_40_and_sooner_at_the_edge_of_the_known():
    km = np.array([0.0, 10.0, 20.0, 40.0, 100.0])
    np.testing.assert_allclose(trust(km, np.full(5, 90.0)), [1, 1, 0.5, 0, 0])
    assert trust(np.array([5.0]), np.array([300.0]))[0] == 0
    assert 0 < trust(np.array([5.0]), np.array([195.0]))[0] < 1
