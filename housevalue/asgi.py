"""HTTP by Django, WebSockets by Channels, static files by WhiteNoise beside Django.

As a Django middleware WhiteNoise would put every request and every stream on a thread.
"""

import os
from http import HTTPStatus

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import re_path, reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housevalue.settings")
django_application = get_asgi_application()

from twisted.web.http import RESPONSES  # noqa: E402  (needs the reactor that daphne's app installs)

from housevalue.cache import ForgivingRedisCache  # noqa: E402  (needs the settings)
from housevalue.clean_stop import CleanStop  # noqa: E402  (needs the reactor that daphne's app installs)
from housevalue.static import static_files  # noqa: E402  (needs the settings)
from predictions import doorbell  # noqa: E402  (needs the settings)
from predictions.admission import admission  # noqa: E402  (needs the app registry)
from predictions.doorway import Doorway  # noqa: E402  (needs the app registry)
from streaming.back_pressure import BackPressure  # noqa: E402  (needs the reactor that daphne's app installs)
from streaming.metrics import AWAY, CLOSED, REFUSED  # noqa: E402  (needs the settings)
from streaming.monitoring import WaitingCollector, serve_metrics  # noqa: E402  (needs the app registry)
from streaming.readiness import kafka_client  # noqa: E402  (needs the app registry)
from streaming.urls import websocket_urlpatterns  # noqa: E402  (needs the app registry)

DOORS = {reverse("predict_api"), reverse("api:predictions", kwargs={"version": "v1"})}


class BrowserOriginValidator(OriginValidator):
    """Refuses other sites' pages. Only browsers send an Origin, and they always do: a program without one may enter."""

    def valid_origin(self, parsed_origin):
        return parsed_origin is None or super().valid_origin(parsed_origin)


application = BackPressure(
    CleanStop(
        ProtocolTypeRouter(
            {
                "http": URLRouter(
                    [
                        re_path(r"^static/", static_files),
                        re_path(r"", Doorway(django_application, paths=DOORS, refused=REFUSED.inc)),  # type: ignore[arg-type]
                    ]
                ),
                "websocket": BrowserOriginValidator(URLRouter(websocket_urlpatterns), settings.ALLOWED_HOSTS),
            }
        )
    )
)

# Of the statuses that came after RFC 2616, 422 and 429 among them, Twisted says "Unknown Status".
for status in HTTPStatus:
    RESPONSES.setdefault(status, status.phrase.encode())

AWAY.labels("cache").set_function(ForgivingRedisCache.is_silent)
CLOSED.set_function(admission.is_closed)
AWAY.labels("doorbell").set_function(doorbell.is_silent)
serve_metrics(WaitingCollector(kafka_client))
