"""HTTP by Django, WebSockets by Channels, static files by WhiteNoise beside Django.

WhiteNoise is WSGI: as a Django middleware it would put every request and every stream on a thread.
"""

import os

from asgiref.wsgi import WsgiToAsgi
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housevalue.settings")
django_application = get_asgi_application()

from housevalue.static import static_files  # noqa: E402  (needs the settings)
from streaming.urls import websocket_urlpatterns  # noqa: E402  (needs the app registry)

application = ProtocolTypeRouter(
    {
        "http": URLRouter(
            [
                re_path(r"^static/", WsgiToAsgi(static_files)),
                re_path(r"", django_application),
            ]
        ),
        "websocket": AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns)),
    }
)
