"""What a champion has to reach; the figures are those `evaluate_model` writes to a manifest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bar:
    """`figure`: where it lies in a manifest's metrics, as "cv.rmse". It must lie in `at_least` .. `at_most`."""

    label: str
    figure: str
    at_least: float = -math.inf
    at_most: float = math.inf

    def value(self, metrics: Mapping[str, Any]) -> float | None:
        """The figure; None when it was not measured."""
        found: Any = metrics
        for key in self.figure.split("."):
            found = found.get(key) if found else None
        return found

    def holds(self, metrics: Mapping[str, Any]) -> bool:
        value = self.value(metrics)
        return value is not None and self.at_least <= value <= self.at_most

    def wanted(self) -> str:
        """What is asked, for people: `<= 0.385`."""
        parts = [f">= {self.at_least:g}"] if self.at_least > -math.inf else []
        parts += [f"<= {self.at_most:g}"] if self.at_most < math.inf else []
        return " and ".join(parts)


BARS = (
    Bar("RTDL test RMSE, fitted on the training part", "rtdl.rmse", at_most=0.385),
    Bar("RTDL test RMSE, fitted on training and validation part", "rtdl_known.rmse", at_most=0.380),
    Bar("5-fold RMSE", "cv.rmse", at_most=0.395),
    Bar("5-fold R2", "cv.r2", at_least=0.88),
    Bar("5-fold MAE", "cv.mae", at_most=0.245),
    Bar("Unseen blocks: RMSE", "spatial.rmse", at_most=0.590),
    Bar("Unseen blocks: mean RMSE of five layouts", "layouts.mean_rmse", at_most=0.600),
    Bar("Unseen blocks: RMSE above that of geography alone", "layouts.above_geography", at_most=0.0),
    Bar("RMSE below the linear baseline's, same folds", "cv.gain_on_baseline", at_least=0.45),
    Bar("Range: coverage", "cv.coverage", at_least=0.88, at_most=0.92),
    Bar("Range: coverage in the worst price band", "cv.worst_band_coverage", at_least=0.87),
    Bar("Range: coverage in unseen blocks", "spatial.coverage", at_least=0.85),
    Bar("Range: mean width, $100,000", "cv.mean_width", at_most=1.10),
    Bar("Steps up in income that lower the price", "income_violations", at_most=0),
    Bar("ONNX against the trained model, all rows, $100,000", "parity", at_most=1e-4),
    Bar("One row: features, price, range, p50, CPU ms", "speed.one_row_ms", at_most=1.0),
    Bar("1,000 rows, p50, CPU ms", "speed.thousand_rows_ms", at_most=60.0),
    Bar("Bytes on disk", "bytes", at_most=15e6),
    Bar("Training, CPU s", "training_cpu_seconds", at_most=180.0),
)


def missed(metrics: Mapping[str, Any]) -> list[Bar]:
    """The bars that `metrics` do not reach; a figure that was never measured is a miss."""
    return [bar for bar in BARS if not bar.holds(metrics)]
