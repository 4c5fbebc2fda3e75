"""The shape of REST's answers, declared for OpenAPI; the values come from `predictions.representation`."""

from rest_framework import serializers

from predictions.contract import FIELDS
from predictions.models import Door, Prediction
from predictions.representation import represent
from predictions.units import Units
from predictions.wording import flag_words


class ModelSerializer(serializers.Serializer):
    id = serializers.CharField()
    sha256 = serializers.CharField(help_text="SHA-256 of the model's artefact.")


class ReasonSerializer(serializers.Serializer):
    code = serializers.CharField()
    field = serializers.CharField(allow_null=True)
    detail = serializers.CharField()


class LinksSerializer(serializers.Serializer):
    status_url = serializers.CharField(help_text="Where the prediction is read.")
    stream_url = serializers.CharField(help_text="Where its answer is pushed, as server-sent events.")
    page_url = serializers.CharField(help_text="Where people look at it.")


class PlaceSerializer(serializers.Serializer):
    """Where a question that waits for its answer stands in the line."""

    ahead = serializers.IntegerField(help_text="Questions that were asked before it and wait too.")
    expected_seconds = serializers.FloatField(
        allow_null=True,
        help_text="Until its answer, as fast as the line moves now; null while it moves at once, or not at all.",
    )


class AcceptedSerializer(LinksSerializer):
    """A question that was stored and will be answered."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Prediction.Status.choices)
    is_visitors = serializers.BooleanField(help_text="It belongs to no account: it was asked without one.")
    line = PlaceSerializer(allow_null=True, help_text="Null where it was asked before, and is settled.")


class PredictionSerializer(LinksSerializer):
    """A prediction; prices in whole dollars of 1990."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Prediction.Status.choices)
    price = serializers.IntegerField(allow_null=True)
    low = serializers.IntegerField(allow_null=True, help_text="Lower end of the 90 % range.")
    high = serializers.IntegerField(allow_null=True, help_text="Upper end of the 90 % range.")
    model = ModelSerializer(allow_null=True)
    flags = serializers.ListField(
        child=serializers.CharField(),
        help_text=f"What is unusual about the question or its answer: {', '.join(flag_words(Units()))}."
        " `capped`: it may be worth more; `late`: it came after it was told as failed;"
        " `corrected`: an operator corrected what was asked, and `features` are what was answered.",
    )
    features = serializers.DictField(
        child=serializers.FloatField(), help_text=f"By canonical name: {', '.join(field.name for field in FIELDS)}."
    )
    reason = ReasonSerializer(allow_null=True, help_text="Why it was not answered.")
    source = serializers.CharField(  # type: ignore[assignment]  # a member here, an option of every field there
        help_text=f"The door it came through: {', '.join(Door.values)}, or the name of an integration's account."
    )
    requested_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    stages = serializers.DictField(
        child=serializers.IntegerField(), help_text="Stage -> epoch milliseconds at which it was left."
    )
    line = PlaceSerializer(allow_null=True, help_text="Null once it is settled, and in lists.")

    def to_representation(self, prediction: Prediction) -> dict:
        return represent(prediction)
