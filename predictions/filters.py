"""What lists of predictions can be narrowed by; prices in whole dollars of 1990."""

from datetime import UTC, datetime
from typing import Any

import django_filters as filters
from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import F, Q, QuerySet
from drf_spectacular.utils import extend_schema_field

from predictions.models import Prediction
from predictions.units import Units

LARGEST_PRICE = 10_000_000
# Python's own first and last moments overflow in another time zone.
EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": LARGEST_PRICE})
class _Price(filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, lookup_expr: str, label: str):
        super().__init__("price", lookup_expr, label=label, min_value=0, max_value=LARGEST_PRICE)


class _ShownPrice(_Price):
    """A price in the dollars that the filter set shows."""

    def filter(self, found: QuerySet[Prediction], amount: int | None) -> QuerySet[Prediction]:
        return super().filter(found, None if amount is None else self.parent.units.dollars_of_1990(amount))


class _Moment(filters.IsoDateTimeFilter):
    def __init__(self, lookup_expr: str):
        super().__init__(
            "requested_at", lookup_expr, validators=[MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
        )


class PredictionFilter(filters.FilterSet):
    """The query parameters of REST's list; times in RFC 3339."""

    status = filters.MultipleChoiceFilter(choices=Prediction.Status.choices)
    requested_after = _Moment("gte")
    requested_before = _Moment("lt")
    price_min = _Price("gte", "At least, in dollars")
    price_max = _Price("lte", "At most, in dollars")
    model_id = filters.CharFilter(max_length=128)
    source = filters.CharFilter(max_length=64)

    class Meta:
        model = Prediction
        fields: list[str] = []


class SearchForm(forms.Form):
    """What begins after its end matches nothing, and is told so where it begins."""

    SPANS = (("price_min", "price_max", "above"), ("since", "until", "after"))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for begin, end, word in self.SPANS:
            if given.get(begin) is not None and given.get(end) is not None and given[begin] > given[end]:
                labels = self.fields[begin].label, self.fields[end].label
                self.add_error(begin, f"“{labels[0]}” is {word} “{labels[1]}”.")
        return given


class HistoryFilter(filters.FilterSet):
    """The search form of the history page; whole days, in UTC, and prices in dollars of `units`."""

    ORDERS = {
        "oldest": ("Oldest first", F("requested_at").asc()),
        "dearest": ("Highest price first", F("price").desc(nulls_last=True)),
        "cheapest": ("Lowest price first", F("price").asc(nulls_last=True)),
    }

    words = filters.CharFilter(method="with_words", label="Note or tag", max_length=100)
    status = filters.ChoiceFilter(choices=Prediction.Status.choices, empty_label="Any")
    price_min = _ShownPrice("gte", "Price from")
    price_max = _ShownPrice("lte", "Price to")
    since = filters.DateFilter(
        "requested_at", "date__gte", label="Asked from", widget=forms.DateInput({"type": "date"})
    )
    until = filters.DateFilter("requested_at", "date__lte", label="Asked to", widget=forms.DateInput({"type": "date"}))
    order = filters.ChoiceFilter(
        method="in_order",
        label="Order",
        empty_label="Newest first",
        choices=[(name, words) for name, (words, _) in ORDERS.items()],
    )

    class Meta:
        model = Prediction
        form = SearchForm
        fields: list[str] = []

    def __init__(self, *args, units: Units, **kwargs):
        super().__init__(*args, **kwargs)
        self.units = units

    def with_words(self, found: QuerySet[Prediction], name: str, words: str) -> QuerySet[Prediction]:
        for word in words.split():
            found = found.filter(Q(note__text__icontains=word) | Q(note__tags__icontains=word))
        return found

    def in_order(self, found: QuerySet[Prediction], name: str, order: str) -> QuerySet[Prediction]:
        return found.order_by(self.ORDERS[order][1], "-requested_at")
