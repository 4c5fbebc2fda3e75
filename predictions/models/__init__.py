from predictions.models.accounts import ApiToken, IntegrationSource, Profile
from predictions.models.feed import FeedEvent
from predictions.models.idempotency import IdempotencyKey
from predictions.models.keeping import Note, Sale, SharedLink
from predictions.models.prediction import Door, Prediction

__all__ = [
    "ApiToken",
    "Door",
    "FeedEvent",
    "IdempotencyKey",
    "IntegrationSource",
    "Note",
    "Prediction",
    "Profile",
    "Sale",
    "SharedLink",
]
