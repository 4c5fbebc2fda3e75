from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndexWithoutPause(AddIndexConcurrently):
    """Built beside the work that goes on, where the database can; SQLite has one writer anyway."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("predictions", "0007_gestures")]

    operations = [
        AddIndexWithoutPause(
            model_name="prediction",
            index=models.Index(
                "feed_key",
                "gesture",
                "requested_at",
                name="prediction_gesture",
                condition=models.Q(gesture__isnull=False),
            ),
        ),
    ]
