from predictions.models.accounts import ApiToken, IntegrationSource
from predictions.models.feed import FeedEvent
from predictions.models.prediction import Prediction

__all__ = ["ApiToken", "FeedEvent", "IntegrationSource", "Prediction"]
