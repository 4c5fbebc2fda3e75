import numpy as np
import pytest

from mlmodel.pipeline.ranges import Calibration, conformal_quantile, conformal_range


@pytest.mark.parametrize(("count", "rank"), [(9, 9), (99, 90), (100, 91), (1000, 901)])
def test_the_quantile_is_the_score_of_the_corrected_rank(count, rank):
    scores = np.random.default_rng(0).permutation(np.arange(1, count + 1))
    assert conformal_quantile(scores.astype(float)) == rank


def test_too_few_scores_promise_nothing():
    assert conformal_quantile(np.arange(8.0)) == float("inf")


def test_the_quantile_covers_nine_of_ten_new_scores_on_average():
    rng = np.random.default_rng(1)
    covered = [np.mean(rng.exponential(size=500) <= conformal_quantile(rng.exponential(size=200))) for _ in range(400)]
    assert np.mean(covered) == pytest.approx(0.9, abs=0.01)


def test_every_band_gets_the_quantile_of_its_own_scores():
    rng = np.random.default_rng(2)
    prices = rng.uniform(0, 5, 5000)
    scores = np.abs(rng.normal(size=5000)) * (1 + np.floor(prices))
    quantiles = Calibration.of(scores=scores, prices=prices, training_prices=prices).quantiles
    np.testing.assert_allclose(quantiles, 1.645 * np.arange(1, 6), rtol=0.08)


def test_with_one_quantile_for_all_bands_the_range_is_the_plain_one():
    price, error = np.array([0.5, 2.5, 4.8]), np.array([0.1, 0.5, 0.2])
    low, high = conformal_range(price, error, np.full(5, 2.0))
    np.testing.assert_allclose(low, price - 2 * error)
    np.testing.assert_allclose(high, price + 2 * error)


def test_a_range_reaches_into_a_band_as_far_as_that_bands_quantile_allows():
    low, high = conformal_range(np.array([2.5]), np.array([0.2]), np.array([1, 1, 1, 5, 5.0]))
    assert low == pytest.approx(2.3)
    assert high == pytest.approx(3.5)


def test_every_band_of_the_true_price_is_covered():
    """A model that flattens prices, as all do: dear homes are underpriced, yet nine of ten lie in their range."""
    rng = np.random.default_rng(3)
    prices = rng.uniform(0.2, 5, 20_000)
    estimate = 0.7 * prices + 0.6 + rng.normal(0, 0.2, 20_000)
    error = np.full(20_000, 0.3)
    held, new = slice(0, 10_000), slice(10_000, None)
    calibration = Calibration.of(
        scores=np.abs(prices - estimate)[held] / error[held], prices=prices[held], training_prices=prices
    )
    low, high = conformal_range(estimate[new], error[new], calibration.quantiles)
    inside = (low <= prices[new]) & (prices[new] <= high)
    for band in range(5):
        assert inside[np.floor(prices[new]) == band].mean() > 0.88


def test_the_quantile_agrees_with_mapie_on_the_same_scores():
    mapie = pytest.importorskip("mapie.regression", reason="MAPIE is not installed")
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(4)
    X = rng.normal(size=(700, 3))
    y = X.sum(axis=1) + rng.normal(size=700)
    model = LinearRegression().fit(X[:300], y[:300])
    oracle = mapie.SplitConformalRegressor(model, confidence_level=0.9, prefit=True)
    oracle.conformalize(X[300:500], y[300:500])
    _, ranges = oracle.predict_interval(X[500:])
    scores = np.abs(y[300:500] - model.predict(X[300:500]))
    np.testing.assert_allclose(ranges[:, 1, 0] - model.predict(X[500:]), conformal_quantile(scores))
