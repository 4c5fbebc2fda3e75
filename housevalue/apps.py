from django.apps import AppConfig


class HousevalueConfig(AppConfig):
    name = "housevalue"
    verbose_name = "House value"
