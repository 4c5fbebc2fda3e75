"""What predictions answers: the page, the door, REST, accounts."""

from django.urls import path

from predictions.views.predict_api import predict_api

urlpatterns = [
    path("predict_api", predict_api, name="predict_api"),
]
