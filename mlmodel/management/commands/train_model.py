import os

from django.core.management.base import BaseCommand, CommandError

from mlmodel import registry
from mlmodel.catalogue import RECIPES, UnknownModel, recipe


class Command(BaseCommand):
    help = "Train a model from the committed data, measure it on the RTDL split, write its files and register it."

    def add_arguments(self, parser):
        parser.add_argument("name", nargs="*", help="champion, or: " + ", ".join(RECIPES) + " (default: all)")
        parser.add_argument("--no-register", action="store_true", help="write the files only")

    def handle(self, *, name, no_register, **options):
        try:
            names = [recipe(one).name for one in name] or list(RECIPES)
        except UnknownModel as error:
            raise CommandError(str(error)) from error
        for one in names:
            self._train(one, register=not no_register)

    def _train(self, name, *, register):
        # OpenMP reads it when scikit-learn and LightGBM are first imported: one thread makes a run repeatable.
        os.environ["OMP_NUM_THREADS"] = "1"
        try:
            from mlmodel.training import train
        except ImportError as error:
            raise CommandError(f"{error.name} is missing: pip install -r requirements/training.txt") from error
        trained = train(name, progress=lambda step: self.stdout.write(f"{name}: {step}"))
        metrics = trained.manifest["metrics"]
        figures = metrics["rtdl"]
        self.stdout.write(
            self.style.SUCCESS(
                f"{name}: RTDL test RMSE {figures['rmse']:.4f}, R2 {figures['r2']:.3f}, MAE {figures['mae']:.3f};"
                f" 90 % range covers {figures['coverage']:.1%}, mean width {figures['mean_width']:.3f};"
                f" {metrics['income_violations']} falls with income; ONNX differs by {metrics['parity']:.1e};"
                f" {metrics['bytes'] / 1e6:.1f} MB, {metrics['training_cpu_seconds']} s CPU"
            )
        )
        if register:
            registry.register(artefact=trained)
