"""Addresses, by app."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("predictions.urls")),
    path("", include("streaming.urls")),
    path("admin/", admin.site.urls),
]
