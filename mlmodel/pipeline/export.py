"""A trained head as an ONNX file. Needs the training requirements."""

import re

import lightgbm
import numpy as np
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType as LightgbmFloats
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

from mlmodel.pipeline.heads import TrainedHead

OPSET = 15
INPUT = "columns"
GRAPH = "head"  # a fixed name: a random one would give equal models different hashes


def to_onnx(head: TrainedHead) -> bytes:
    """The regressor of `head` with one float32 input `columns` (n, m) and one output (n, 1)."""
    if isinstance(head.regressor, lightgbm.LGBMRegressor):
        booster = with_float32_thresholds(head.regressor.booster_)
        shape = [(INPUT, LightgbmFloats([None, head.columns]))]
        converted = convert_lightgbm(booster, GRAPH, initial_types=shape, target_opset=OPSET)
    else:
        shape = [(INPUT, FloatTensorType([None, head.columns]))]
        converted = convert_sklearn(head.regressor, GRAPH, initial_types=shape, target_opset=OPSET)
    return converted.SerializeToString()


def with_float32_thresholds(booster: lightgbm.Booster) -> lightgbm.Booster:
    """The same trees with every threshold lowered to the next float32.

    ONNX rounds a threshold to the nearest float32, which may be the very value of a column above it: 0.3 % of rows
    then go the other way. Lowered, `x <= threshold` holds for the same float32 columns as before.
    """

    def lowered(line: re.Match) -> str:
        exact = np.array(line[1].split(), dtype=np.float64)
        nearest = exact.astype(np.float32)
        below = np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)
        return "threshold=" + " ".join(repr(float(value)) for value in below)

    model = re.sub(r"^threshold=(.*)$", lowered, booster.model_to_string(), flags=re.MULTILINE)
    # The byte counts of the trees no longer hold; without them LightGBM reads the trees one after another.
    return lightgbm.Booster(model_str=re.sub(r"^tree_sizes=.*\n", "", model, flags=re.MULTILINE))
