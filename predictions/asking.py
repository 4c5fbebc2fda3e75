"""The door: from the bytes of a question to a stored prediction. Every way to ask goes through `ask`."""

from mlmodel.features import matrix
from mlmodel.support import nearest_km
from predictions import doorbell, services
from predictions.callers import Caller
from predictions.contract import FeatureErrors, Normalised, normalise_features, parse_json
from predictions.location import location_flags, unsupported
from predictions.models import Prediction
from predictions.throttle import check_rate


def ask_json(*, body: bytes, caller: Caller, address: str, source: str) -> Prediction:
    """Read a JSON body of features and ask.

    Raises:
        ContractError, FeatureErrors, TooMany: nothing was stored.
    """
    return ask(features=parse_json(body), caller=caller, address=address, source=source)


def ask(*, features: object, caller: Caller, address: str, source: str) -> Prediction:
    """Store what `caller` at `address` asks and ring the doorbell.

    Raises:
        FeatureErrors, TooMany: nothing was stored.
    """
    check_rate(caller=caller, address=address)
    prediction = services.accept(caller=caller, question=supported(normalise_features(features)), source=source)
    doorbell.ring()
    return prediction


def supported(question: Normalised) -> Normalised:
    """The question, flagged where block groups with a known price are far.

    Raises:
        FeatureErrors: they are too far.
    """
    km = float(nearest_km(matrix([question.features]))[0])
    if (error := unsupported(km)) is not None:
        raise FeatureErrors([error])
    return Normalised(question.features, location_flags(km, question.flags))
