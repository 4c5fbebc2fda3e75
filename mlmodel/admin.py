from django.contrib import admin
from simple_history.admin import SimpleHistoryAdmin

from mlmodel.models import ModelVersion


@admin.register(ModelVersion)
class ModelVersionAdmin(SimpleHistoryAdmin):
    """Read-only: roles change by actions and commands, which the registry checks and audits."""

    list_display = ["name", "role", "family", "rtdl_rmse", "short_sha256", "promoted_at", "created_at"]
    list_filter = ["role", "family"]
    search_fields = ["name", "sha256"]

    @admin.display(description="RTDL test RMSE")
    def rtdl_rmse(self, version: ModelVersion) -> str:
        return f"{version.manifest['metrics']['rtdl']['rmse']:.4f}"

    @admin.display(description="sha256")
    def short_sha256(self, version: ModelVersion) -> str:
        return version.sha256[:12]

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
