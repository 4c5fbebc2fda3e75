"""What streaming answers: WebSocket and SSE."""

from django.urls import path

from streaming import readiness, sse
from streaming.consumers import FeedConsumer

urlpatterns = [
    path("stream", sse.stream, name="stream"),
    path("feed", sse.feed, name="feed"),
    path("healthz", readiness.healthz, name="healthz"),
    path("readyz", readiness.readyz, name="readyz"),
]

websocket_urlpatterns = [path("ws/predictions/", FeedConsumer.as_asgi())]
