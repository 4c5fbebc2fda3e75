"""A head: one regressor inside a model, just trained (scikit-learn, LightGBM) or served (ONNX Runtime)."""

from typing import Protocol

import numpy as np
import onnxruntime


class Head(Protocol):
    """(n, m) float32 columns -> (n,) float64."""

    def __call__(self, columns: np.ndarray) -> np.ndarray: ...


class Regressor(Protocol):
    def predict(self, X: np.ndarray) -> np.ndarray: ...


class TrainedHead:
    """A regressor in memory, with the number of columns it takes."""

    def __init__(self, regressor: Regressor, columns: int):
        self.regressor = regressor
        self.columns = columns

    def __call__(self, columns: np.ndarray) -> np.ndarray:
        return np.asarray(self.regressor.predict(columns), dtype=np.float64).reshape(-1)


class OnnxHead:
    """The same regressor as an ONNX file. One thread: more threads fight the other workers for the cores."""

    def __init__(self, content: bytes):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, columns: np.ndarray) -> np.ndarray:
        if not len(columns):
            return np.empty(0)
        return self._session.run(None, {self._input: columns})[0].astype(np.float64).reshape(-1)
