from django.apps import AppConfig


class MlmodelConfig(AppConfig):
    name = "mlmodel"
    verbose_name = "Price models"
