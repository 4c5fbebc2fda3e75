"""The forms of the page. A house's fields come from the contract; what they may say is checked at the door alone."""

from collections.abc import Iterable

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User

from predictions.contract import FIELDS, Field, FieldError


def _input_of(field: Field) -> forms.FloatField:
    soft = {"data-soft-min": f"{field.soft.min:g}", "data-soft-max": f"{field.soft.max:g}"} if field.soft else {}
    lowest = max(field.hard.min, field.hard.above)
    return forms.FloatField(
        label=field.label,
        help_text=f"{field.unit}; {field.hard}, typically {field.typical:g}",
        initial=field.typical,
        # What is missing or out of range is said by the door, in the same words to everybody.
        required=False,
        widget=forms.NumberInput(
            {
                "min": f"{lowest:g}",
                "max": f"{field.hard.max:g}",
                "step": "any",
                "inputmode": "decimal",
                "required": True,
            }
            | soft
        ),
    )


class HouseForm(forms.Form):
    """Eight numbers of a block group."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in FIELDS:
            self.fields[field.name] = _input_of(field)
            # All three always: what is empty isn't read out, and the page's own script fills them too.
            described_by = " ".join(f"id_{field.name}_{part}" for part in ("helptext", "hint", "error"))
            self.fields[field.name].widget.attrs["aria-describedby"] = described_by

    def features(self) -> dict[str, float]:
        """What was filled in, by canonical name; the form must be valid."""
        return {name: value for name, value in self.cleaned_data.items() if value is not None}

    def refuse(self, errors: Iterable[FieldError]) -> None:
        """Show the door's errors, each at its field and by its label."""
        for error in errors:
            if error.field in self.fields:
                self.add_error(error.field, error.detail.replace(error.field, str(self.fields[error.field].label), 1))
            else:
                self.add_error(None, error.detail)


class SignUpForm(UserCreationForm):
    """A new account."""

    email = forms.EmailField(
        label="Email address", required=False, help_text="Only to reset a forgotten password; may stay empty."
    )

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")
