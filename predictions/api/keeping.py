"""REST: what an owner keeps with a prediction. The same changes as by the page, and kept in the same history."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from predictions import keeping
from predictions.api.schema import problems
from predictions.api.unknown import StrictSerializer
from predictions.callers import caller_of
from predictions.models import Prediction
from predictions.models.keeping import LARGEST_SALE, LONGEST_NOTE
from predictions.reading import own_predictions


class NotSaleable(APIException):
    """Nobody bought what was never answered."""

    status_code = 409
    default_code = "not_saleable"
    default_detail = "a sale belongs to an answered prediction"


class NoteSerializer(StrictSerializer):
    """The owner's words; tags are kept in small letters, each once. Nothing at all is no note."""

    text = serializers.CharField(max_length=LONGEST_NOTE, allow_blank=True, trim_whitespace=False, default="")
    tags = serializers.ListField(
        child=serializers.RegexField("^[^,]*$", max_length=keeping.LONGEST_TAG, allow_blank=True),
        max_length=keeping.MOST_TAGS,
        default=list,
        help_text="Without commas.",
    )

    def validate_tags(self, tags: list[str]) -> list[str]:
        try:
            return keeping.tags_in(",".join(tags))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class WholeDollars(serializers.IntegerField):
    """What was told in dollars of another year has cents in those of 1990."""

    def to_representation(self, value: float) -> int:
        return round(value)


class SaleSerializer(StrictSerializer):
    """What it sold for."""

    price = WholeDollars(min_value=1, max_value=LARGEST_SALE, help_text="In whole dollars of 1990.")
    sold_on = serializers.DateField(allow_null=True, default=None, help_text="Not a day to come.")

    def validate_sold_on(self, sold_on):
        if keeping.is_to_come(sold_on):
            raise serializers.ValidationError("That day is still to come.")
        return sold_on


class _KeptView(APIView):
    """Something that the owner of one prediction keeps with it."""

    def prediction(self) -> Prediction:
        own = own_predictions(caller_of(self.request)).select_related("note", "sale")
        return get_object_or_404(own, pk=self.kwargs["pk"])

    def read(self, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        given = serializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        return given.validated_data


@method_decorator(never_cache, name="dispatch")
class NoteView(_KeptView):
    """The note and the tags of one's own prediction."""

    @extend_schema(
        tags=["keeping"], summary="Read your note and tags", responses={200: NoteSerializer, **problems(401, 404)}
    )
    def get(self, request: Request, **kwargs) -> Response:
        note = getattr(self.prediction(), "note", None)
        return Response({"text": note.text, "tags": note.tag_list} if note else {"text": "", "tags": []})

    @extend_schema(
        tags=["keeping"],
        summary="Write your note and tags",
        description="In place of what was noted before.",
        request=NoteSerializer,
        responses={200: NoteSerializer, **problems(400, 401, 403, 404, 415, 422)},
    )
    def put(self, request: Request, **kwargs) -> Response:
        prediction, note = self.prediction(), self.read(NoteSerializer)
        keeping.write_note(prediction=prediction, text=note["text"], tags=note["tags"])
        return Response(note)

    @extend_schema(
        tags=["keeping"], summary="Take your note and tags away", responses={204: None, **problems(401, 403, 404)}
    )
    def delete(self, request: Request, **kwargs) -> Response:
        keeping.write_note(prediction=self.prediction(), text="", tags=[])
        return Response(status=204)


@method_decorator(never_cache, name="dispatch")
class SaleView(_KeptView):
    """What one's own prediction turned out to be sold for; every change stays in the sale's history."""

    @extend_schema(
        tags=["keeping"],
        summary="Read what it sold for",
        description="None was reported: 404.",
        responses={200: SaleSerializer, **problems(401, 404)},
    )
    def get(self, request: Request, **kwargs) -> Response:
        sale = getattr(self.prediction(), "sale", None)
        if sale is None:
            raise NotFound("no sale was reported")
        return Response(SaleSerializer(sale).data)

    @extend_schema(
        tags=["keeping"],
        summary="Report what it sold for",
        description="Of an answered prediction. In place of what was reported before, which stays in the history.",
        request=SaleSerializer,
        responses={200: SaleSerializer, **problems(400, 401, 403, 404, 409, 415, 422)},
    )
    def put(self, request: Request, **kwargs) -> Response:
        prediction, sale = self.prediction(), self.read(SaleSerializer)
        try:
            keeping.report_sale(prediction=prediction, price=sale["price"], sold_on=sale["sold_on"])
        except keeping.NotSaleable as error:
            raise NotSaleable from error
        return Response(SaleSerializer(sale).data)

    @extend_schema(
        tags=["keeping"],
        summary="Withdraw the sale",
        description="It was not sold after all; that it was reported stays in the history.",
        responses={204: None, **problems(401, 403, 404)},
    )
    def delete(self, request: Request, **kwargs) -> Response:
        keeping.withdraw_sale(self.prediction())
        return Response(status=204)
