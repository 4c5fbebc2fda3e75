import json
from functools import partial

from django.core.management.base import BaseCommand

from mlmodel import artefact
from mlmodel.catalogue import RECIPES
from mlmodel.dataset import load_housing
from mlmodel.figures import median_ms
from mlmodel.splits import rtdl

BATCHES = (1, 64, 256, 1000)


class Command(BaseCommand):
    help = "Time features, price and range of every model, and of all of them together, on one thread (median CPU ms)."

    def add_arguments(self, parser):
        parser.add_argument("--times", type=int, default=30, help="runs of each figure (default: 30)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, times, **options):
        models = {name: artefact.load(name).model for name in RECIPES}
        X = load_housing().X[rtdl().test]
        taken = {name: _time([model], X, times) for name, model in models.items()}
        taken["all together"] = _time(list(models.values()), X, times)
        self.stdout.write(_as_json(taken) if options["json"] else _as_table(taken))


def _time(models, X, times):
    """Median milliseconds by number of rows, of all `models` one after another."""

    def estimate(rows):
        for model in models:
            model.estimate(rows)

    return {rows: median_ms(partial(estimate, X[:rows]), times=times) for rows in BATCHES}


def _as_json(taken):
    return json.dumps({name: {f"{rows}_rows_ms": ms for rows, ms in row.items()} for name, row in taken.items()})


def _as_table(taken):
    head = f"{'CPU ms, p50':20}" + "".join(f"{rows:>10} rows" for rows in BATCHES)
    return "\n".join(
        [head, *(f"{name:20}" + "".join(f"{ms:15.3f}" for ms in row.values()) for name, row in taken.items())]
    )
