from django.apps import AppConfig


class HousevalueConfig(AppConfig):
    name = "housevalue"
    verbose_name = "House value"

    def ready(self) -> None:
        from housevalue import checks  # noqa: F401  (registers them)
