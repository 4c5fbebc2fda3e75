"""REST: predictions are asked, listed and read."""

from django.http import HttpRequest, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from predictions.admission import admission
from predictions.api.pagination import PredictionPagination
from predictions.api.schema import QUESTION, idempotency_key, problems
from predictions.api.serializers import AcceptedSerializer, PredictionSerializer
from predictions.api.unknown import refuse_unknown
from predictions.asking import ask_json
from predictions.callers import caller_of
from predictions.doorway import LET_IN
from predictions.filters import PredictionFilter
from predictions.idempotency import KEY_HEADER
from predictions.models import Door, Prediction
from predictions.problems import problem
from predictions.reading import own_predictions, readable_prediction
from predictions.representation import accepted, represent

_PARAMETERS = [
    *PredictionFilter.base_filters,
    PredictionPagination.cursor_query_param,
    PredictionPagination.page_size_query_param,
]


@method_decorator(never_cache, name="dispatch")
class PredictionsView(ListAPIView):
    """The caller's own predictions, newest first; and the door for a new one."""

    serializer_class = PredictionSerializer
    filterset_class = PredictionFilter
    queryset = Prediction.objects.none()

    def get_queryset(self):
        return own_predictions(caller_of(self.request))

    @extend_schema(
        tags=["predictions"],
        summary="List your predictions",
        description="Newest first; narrowed by the query.",
        responses={200: PredictionSerializer(many=True), **problems(400, 401, 422)},
    )
    def get(self, request: Request, *args, **kwargs) -> Response:
        refuse_unknown(request.query_params, _PARAMETERS, "parameter")
        return super().get(request, *args, **kwargs)

    @extend_schema(
        tags=["predictions"],
        summary="Ask for a price",
        description="For accounts; `/predict_api` takes the same from anybody.",
        parameters=[idempotency_key()],
        request=QUESTION,
        responses={202: AcceptedSerializer, **problems(400, 401, 403, 413, 415, 422, 429, 503)},
    )
    def post(self, request: Request, *args, **kwargs) -> Response:
        # `request.data` would take a chunked body, which has no Content-Length, for an empty one.
        if request.content_type.partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType(request.content_type)
        prediction = ask_json(
            body=request.body,
            caller=caller_of(request),
            address=request.META.get("REMOTE_ADDR", ""),
            source=Door.API,
            key_header=request.headers.get(KEY_HEADER),
            is_let_in=LET_IN in getattr(request, "scope", {}),
        )
        body = accepted(prediction)
        return Response(body, status=202, headers={"Location": body["status_url"]})


@method_decorator(never_cache, name="dispatch")
class PredictionView(APIView):
    """One prediction: its owner's, or a visitor's for whoever holds the id."""

    permission_classes = [AllowAny]

    @extend_schema(
        tags=["predictions"],
        summary="Read a prediction",
        description="Its owner's; a visitor's is read by whoever holds the id.",
        responses={200: PredictionSerializer, **problems(401, 404)},
    )
    def get(self, request: Request, pk, **kwargs) -> Response:
        prediction = readable_prediction(str(pk), caller_of(request))
        return Response(represent(prediction, admission.place_of(prediction)))


def not_found(request: HttpRequest, **kwargs) -> JsonResponse:
    """Everything under /api/ that is not routed."""
    return problem(404, "not_found", "there is nothing at this address; /api/schema/ lists what there is")
