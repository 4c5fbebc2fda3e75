"""The operator's dead-letter inbox and the consumers that stand still."""

import json
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from simple_history.admin import SimpleHistoryAdmin

from streaming import dead_letters, stopped_lines
from streaming.dry_run import CannotTry, Outcome, dry_run
from streaming.models import DeadLetter, StoppedLine

Status = DeadLetter.Status
# A form is refused above DATA_UPLOAD_MAX_MEMORY_SIZE, and every byte of a body may take three there.
MAX_EDITABLE_BYTES = 16 * 1024


class BodyField(forms.CharField):
    """A text whose lines end as they did before a browser made them end with CR LF."""

    def to_python(self, value: str | None) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class DeadLetterForm(forms.ModelForm):
    body = BodyField(
        required=False,
        strip=False,
        widget=AdminTextareaWidget(attrs={"rows": 12, "cols": 110, "spellcheck": "false"}),
        help_text="What a replay publishes. What came stays below.",
    )

    class Meta:
        model = DeadLetter
        fields = ["body"]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial["body"] = _decoded(dead_letters.body_of(self.instance)).replace("\r\n", "\n")


@admin.register(DeadLetter)
class DeadLetterAdmin(SimpleHistoryAdmin):
    """Read, edit the body, try it, replay it, discard it. "Select all" of a filtered list acts on the whole filter."""

    form = DeadLetterForm
    list_display = ["received_at", "status", "stage", "error", "field", "detail", "source_topic", "prediction_id"]
    list_filter = ["status", "stage", "error", "source_topic", "received_at"]
    search_fields = ["detail", "field", "=error", "=prediction__id"]
    search_help_text = "Words of the detail, a field or error, or a whole prediction id."
    date_hierarchy = "received_at"
    show_full_result_count = False
    actions = ["replay", "discard"]
    history_list_display = ["status"]
    fieldsets = [
        (None, {"fields": ["status", "stage", "error", "field", "detail", "prediction", "received_at", "settled_at"]}),
        ("Came from", {"fields": ["source_topic", "source_partition", "source_offset", "letter_at", "is_whole"]}),
        ("Record", {"fields": ["shown_key", "shown_headers", "body", "shown_value", "raw_value"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Without the records themselves, of which a list of a hundred may hold megabytes; a letter loads its own."""
        return super().get_queryset(request).defer(*dead_letters.RAW_FIELDS)

    # -- who may do what -------------------------------------------------------------------------------------------
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        """What is marked may be on its way this moment, and what is replayed is gone."""
        may_be_edited = obj is None or obj.status in (Status.RECEIVED, Status.DISCARDED)
        return may_be_edited and super().has_change_permission(request, obj)

    def revert_disabled(self, request: HttpRequest, obj: DeadLetter | None = None) -> bool:
        """The history is read, never gone back to."""
        return True

    def get_readonly_fields(self, request: HttpRequest, obj: DeadLetter | None = None) -> list[str]:
        shown = [name for _, options in self.fieldsets for name in options["fields"]]
        is_long = obj is not None and len(dead_letters.body_of(obj) or b"") > MAX_EDITABLE_BYTES
        return shown if is_long else [name for name in shown if name != "body"]

    # -- actions ---------------------------------------------------------------------------------------------------
    @admin.action(description="Replay to the topic it came from", permissions=["change"])
    def replay(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        wanted = queryset.count()
        self._tell(request, dead_letters.mark_for_replay(queryset, by=_user(request)), wanted, "will be replayed")

    @admin.action(description="Discard", permissions=["change"])
    def discard(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        wanted = queryset.count()
        self._tell(request, dead_letters.discard(queryset, by=_user(request)), wanted, "discarded")

    def _tell(self, request: HttpRequest, count: int, wanted: int, words: str) -> None:
        self.message_user(request, f"{count} {words}.", messages.SUCCESS if count else messages.WARNING)
        if count < wanted:
            why = (
                "They are marked, replayed or discarded already, of no topic of ours, beginnings of longer records, or"
                " longer than a topic takes"
            )
            self.message_user(request, f"{wanted - count} passed over. {why}.", messages.WARNING)

    # -- one letter ------------------------------------------------------------------------------------------------
    def save_model(self, request: HttpRequest, obj: DeadLetter, form: forms.ModelForm, change: bool) -> None:
        if "body" in form.changed_data:
            dead_letters.edit(obj, body=form.cleaned_data["body"], by=_user(request))

    def response_change(self, request: HttpRequest, obj: DeadLetter) -> HttpResponse:
        """After the edit, if there was one: what the button says."""
        only_it = DeadLetter.objects.filter(pk=obj.pk)
        if "_dry_run" in request.POST:
            return HttpResponseRedirect(f"{request.path}?dry_run=1")
        if "_replay" in request.POST:
            self.replay(request, only_it)
        elif "_discard" in request.POST:
            self.discard(request, only_it)
        else:
            return super().response_change(request, obj)
        return self.response_post_save_change(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        context = extra_context or {}
        letter = self.get_object(request, object_id) if "dry_run" in request.GET else None
        if letter is not None and self.has_view_permission(request, letter):
            context |= _tried(letter)
        return super().change_view(request, object_id, form_url, context)

    # -- what is shown ---------------------------------------------------------------------------------------------
    @admin.display(description="prediction")
    def prediction(self, letter: DeadLetter) -> str:
        if letter.prediction_id is None:
            return "–"
        address = reverse("admin:predictions_prediction_change", args=[letter.prediction_id])
        return format_html('<a href="{}">{}</a>', address, letter.prediction_id)

    @admin.display(description="dead letter at")
    def letter_at(self, letter: DeadLetter) -> str:
        return f"partition {letter.partition}, offset {letter.offset}"

    @admin.display(description="key")
    def shown_key(self, letter: DeadLetter) -> str:
        return "none" if letter.key is None else _decoded(bytes(letter.key))

    @admin.display(description="headers")
    def shown_headers(self, letter: DeadLetter) -> str:
        lines = [f"{name}: {_decoded(value)}" for name, value in dead_letters.headers_of(letter)]
        return format_html("<pre>{}</pre>", "\n".join(lines))

    @admin.display(description="body as it came")
    def shown_value(self, letter: DeadLetter) -> str:
        return format_html("<pre>{}</pre>", _pretty(bytes(letter.value))) if letter.value is not None else "none"

    @admin.display(description="raw")
    def raw_value(self, letter: DeadLetter) -> str:
        if letter.value is None:
            return "none"
        value = bytes(letter.value)
        return format_html("{} bytes<pre>{}</pre>", len(value), value.hex(" ", 1)[: 3 * MAX_EDITABLE_BYTES])


@admin.register(StoppedLine)
class StoppedLineAdmin(admin.ModelAdmin):
    """Read-only but for "Let it go on"."""

    list_display = ["consumer", "detail", "stopped_at", "resumed_at", "resumed_by"]
    list_filter = ["consumer", ("resumed_at", admin.EmptyFieldListFilter)]
    actions = ["resume"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: StoppedLine | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StoppedLine | None = None) -> bool:
        return False

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streaming.change_stoppedline")

    @admin.action(description="Let it go on", permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: QuerySet[StoppedLine]) -> None:
        for line in queryset:
            if stopped_lines.resume(line, by=_user(request)):
                self.log_change(request, line, "Resumed.")
                self.message_user(request, f"The {line.consumer} goes on.")


def _tried(letter: DeadLetter) -> dict[str, list[Outcome] | str]:
    """What a dry run says, for the template."""
    try:
        return {"outcomes": dry_run(letter), "untried": ""}
    except CannotTry as error:
        return {"outcomes": [], "untried": str(error)}


def _user(request: HttpRequest) -> User:
    """Admin lets nobody in without an account."""
    return cast(User, request.user)


def _decoded(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")


def _pretty(value: bytes) -> str:
    text = _decoded(value)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
