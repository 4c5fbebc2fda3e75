"""The forms of an account."""

from django import forms
from django.contrib.auth.models import User

from predictions.models import ApiToken, Profile
from predictions.units import Units

_PASSWORD = forms.PasswordInput({"autocomplete": "current-password"})


class UnitsForm(forms.Form):
    """In which units the page speaks."""

    money = forms.ChoiceField(
        label="Prices in",
        choices=Profile.Money.choices,
        help_text=f"A dollar of 1990 bought what {Units(money=Profile.Money.OF_2024).dollar:g} buy in 2024 (consumer"
        " price index). The value stays that of 1990: homes in California rose by more.",
    )
    income = forms.ChoiceField(label="Household income in", choices=Profile.Income.choices)
    distance = forms.ChoiceField(label="Distances in", choices=Profile.Distance.choices)

    def units(self) -> Units:
        """What was chosen; the form must be valid."""
        return Units.chosen(self.cleaned_data)


class _OwnForm(forms.Form):
    """A form of a signed-in user, who is asked for the password where `password` is filled in or must be."""

    def __init__(self, *args, user: User, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password and not self.user.check_password(password):
            raise forms.ValidationError("This is not your password.")
        return password


class ProfileForm(_OwnForm, UnitsForm):
    """Theme, units and email address. The address decides who can reset the password, so a new one needs it."""

    theme = forms.ChoiceField(choices=Profile.Theme.choices, required=False)
    email = forms.EmailField(
        label="Email address",
        required=False,
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text="Only to reset a forgotten password; may stay empty.",
    )
    password = forms.CharField(
        label="Your password", required=False, strip=False, widget=_PASSWORD, help_text="Only for a new address."
    )

    def clean(self) -> None:
        super().clean()
        if self.cleaned_data.get("email", self.user.email) != self.user.email and not self.data.get("password"):
            self.add_error("password", "A new email address needs your password.")

    field_order = ["theme", "money", "income", "distance", "email", "password"]


class DeleteAccountForm(_OwnForm):
    """Sure, and who they say they are."""

    password = forms.CharField(label="Your password", strip=False, widget=_PASSWORD)


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(max_length=64, help_text="What will use it.")

    def __init__(self, *args, user: User, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if ApiToken.objects.filter(user=self.user, name=name).exists():
            raise forms.ValidationError("You have, or had, a token of this name.")
        return name
