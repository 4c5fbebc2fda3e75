"""The forms of what an owner keeps with a prediction."""

import math
from datetime import date
from typing import Any

from django import forms

from predictions.forms import FormInUnits
from predictions.keeping import is_to_come, tags_in
from predictions.models import Prediction
from predictions.models.keeping import LARGEST_SALE, LONGEST_NOTE
from predictions.units import Units


class NoteForm(forms.Form):
    """An owner's words on a prediction; `tags` is cleaned to a list."""

    tags = forms.CharField(max_length=400, required=False, help_text="Between commas, such as: coast, to visit")
    text = forms.CharField(label="Note", max_length=LONGEST_NOTE, required=False, widget=forms.Textarea({"rows": 5}))

    @classmethod
    def of(cls, prediction: Prediction, data: Any) -> "NoteForm":
        """The form with what is noted now, or with `data` that was sent."""
        note = getattr(prediction, "note", None)
        kept = {"tags": ", ".join(note.tag_list), "text": note.text} if note else {}
        return cls(data or None, initial=kept)

    def clean_tags(self) -> list[str]:
        try:
            return tags_in(self.cleaned_data["tags"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class SaleForm(FormInUnits):
    """What it sold for; `price` is filled in in the dollars of its units and cleaned to those of 1990."""

    sold_on = forms.DateField(
        label="Sold on",
        required=False,
        help_text="May stay empty.",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args, units: Units, **kwargs):
        super().__init__(*args, units=units, **kwargs)
        self._units = units
        self.fields["price"] = forms.IntegerField(
            label="Sold for",
            help_text=f"In dollars of {units.year}.",
            min_value=math.ceil(units.dollar),
            max_value=units.dollars(LARGEST_SALE),
        )
        self.order_fields(["price", "sold_on"])

    @classmethod
    def of(cls, prediction: Prediction, data: Any, units: Units) -> "SaleForm":
        """The form with what is reported now, in `units`, or with `data` that was sent."""
        if data:
            return cls.sent(data, units)
        sale = getattr(prediction, "sale", None)
        kept = {"price": units.dollars(sale.price), "sold_on": sale.sold_on} if sale else {}
        return cls(initial=kept, units=units)

    def clean_price(self) -> float:
        return self._units.dollars_of_1990(self.cleaned_data["price"])

    def clean_sold_on(self) -> date | None:
        sold_on = self.cleaned_data["sold_on"]
        if is_to_come(sold_on):
            raise forms.ValidationError("That day is still to come.")
        return sold_on
