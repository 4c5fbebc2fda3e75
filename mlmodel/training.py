"""Training: fit, calibrate, export, verify, measure, and write the artefact. Needs the training requirements."""

import importlib.metadata
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np

from mlmodel import artefact
from mlmodel.catalogue import Recipe, recipe
from mlmodel.dataset import DATA_SHA256, load_housing
from mlmodel.features import FEATURES
from mlmodel.figures import income_violations, price_figures, range_figures, speed
from mlmodel.pipeline.export import to_onnx
from mlmodel.pipeline.fitting import fit_ranged
from mlmodel.pipeline.heads import TrainedHead
from mlmodel.pipeline.ranges import BAND_EDGES, LEVEL, RangedModel
from mlmodel.splits import rtdl

GOLDEN_ROWS = 12
LIBRARIES = ("numpy", "scipy", "scikit-learn", "lightgbm", "skl2onnx", "onnxmltools", "onnx", "onnxruntime")


def train(
    name: str, root: Path = artefact.ARTEFACTS, progress: Callable[[str], None] = lambda step: None
) -> artefact.Artefact:
    """Train the model `name` from the committed data into `root/<name>` and return it as it will be served.

    It is fitted on the training part of the RTDL split and calibrated on the validation part, so that the figures of
    the test part are those of the very files that are served. Raises UnknownModel; a folder that held a good model
    keeps it when training fails.
    """
    wanted = recipe(name)
    started = time.process_time()
    housing, split = load_housing(), rtdl()
    trained = fit_ranged(
        wanted.family,
        (housing.X[split.train], housing.y[split.train]),
        (housing.X[split.validation], housing.y[split.validation]),
        wanted.seed,
        progress,
    )
    progress("exporting")
    contents = export(trained)
    manifest = describe(wanted, trained, housing.X[split.test])
    with tempfile.TemporaryDirectory() as draft:
        artefact.write(Path(draft) / wanted.name, contents, manifest)
        served = artefact.load(wanted.name, Path(draft))
    progress("measuring")
    manifest["metrics"] = {
        "rtdl": measure(served.model, housing.X[split.test], housing.y[split.test]),
        "parity": parity(trained, served.model, housing.X),
        "income_violations": income_violations(served.model, housing.X[split.test]),
        "speed": speed(served.model, housing.X[split.test]),
        "bytes": sum(map(len, contents.values())),
        "training_cpu_seconds": round(time.process_time() - started, 1),
    }
    manifest["metrics"] = _known_metrics(served, root) | manifest["metrics"]
    artefact.write(root / wanted.name, contents, manifest)
    return artefact.load(wanted.name, root)


def _known_metrics(trained: artefact.Artefact, root: Path) -> dict:
    """What was measured before of the very same files: training again does not forget an evaluation."""
    try:
        known = artefact.read_manifest(trained.name, root)
    except artefact.ArtefactError:
        return {}
    return known["metrics"] if known["sha256"] == trained.sha256 else {}


def export(model: RangedModel) -> dict[str, bytes]:
    """The files of an artefact by name; the model's heads are just trained ones."""
    heads = cast("dict[str, TrainedHead]", {**model.point.heads, artefact.SCALE: model.scale})
    arrays = {**model.point.arrays, **model.calibration.to_arrays()}
    return {
        **{f"{name}.onnx": to_onnx(head) for name, head in heads.items()},
        artefact.ARRAYS: artefact.pack_arrays(arrays),
    }


def describe(wanted: Recipe, model: RangedModel, X: np.ndarray) -> dict:
    """The manifest without hashes and figures; golden rows are taken from `X` (n, 8)."""
    golden = X[:: len(X) // GOLDEN_ROWS][:GOLDEN_ROWS]
    estimate = model.estimate(golden)
    return {
        "format": artefact.FORMAT,
        "model": wanted.name,
        "family": wanted.family,
        "about": wanted.about,
        "features": list(FEATURES),
        "seed": wanted.seed,
        "libraries": {"python": platform.python_version()}
        | {library: importlib.metadata.version(library) for library in LIBRARIES},
        "data": {"sha256": DATA_SHA256, "fitted_on": "RTDL training part", "calibrated_on": "RTDL validation part"},
        "range": {
            "level": LEVEL,
            "band_edges": list(BAND_EDGES[:-1]),
            "quantiles": model.calibration.quantiles.tolist(),
        },
        "golden": {
            "rows": golden.tolist(),
            "answers": np.column_stack([estimate.price, estimate.low, estimate.high]).tolist(),
        },
    }


def measure(model: RangedModel, X: np.ndarray, y: np.ndarray) -> dict:
    """Figures of the served model on (n, 8) rows it has not seen."""
    estimate = model.estimate(X)
    return {"rows": len(y), **price_figures(y, estimate.price), **range_figures(y, estimate)}


def parity(trained: RangedModel, served: RangedModel, X: np.ndarray) -> float:
    """The largest difference ($100,000) between the served and the trained model's prices and range ends on `X`."""
    ours, theirs = trained.estimate(X), served.estimate(X)
    return max(float(np.abs(getattr(ours, part) - getattr(theirs, part)).max()) for part in ("price", "low", "high"))
