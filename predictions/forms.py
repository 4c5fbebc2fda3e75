"""The forms of the page. A house's boxes are those of `inputs`; what they may say is checked at the door alone."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Self

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User

from predictions.contract import FieldError
from predictions.idempotency import form_key, fresh_form_key
from predictions.inputs import Input, inputs
from predictions.location import UNSUPPORTED
from predictions.units import Units
from predictions.wording import too_far


def _number_box(box: Input) -> forms.FloatField:
    soft = {"data-soft-min": _plain(box.soft.min), "data-soft-max": _plain(box.soft.max)} if box.soft else {}
    lowest = max(box.hard.min, box.hard.above)
    return forms.FloatField(
        label=box.label,
        help_text=box.in_short,
        initial=box.typical,
        # What is missing or out of range is said by the door, which every way to ask goes through.
        required=False,
        widget=forms.NumberInput(
            {
                "min": _plain(lowest),
                "max": _plain(box.hard.max),
                "step": "any",
                "inputmode": "decimal",
                "required": True,
                "data-field": box.field.name,
                "data-per": f"{box.per:g}",
                "data-step": f"{box.step:g}",
                "data-missing": box.missing,
                "data-out-of-range": box.out_of_range,
                # All three always: what is empty isn't read out, and the page's own script fills them too.
                "aria-describedby": " ".join(f"id_{box.name}_{part}" for part in ("helptext", "hint", "error")),
            }
            | soft
        ),
    )


def _plain(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


class FormInUnits(forms.Form):
    """A form whose numbers are in the units it was shown in: those of the account may be others when it is sent."""

    units = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args, units: Units, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["units"].initial = str(units)

    @classmethod
    def sent(cls, data: Mapping[str, str], units: Units) -> Self:
        """The form that was sent, in the units it names, else in `units`."""
        return cls(data, units=Units.read(data["units"]) if data.get("units") else units)


class HouseForm(FormInUnits):
    """Eight numbers of a block group, in people's units, and the key by which a double click is known as one."""

    key = forms.CharField(widget=forms.HiddenInput({"autocomplete": "off"}), required=False, initial=fresh_form_key)

    def __init__(self, *args, units: Units, **kwargs):
        super().__init__(*args, units=units, **kwargs)
        self.boxes = inputs(units)
        self.too_far = too_far(units)
        for box in self.boxes:
            self.fields[box.name] = _number_box(box)

    @classmethod
    def filled_in(cls, given: Mapping[str, str], units: Units) -> "HouseForm":
        """A form as if somebody had sent the typical numbers and what is `given`: its faults can be told."""
        fresh = cls(units=units)
        return cls({name: given.get(name, fresh[name].value()) for name in fresh.fields}, units=units)

    def features(self) -> dict[str, float]:
        """What was filled in, by canonical name and in the units of the contract; the form must be valid."""
        values = ((box, self.cleaned_data[box.name]) for box in self.boxes)
        return {box.field.name: box.asked(value) for box, value in values if value is not None}

    def key_of(self, features: dict[str, float]) -> str:
        """The idempotency key under which `features` are asked."""
        return form_key(self.cleaned_data["key"], features)

    def rows(self) -> Iterator[tuple[Input, forms.BoundField]]:
        """Each number box with what is known of its input."""
        return ((box, self[box.name]) for box in self.boxes)

    def sliders(self) -> list[tuple[Input, forms.BoundField]]:
        """The rows that have a slider."""
        return [(box, field) for box, field in self.rows() if box.slider]

    def coordinates(self) -> list[tuple[Input, forms.BoundField]]:
        """The rows that the map fills in."""
        return [(box, field) for box, field in self.rows() if not box.slider]

    def refuse(self, errors: Iterable[FieldError]) -> None:
        """Show the door's errors, each at its box and in the words and unit of the page."""
        boxes = {box.field.name: box for box in self.boxes}
        for error in errors:
            if (box := boxes.get(error.field)) is None:
                self.add_error(None, error.detail)
                continue
            words = {"missing_field": box.missing, "out_of_range": box.out_of_range, UNSUPPORTED: self.too_far}
            self.add_error(box.name, words.get(error.code) or error.detail.replace(error.field, box.label, 1))


class SignUpForm(UserCreationForm):
    """A new account."""

    email = forms.EmailField(
        label="Email address", required=False, help_text="Only to reset a forgotten password; may stay empty."
    )

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "email")
