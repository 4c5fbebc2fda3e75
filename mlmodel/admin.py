import json

from django.contrib import admin, messages
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin

from mlmodel import registry
from mlmodel.bars import missed
from mlmodel.models import ModelVersion


@admin.register(ModelVersion)
class ModelVersionAdmin(SimpleHistoryAdmin):
    """Fields are read-only: roles change by the actions, which the registry checks and audits."""

    list_display = ["name", "role", "family", "rtdl_rmse", "bars_missed", "short_sha256", "promoted_at", "created_at"]
    list_filter = ["role", "family"]
    search_fields = ["name", "sha256"]
    actions = ["promote", "retire", "roll_back"]
    history_list_display = ["role", "sha256"]
    exclude = ["manifest"]
    readonly_fields = ["shown_manifest"]

    @admin.display(description="RTDL test RMSE")
    def rtdl_rmse(self, version: ModelVersion) -> str:
        return f"{version.manifest['metrics']['rtdl']['rmse']:.4f}"

    @admin.display(description="bars missed")
    def bars_missed(self, version: ModelVersion) -> int:
        return len(missed(version.manifest["metrics"]))

    @admin.display(description="sha256")
    def short_sha256(self, version: ModelVersion) -> str:
        return version.sha256[:12]

    @admin.display(description="manifest")
    def shown_manifest(self, version: ModelVersion) -> str:
        return format_html("<pre>{}</pre>", json.dumps(version.manifest, indent=2))

    @admin.action(description="Promote to champion", permissions=["promote"])
    def promote(self, request, queryset) -> None:
        if queryset.count() != 1:
            self.message_user(request, "Select the one model to promote.", messages.ERROR)
            return
        self._change(request, registry.promote, name=queryset.get().name)

    @admin.action(description="Retire", permissions=["promote"])
    def retire(self, request, queryset) -> None:
        for version in queryset:
            self._change(request, registry.retire, name=version.name)

    @admin.action(description="Roll back to the champion before", permissions=["promote"])
    def roll_back(self, request, queryset) -> None:
        self._change(request, registry.roll_back)

    def _change(self, request, change, **of) -> None:
        try:
            version = change(by=request.user, reason="in admin", **of)
        except registry.RegistryError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{version.name} is now {version.get_role_display().lower()}.")

    def has_promote_permission(self, request) -> bool:
        return request.user.has_perm("mlmodel.change_modelversion")

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
