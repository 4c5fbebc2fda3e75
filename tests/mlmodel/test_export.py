"""LightGBM goes to ONNX without one row taking another branch."""

import lightgbm
import numpy as np
import pytest

from mlmodel.pipeline.export import to_onnx, with_float32_thresholds
from mlmodel.pipeline.heads import OnnxHead, TrainedHead


@pytest.fixture(scope="module")
def head():
    """Trees on columns whose neighbouring values are neighbouring float32 numbers, the hardest case."""
    rng = np.random.default_rng(0)
    steps = rng.integers(0, 40, (3000, 4))
    columns = (np.float32(7) + steps * np.spacing(np.float32(7))).astype(np.float32)
    target = steps @ [1.0, -2.0, 0.5, 3.0] + rng.normal(size=3000)
    regressor = lightgbm.LGBMRegressor(n_estimators=60, min_child_samples=5, max_bin=255, n_jobs=1, verbose=-1)
    return TrainedHead(regressor.fit(columns, target), 4), columns


def test_every_row_takes_the_same_branches_in_onnx(head):
    trained, columns = head
    np.testing.assert_allclose(OnnxHead(to_onnx(trained))(columns), trained(columns), atol=1e-3)


def test_lowered_thresholds_are_float32_and_change_no_prediction(head):
    trained, columns = head
    lowered = with_float32_thresholds(trained.regressor.booster_)
    np.testing.assert_array_equal(lowered.predict(columns), trained.regressor.booster_.predict(columns))
    thresholds = lowered.trees_to_dataframe()["threshold"].dropna().to_numpy(np.float64)
    np.testing.assert_array_equal(thresholds, thresholds.astype(np.float32))


def test_equal_models_are_equal_files(head):
    assert to_onnx(head[0]) == to_onnx(head[0])
