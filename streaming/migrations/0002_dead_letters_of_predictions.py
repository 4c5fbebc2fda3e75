import django.db.models.deletion
from django.db import migrations, models

FIELDS = {
    "deadletter": (django.db.models.deletion.CASCADE, "dead_letters"),
    "historicaldeadletter": (django.db.models.deletion.DO_NOTHING, "+"),
}


class Migration(migrations.Migration):
    """The id of a prediction becomes a reference to it, in the same column."""

    dependencies = [
        ("predictions", "0004_doors"),
        ("streaming", "0001_dead_letters"),
    ]

    operations = [
        operation
        for model, (on_delete, related_name) in FIELDS.items()
        for operation in (
            migrations.RenameField(model, "prediction_id", "prediction"),
            migrations.AlterField(
                model,
                "prediction",
                models.ForeignKey(
                    blank=True,
                    db_constraint=False,
                    help_text="Where the key is an id.",
                    null=True,
                    on_delete=on_delete,
                    related_name=related_name,
                    to="predictions.prediction",
                ),
            ),
        )
    ]
