"""REST: why an answer is what it is, and what is like it."""

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mlmodel.comparables import SIMILARITY
from mlmodel.reasons import PLAYERS, REFERENCE
from predictions.api.schema import problems
from predictions.callers import caller_of
from predictions.explanation import NoReasons, alike, explanation_of
from predictions.reading import readable_prediction


class ReasonsSerializer(serializers.Serializer):
    """Whole dollars of 1990; `price` is `reference_price` and all contributions added up."""

    reference = serializers.CharField(help_text="What the contributions are measured against.")
    reference_price = serializers.IntegerField()
    price = serializers.IntegerField()
    contributions = serializers.DictField(
        child=serializers.IntegerField(),
        help_text=f"Exact Shapley values, the largest first, of: {', '.join(PLAYERS)}.",
    )


class ComparableSerializer(serializers.Serializer):
    price = serializers.IntegerField(help_text="Its median house value in dollars of 1990.")
    km = serializers.FloatField(help_text="How far away it is.")
    similarity = serializers.FloatField(help_text="0 to 1.")
    features = serializers.DictField(child=serializers.FloatField())


class ComparablesSerializer(serializers.Serializer):
    """The five block groups of the census most like the question, other than itself; the most alike first."""

    similarity = serializers.CharField(help_text="How likeness is measured.")
    comparables = ComparableSerializer(many=True)


@method_decorator(never_cache, name="dispatch")
class ReasonsView(APIView):
    """What each input adds to an estimate."""

    permission_classes = [AllowAny]

    @extend_schema(
        tags=["predictions"],
        summary="Read the reasons of an answer",
        responses={200: ReasonsSerializer, **problems(401, 404)},
    )
    def get(self, request: Request, pk, **kwargs) -> Response:
        try:
            told = explanation_of(readable_prediction(str(pk), caller_of(request)))
        except NoReasons as error:
            raise NotFound(str(error)) from error
        return Response(
            {
                "reference": REFERENCE,
                "reference_price": told.reference_price,
                "price": told.price,
                "contributions": {part.player: part.dollars for part in told.contributions},
            }
        )


@method_decorator(never_cache, name="dispatch")
class ComparablesView(APIView):
    """The block groups most like a question."""

    permission_classes = [AllowAny]

    @extend_schema(
        tags=["predictions"],
        summary="Read the most similar block groups",
        responses={200: ComparablesSerializer, **problems(401, 404)},
    )
    def get(self, request: Request, pk, **kwargs) -> Response:
        found = readable_prediction(str(pk), caller_of(request))
        shown = ComparablesSerializer({"similarity": SIMILARITY, "comparables": alike(found)})
        return Response(shown.data)
