"""REST: what the census knows of a place."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from predictions.api.schema import problems
from predictions.location import NoBlockGroup, block_group_near


class PlaceSerializer(serializers.Serializer):
    """A place in degrees."""

    latitude = serializers.FloatField(min_value=-90, max_value=90)
    longitude = serializers.FloatField(min_value=-180, max_value=180)


class BlockGroupSerializer(serializers.Serializer):
    """A block group of the census of 1990."""

    features = serializers.DictField(child=serializers.FloatField())
    price = serializers.IntegerField(help_text="Its median house value in dollars of 1990, at most 500001.")
    km = serializers.FloatField(help_text="How far it is from the place.")


class NearestBlockGroupView(APIView):
    """The block group of the census nearest to a place."""

    permission_classes = [AllowAny]

    @extend_schema(
        tags=["block groups"],
        summary="Find the nearest block group",
        parameters=[PlaceSerializer],
        responses={200: BlockGroupSerializer, **problems(400, 404)},
    )
    def get(self, request: Request, **kwargs) -> Response:
        place = PlaceSerializer(data=request.query_params)
        place.is_valid(raise_exception=True)
        try:
            found = block_group_near(**place.validated_data)
        except NoBlockGroup as error:
            raise NotFound(str(error)) from error
        return Response(found)
