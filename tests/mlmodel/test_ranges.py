import numpy as np
import pytest

from mlmodel.pipeline.ranges import conformal_quantile


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
