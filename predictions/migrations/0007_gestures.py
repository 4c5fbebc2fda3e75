from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("predictions", "0006_units")]

    operations = [
        migrations.AddField(
            model_name="prediction",
            name="gesture",
            field=models.UUIDField(
                blank=True,
                editable=False,
                help_text="The movement on the page that it is a step of; the newest of one is what the movement came to.",
                null=True,
            ),
        ),
    ]
