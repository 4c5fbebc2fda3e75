"""The operator's view: predictions to read, tokens and integrations to make."""

import json

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from simple_history.admin import SimpleHistoryAdmin

from predictions.callers import make_token, revoke_token
from predictions.models import ApiToken, IntegrationSource, Prediction, Sale
from predictions.templatetags.wording import dollars, took
from predictions.wording import Step, waterfall

_BAR_WIDTH = 40

admin.site.site_header = admin.site.site_title = "House value"
admin.site.index_title = "Operation"


def _pretty(value: object) -> SafeString | str:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2)) if value else "–"


def _bar(step: Step) -> str:
    begin, end = (
        round(percent * _BAR_WIDTH / 100) for percent in (step.began_percent, step.began_percent + step.took_percent)
    )
    return f"{' ' * begin}{'█' * max(end - begin, 1)}"[:_BAR_WIDTH].ljust(_BAR_WIDTH)


@admin.register(Prediction)
class PredictionAdmin(admin.ModelAdmin):
    """Read-only: only a prediction's own life changes it."""

    list_display = ["id", "status", "asked_by", "source", "shown_price", "model_id", "took", "requested_at"]
    list_filter = ["status", "source", "model_id", "requested_at"]
    list_select_related = ["owner"]
    search_fields = ["^id", "=owner__username", "=model_id", "=feed_key"]
    search_help_text = "The beginning of an id, or a whole user name, model id or feed key."
    date_hierarchy = "requested_at"
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["id", "status", "owner", "feed_key", "source"]}),
        ("Asked", {"fields": ["shown_features", "requested_at", "published_at", "attempts"]}),
        (
            "Answered",
            {
                "fields": [
                    "shown_price",
                    "shown_range",
                    "model_id",
                    "model_sha256",
                    "shown_flags",
                    "shown_reason",
                    "shown_shadows",
                    "settled_at",
                    "took",
                ]
            },
        ),
        ("Travelled", {"fields": ["shown_stages"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Prediction | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Prediction | None = None) -> bool:
        return False

    @admin.display(description="asked by", ordering="owner__username")
    def asked_by(self, prediction: Prediction) -> str:
        return str(prediction.owner or "a visitor")

    @admin.display(description="price", ordering="price")
    def shown_price(self, prediction: Prediction) -> str:
        return dollars(prediction.price) or "–"

    @admin.display(description="90 % range")
    def shown_range(self, prediction: Prediction) -> str:
        return f"{dollars(prediction.low)} to {dollars(prediction.high)}" if prediction.price is not None else "–"

    @admin.display(description="took")
    def took(self, prediction: Prediction) -> str:
        return took(prediction) or "–"

    @admin.display(description="features")
    def shown_features(self, prediction: Prediction) -> str:
        return _pretty(prediction.features)

    @admin.display(description="flags")
    def shown_flags(self, prediction: Prediction) -> str:
        return ", ".join(prediction.flags) or "–"

    @admin.display(description="reason")
    def shown_reason(self, prediction: Prediction) -> str:
        return _pretty(prediction.reason)

    @admin.display(description="shadow estimates")
    def shown_shadows(self, prediction: Prediction) -> str:
        return _pretty(prediction.shadows)

    @admin.display(description="stages")
    def shown_stages(self, prediction: Prediction) -> str:
        """The waterfall in text: when each step began, how long it took, and a bar on the scale of the whole."""
        steps = waterfall(prediction.stages)
        if not steps:
            return "–"
        lines = [f"{step.began_ms:>6} ms  + {step.took_ms:>5} ms  {_bar(step)}  {step.words}" for step in steps]
        whole = f"{'':>6}       {sum(step.took_ms for step in steps):>5} ms  {'':{_BAR_WIDTH}}  the whole way"
        return format_html("<pre>{}</pre>", "\n".join([*lines, whole]))


@admin.register(Sale)
class SaleAdmin(SimpleHistoryAdmin):
    """Read-only, with every change: what homes sold for is told by their owners alone."""

    list_display = ["prediction", "shown_price", "estimate", "sold_on", "reported_at", "changed_at"]
    list_select_related = ["prediction"]
    date_hierarchy = "reported_at"
    history_list_display = ["price", "sold_on"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Sale | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Sale | None = None) -> bool:
        return False

    @admin.display(description="sold for", ordering="price")
    def shown_price(self, sale: Sale) -> str:
        return dollars(sale.price)

    @admin.display(description="estimate", ordering="prediction__price")
    def estimate(self, sale: Sale) -> str:
        return dollars(sale.prediction.price)


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens are made and revoked. The key is shown once and can't be read or changed afterwards."""

    list_display = ["user", "name", "prefix", "created_at", "last_used_at", "revoked_at"]
    list_filter = ["revoked_at"]
    search_fields = ["user__username", "name", "prefix"]
    list_select_related = ["user"]
    autocomplete_fields = ["user"]
    fields = ["user", "name", "prefix", "created_at", "last_used_at", "revoked_at"]
    readonly_fields = ["prefix", "created_at", "last_used_at", "revoked_at"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("predictions.change_apitoken")

    def save_model(self, request: HttpRequest, obj: ApiToken, form, change: bool) -> None:
        token, key = make_token(user=obj.user, name=obj.name)
        obj.pk, obj.prefix = token.pk, token.prefix
        self.message_user(request, f"The key, shown only now: {key}", messages.WARNING)

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            revoke_token(token)
            self.log_change(request, token, "Revoked.")
        self.message_user(request, "They are refused from now on.")


@admin.register(IntegrationSource)
class IntegrationSourceAdmin(admin.ModelAdmin):
    list_display = ["name", "owner"]
    search_fields = ["name", "owner__username"]
    autocomplete_fields = ["owner"]
