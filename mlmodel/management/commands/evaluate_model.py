import csv
from pathlib import Path

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from mlmodel import artefact, registry
from mlmodel.bars import BARS
from mlmodel.catalogue import CHAMPION, RECIPES, UnknownModel, recipe
from mlmodel.model_card import PUBLISHED
from mlmodel.models import ModelVersion

SPLITS = ("rtdl", "cv", "spatial")


class Command(BaseCommand):
    help = "Measure a model on splits it was not fitted for, print the table of bars, and keep it in the manifest."

    def add_arguments(self, parser):
        parser.add_argument("name", nargs="?", default=CHAMPION, help="champion, or: " + ", ".join(RECIPES))
        parser.add_argument("--split", choices=SPLITS, help="only this one (default: all)")
        parser.add_argument(
            "--write-predictions",
            type=Path,
            metavar="FILE.csv",
            help="write row,prediction of the split's test rows (needs --split)",
        )

        parser.add_argument("--no-keep", action="store_true", help="print only; leave the manifest as it is")

    def handle(self, *, name, split, write_predictions, no_keep, **options):
        if write_predictions and not split:
            raise CommandError("--write-predictions needs --split: one price per row")
        try:
            found = artefact.load(recipe(name).name)
        except (UnknownModel, artefact.ArtefactError) as error:
            raise CommandError(str(error)) from error
        metrics = dict(found.manifest["metrics"])
        for one in [split] if split else SPLITS:
            figures, prices = self._evaluate(found.name, one)
            metrics |= figures
            if not no_keep:
                _keep(found.name, figures)
        if write_predictions:
            _write_predictions(write_predictions, prices)
        self._print(found.name, metrics)

    def _evaluate(self, name, split):
        try:
            from mlmodel.evaluation import EVALUATIONS
        except ImportError as error:
            raise CommandError(f"{error.name} is missing: pip install -r requirements/training.txt") from error
        return EVALUATIONS[split](name, lambda step: self.stderr.write(step))

    def _print(self, name, metrics):
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        for bar in BARS:
            value = bar.value(metrics)
            shown = "not measured" if value is None else f"{value:.4g}"
            verdict = self.style.SUCCESS("holds") if bar.holds(metrics) else self.style.ERROR("missed")
            self.stdout.write(f"{bar.label:62} {shown:>12}   {bar.wanted():22} {verdict}")
        self.stdout.write(self.style.MIGRATE_HEADING("Published on the same RTDL split (test RMSE)"))
        for model, rmse in PUBLISHED:
            self.stdout.write(f"{model:62} {rmse:>12}")


def _keep(name, figures):
    """Add `figures` to the manifest as it is now: another evaluation may have ended meanwhile."""
    manifest = artefact.read_manifest(name)
    manifest["metrics"] |= figures
    artefact.write_manifest(artefact.ARTEFACTS / name, manifest)
    if ModelVersion.objects.filter(name=name).exists():
        registry.register(artefact=artefact.load(name))


def _write_predictions(path, prices):
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["row", "prediction"])
        rows.writerows((row, repr(float(prices[row]))) for row in np.flatnonzero(~np.isnan(prices)))
