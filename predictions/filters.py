"""What lists of predictions can be narrowed by; prices in whole dollars of 1990."""

import django_filters as filters
from django import forms

from predictions.models import Prediction

LARGEST_PRICE = 10_000_000


class _Price(filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, lookup_expr: str, label: str):
        super().__init__("price", lookup_expr, label=label, min_value=0, max_value=LARGEST_PRICE)


class PredictionFilter(filters.FilterSet):
    """The query parameters of REST's list; times in RFC 3339."""

    status = filters.MultipleChoiceFilter(choices=Prediction.Status.choices)
    requested_after = filters.IsoDateTimeFilter("requested_at", "gte")
    requested_before = filters.IsoDateTimeFilter("requested_at", "lt")
    price_min = _Price("gte", "At least, in dollars")
    price_max = _Price("lte", "At most, in dollars")
    model_id = filters.CharFilter(max_length=128)
    source = filters.CharFilter(max_length=64)

    class Meta:
        model = Prediction
        fields: list[str] = []


class HistoryFilter(filters.FilterSet):
    """The search form of the history page; whole days, in UTC."""

    status = filters.ChoiceFilter(choices=Prediction.Status.choices, empty_label="Any")
    price_min = _Price("gte", "Price from")
    price_max = _Price("lte", "Price to")
    since = filters.DateFilter(
        "requested_at", "date__gte", label="Asked from", widget=forms.DateInput({"type": "date"})
    )
    until = filters.DateFilter("requested_at", "date__lte", label="Asked to", widget=forms.DateInput({"type": "date"}))

    class Meta:
        model = Prediction
        fields: list[str] = []
