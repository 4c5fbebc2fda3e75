"""The forms of what an owner keeps with a prediction."""

from typing import Any

from django import forms

from predictions.keeping import is_to_come, tags_in
from predictions.models import Prediction, Sale
from predictions.models.keeping import LONGEST_NOTE


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


class SaleForm(forms.ModelForm):
    """What it sold for."""

    class Meta:
        model = Sale
        fields = ["price", "sold_on"]
        labels = {"price": "Sold for", "sold_on": "Sold on"}
        help_texts = {"price": "In dollars of 1990.", "sold_on": "May stay empty."}
        widgets = {"sold_on": forms.DateInput({"type": "date"}, format="%Y-%m-%d")}

    def clean_sold_on(self):
        sold_on = self.cleaned_data["sold_on"]
        if is_to_come(sold_on):
            raise forms.ValidationError("That day is still to come.")
        return sold_on
