from django.conf import settings
from django.core.management.base import BaseCommand

from mlmodel.model_card import render


class Command(BaseCommand):
    help = "Write docs/model-card.md from the manifests of the committed models."

    def handle(self, **options):
        page = settings.BASE_DIR / "docs" / "model-card.md"
        page.write_text(render())
        self.stdout.write(f"wrote {page}")
