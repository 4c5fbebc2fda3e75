from django.conf import settings

from mlmodel.model_card import render


def test_the_model_card_is_what_the_manifests_say():
    page = settings.BASE_DIR / "docs" / "model-card.md"
    assert page.read_text() == render(), "the model card is stale: run manage.py write_model_card"
