"""The Celery application. Its options are the `CELERY_` settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housevalue.settings")

app = Celery("housevalue")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
