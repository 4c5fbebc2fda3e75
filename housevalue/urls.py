"""Addresses, by app."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("predictions.urls")),
    path("", include("streaming.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "predictions.views.errors.bad_request"
handler403 = "predictions.views.errors.permission_denied"
handler404 = "predictions.views.errors.not_found"
handler500 = "predictions.views.errors.server_error"
