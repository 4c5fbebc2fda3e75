from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("predictions", "0008_gestures_index")]

    operations = [
        migrations.AlterField(
            model_name=name,
            name="price",
            field=models.FloatField(validators=[MinValueValidator(1), MaxValueValidator(10_000_000)]),
        )
        for name in ("historicalsale", "sale")
    ]
