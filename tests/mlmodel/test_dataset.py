import gzip

import numpy as np
import pytest

from mlmodel.dataset import DATA_FILE, DataError, load_housing, read_housing
from mlmodel.splits import HELD_BACK, LAYOUTS, block_folds, cells, folds, rtdl


def test_the_committed_data_has_the_known_shape_and_means():
    housing = load_housing()
    assert housing.X.shape == (20_640, 8)
    assert len(housing) == 20_640
    assert np.isfinite(housing.X).all()
    assert housing.X[:, 0].mean() == pytest.approx(3.870671, abs=1e-6)
    assert housing.y.mean() == pytest.approx(2.068558, abs=1e-6)
    assert (housing.y == 5.00001).sum() == 965
    assert (housing.X[:, 1] == 52).sum() == 1273


def test_a_data_file_with_one_changed_digit_is_refused(tmp_path):
    content = gzip.decompress(DATA_FILE.read_bytes()).replace(b"8.3252", b"8.3253", 1)
    changed = tmp_path / "changed.csv.gz"
    changed.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match="sha256"):
        read_housing(changed)


@pytest.mark.parametrize("content", [b"", b"not gzip", DATA_FILE.read_bytes()[:5000]])
def test_a_data_file_that_is_no_gzip_is_refused(tmp_path, content):
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(content)
    with pytest.raises(DataError):
        read_housing(broken)


def test_the_rtdl_split_has_the_published_sizes_and_no_row_twice():
    split = rtdl()
    assert [len(part) for part in split] == [13_209, 3_303, 4_128]
    assert len(np.unique(np.concatenate(split))) == 20_640


def test_every_row_is_tested_once_in_random_folds_and_in_every_layout():
    X = load_housing().X
    for splits in [folds(), *(block_folds(X, layout) for layout in (*LAYOUTS, HELD_BACK))]:
        tested = np.concatenate([test for _, test in splits])
        assert sorted(tested) == list(range(20_640))


def test_no_block_is_in_training_and_test_at_once():
    X = load_housing().X
    block = cells(X, LAYOUTS[0])
    for train, test in block_folds(X):
        assert not set(block[train]) & set(block[test])
