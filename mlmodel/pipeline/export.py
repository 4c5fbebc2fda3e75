"""A trained head as an ONNX file. Needs the training requirements."""

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

from mlmodel.pipeline.heads import TrainedHead

OPSET = {"": 17, "ai.onnx.ml": 3}


def to_onnx(head: TrainedHead) -> bytes:
    """The regressor of `head` with one float32 input `columns` (n, m) and one output (n, 1)."""
    columns = [("columns", FloatTensorType([None, head.columns]))]
    return convert_sklearn(head.regressor, "head", initial_types=columns, target_opset=OPSET).SerializeToString()
