"""Addresses under /api/."""

from django.urls import path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from predictions.api import reference
from predictions.api.block_groups import NearestBlockGroupView
from predictions.api.explanation import ComparablesView, ReasonsView
from predictions.api.keeping import NoteView, SaleView
from predictions.api.views import PredictionsView, PredictionView, not_found

app_name = "api"
urlpatterns = [
    path("<str:version>/predictions", PredictionsView.as_view(), name="predictions"),
    path("<str:version>/predictions/<uuid:pk>", PredictionView.as_view(), name="prediction-detail"),
    path("<str:version>/predictions/<uuid:pk>/reasons", ReasonsView.as_view(), name="reasons"),
    path("<str:version>/predictions/<uuid:pk>/comparables", ComparablesView.as_view(), name="comparables"),
    path("<str:version>/predictions/<uuid:pk>/note", NoteView.as_view(), name="note"),
    path("<str:version>/predictions/<uuid:pk>/sale", SaleView.as_view(), name="sale"),
    path("<str:version>/block-groups/nearest", NearestBlockGroupView.as_view(), name="nearest-block-group"),
    path("schema", RedirectView.as_view(pattern_name="api:schema")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs", RedirectView.as_view(pattern_name="api:docs")),
    path("docs/", reference.docs, name="docs"),
    path("", not_found),
    path("<path:rest>", not_found),
]
