"""What streaming answers: WebSocket and SSE, probes, and the ledger in admin."""

from channels.security.websocket import WebsocketDenier
from django.contrib import admin
from django.urls import path, re_path

from streaming import readiness, sse
from streaming.consumers import FeedConsumer
from streaming.ledger_page import ledger_page

urlpatterns = [
    path("stream", sse.stream, name="stream"),
    path("feed", sse.feed, name="feed"),
    path("healthz", readiness.healthz, name="healthz"),
    path("readyz", readiness.readyz, name="readyz"),
    path("admin/ledger/", admin.site.admin_view(ledger_page), name="ledger"),
]

websocket_urlpatterns = [
    re_path(r"^ws/predictions/?$", FeedConsumer.as_asgi()),
    re_path(r"", WebsocketDenier.as_asgi()),  # Refused at the handshake; Channels would raise and leave a traceback.
]
