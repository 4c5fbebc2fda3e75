import subprocess
import sys

SERVING = """
import sys
for name in ("lightgbm", "pandas", "skl2onnx", "onnxmltools", "onnx"):
    sys.modules[name] = None
import django
django.setup()
from mlmodel import artefact, catalogue, comparables, reasons, scoring, support
x = comparables.load_housing().X[:3]
for name in catalogue.RECIPES:
    found = artefact.load(name)
    assert reasons.explain(model=name, sha256=found.sha256, x=x[0]).contributions
assert len(comparables.comparables(x[0])) == 5
assert support.nearest_km(x).max() < 1e-6
"""


def test_serving_needs_none_of_the_training_requirements(tmp_path):
    subprocess.run(
        [sys.executable, "-c", SERVING],
        check=True,
        timeout=120,
        env={"DJANGO_SETTINGS_MODULE": "housevalue.settings", "VAR_DIR": str(tmp_path), "PATH": ""},
    )
